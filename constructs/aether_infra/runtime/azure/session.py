"""The way to Azure: credentials from where its own library looks for them, and clients without tries of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.pipeline.policies import HeadersPolicy
from azure.identity import DefaultAzureCredential

from aether_infra.runtime.errors import Denied
from aether_infra.runtime.retry import Patience

ADDRESS: Final = "AZURE_RESOURCE_MANAGER_ENDPOINT"
"""Environment variable with another address of Azure Resource Manager; plain HTTP on loopback only, and then without
credentials."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def options(patience: Patience, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Arguments of every management client but the subscription.

    Args:
        patience: how long an answer may take.
        env: where the address is looked up; default: the process's environment.

    Raises:
        Denied: the address would send credentials in the clear.
    """
    address = (os.environ if env is None else env).get(ADDRESS, "").rstrip("/")
    given: dict[str, Any] = {
        "retry_total": 0,
        "connection_timeout": patience.answer_seconds,
        "read_timeout": patience.answer_seconds,
        # what a request is for stands in our own log
        "logging_enable": False,
    }
    if address:
        given["base_url"] = address
        if urlsplit(address).scheme != "https":
            if urlsplit(address).hostname not in LOOPBACK:
                raise Denied(f"{ADDRESS} must be https, got {address}", code="PlainHttp")
            # the library's own policy refuses plain HTTP
            given["authentication_policy"] = HeadersPolicy({"Authorization": "Bearer loopback"})
    return given | {"credential": DefaultAzureCredential(exclude_interactive_browser_credential=True)}
