"""The way to DigitalOcean's API: token, address, and pydo without tries of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.pipeline.policies import HeadersPolicy
from pydo import Client

from aether_infra.runtime.errors import Denied
from aether_infra.runtime.retry import Patience

TOKENS: Final = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
"""Environment variables that hold the token, the first one wins: those of DigitalOcean's own tools and provider."""
ADDRESS: Final = "DIGITALOCEAN_API_URL"
"""Environment variable with another address of the API, as the Terraform provider has it; plain HTTP on loopback."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
PER_PAGE: Final = 200
"""Most items of a page: https://docs.digitalocean.com/reference/api/digitalocean/ (as of 2026-11)."""


def client(patience: Patience, env: Mapping[str, str] | None = None) -> Client:
    """Make pydo's client; it connects nothing yet.

    Args:
        patience: how long an answer may take.
        env: where token and address are looked up; default: the process's environment.

    Raises:
        Denied: there is no token, or the address would send it in the clear.
    """
    env = os.environ if env is None else env
    token = next((env[name] for name in TOKENS if env.get(name)), None)
    if token is None:
        raise Denied(f"no credentials for DigitalOcean: set {' or '.join(TOKENS)}", code="NoToken")
    options: dict[str, Any] = {
        # a second try of a creation would be a second droplet: ours look first
        "retry_total": 0,
        "connection_timeout": patience.answer_seconds,
        "read_timeout": patience.answer_seconds,
    }
    address = env.get(ADDRESS, "").rstrip("/")
    if address:
        options["endpoint"] = address
        parts = urlsplit(address)
        if parts.scheme != "https":
            if parts.hostname not in LOOPBACK:
                raise Denied(f"{ADDRESS} must be https, got {address}", code="PlainHttp")
            # pydo's own policy refuses plain HTTP
            options["authentication_policy"] = HeadersPolicy({"Authorization": f"Bearer {token}"})
    return Client(token, **options)
