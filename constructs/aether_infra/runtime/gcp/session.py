"""The way to Google Cloud: credentials from where the libraries look for them, addresses as `gcloud` has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from google.api_core.client_options import ClientOptions
from google.auth import default
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError

from aether_infra.runtime.errors import Denied

COMPUTE_ADDRESS: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
"""Environment variable with another address of Compute Engine, as `gcloud` has it; plain HTTP on loopback only, and
then without credentials."""
DNS_ADDRESS: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_DNS"
"""The same of Cloud DNS."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)


def access(variable: str, env: Mapping[str, str] | None = None) -> tuple[Credentials, ClientOptions | None]:
    """Credentials and address of one API.

    Args:
        variable: the environment variable with its address.
        env: where that is looked up; default: the process's environment.

    Returns:
        The credentials, and the address; None for Google's own.

    Raises:
        Denied: there are no credentials, or the address would send them in the clear.
    """
    address = (os.environ if env is None else env).get(variable, "").rstrip("/")
    if address and urlsplit(address).scheme != "https":
        if urlsplit(address).hostname not in LOOPBACK:
            raise Denied(f"{variable} must be https, got {address}", code="PlainHttp")
        anonymous: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return anonymous, ClientOptions(api_endpoint=address)
    try:
        found, _ = default(scopes=SCOPES)
    except DefaultCredentialsError as error:
        raise Denied(f"no credentials for Google Cloud: {error}", code="NoCredentials") from error
    return found, ClientOptions(api_endpoint=address) if address else None
