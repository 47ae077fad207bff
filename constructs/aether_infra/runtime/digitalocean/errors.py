"""What DigitalOcean's API answers, as errors of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Throttled,
    by_status,
    retry_after,
)

IDS: Final[Mapping[str, type[CloudError]]] = {
    "bad_request": InvalidRequest,
    "conflict": Conflict,
    "forbidden": Denied,
    "internal_server_error": CloudUnavailable,
    "not_found": NotFound,
    "server_error": CloudUnavailable,
    "service_unavailable": CloudUnavailable,
    "too_many_requests": Throttled,
    "unauthorized": Denied,
    "unprocessable_entity": InvalidRequest,
}
"""`id` of an error's body: https://docs.digitalocean.com/reference/api/digitalocean/ (as of 2026-11)."""

MESSAGES: Final[Sequence[tuple[str, type[CloudError]]]] = (
    ("droplet limit", QuotaExceeded),
    ("is not available in this region", CapacityUnavailable),
    ("is currently unavailable", CapacityUnavailable),
    ("no capacity", CapacityUnavailable),
    ("already has a pending event", Conflict),
)
"""What `unprocessable_entity` means beyond a wrong request, which only its message says: a part of it in lower case."""


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of pydo as one of ours; None for what is none of its errors.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, (ServiceRequestError, ServiceResponseError, IncompleteReadError, DecodeError)):
        return CloudUnavailable(
            f"{doing}: DigitalOcean cannot be reached: {error.message}", code=type(error).__name__
        )
    if isinstance(error, HttpResponseError):
        return _answered(error, doing)
    if isinstance(error, ClientAuthenticationError):
        return Denied(f"{doing}: {error.message}", code="unauthorized")
    if isinstance(error, AzureError):
        return CloudUnavailable(f"{doing}: {error.message}", code=type(error).__name__)
    return None


def refused(body: Any, doing: str) -> CloudError | None:
    """The error in an answer that pydo returns instead of raising it: it does so for 404.

    Args:
        body: what the call returned.
        doing: what was being done.
    """
    if isinstance(body, Mapping) and "id" in body and "message" in body and len(body) <= _ERROR_KEYS:
        return _kind(str(body["id"]), str(body["message"]), 404)(
            f"{doing}: {body['message']}", code=str(body["id"])
        )
    return None


_ERROR_KEYS: Final = 3
"""An error's body has `id`, `message` and perhaps `request_id`."""


def _answered(error: HttpResponseError, doing: str) -> CloudError:
    status = error.status_code or 0
    try:
        body = json.loads(error.response.text()) if error.response else {}
    except ValueError:
        body = {}
    known = body if isinstance(body, dict) else {}
    identity, message = (
        str(known.get("id") or ""),
        str(known.get("message") or error.reason or "no reason given"),
    )
    kind = _kind(identity, message, status)
    wait = retry_after(getattr(error.response, "headers", None)) if kind is Throttled else None
    return kind(f"{doing}: {message}", code=identity or f"HTTP {status}", retry_after_seconds=wait)


def _kind(identity: str, message: str, status: int) -> type[CloudError]:
    if by_status(status) is CloudUnavailable:
        return CloudUnavailable
    text = message.lower()
    for part, kind in MESSAGES:
        if part in text:
            return kind
    return IDS.get(identity) or by_status(status)
