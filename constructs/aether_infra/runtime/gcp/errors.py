"""What Google Cloud answers, as errors of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.api_core import exceptions as sdk
from google.auth import exceptions as auth
from requests import exceptions as line

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

EXISTS: Final = "alreadyExists"
"""The name is taken: what a creation finds whose first answer was lost."""
MEMBER_ALREADY: Final = "memberAlreadyExists"
"""An instance is in the group that it is to be put into."""
NO_MEMBER: Final = "memberNotFound"
"""An instance is not in the group that it is to be taken from."""

CODES: Final[Mapping[str, type[CloudError]]] = {
    # of operations: https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation
    "CONDITION_NOT_MET": Conflict,
    "INSUFFICIENT_CAPACITY": CapacityUnavailable,
    "INVALID_USAGE": InvalidRequest,
    "IP_SPACE_EXHAUSTED": CapacityUnavailable,
    "IP_SPACE_EXHAUSTED_WITH_DETAILS": CapacityUnavailable,
    "PERMISSIONS_ERROR": Denied,
    "QUOTA_EXCEEDED": QuotaExceeded,
    "RATE_LIMIT_EXCEEDED": Throttled,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": Conflict,
    "RESOURCE_NOT_FOUND": NotFound,
    "RESOURCE_NOT_READY": Conflict,
    "RESOURCE_OPERATION_RATE_EXCEEDED": Throttled,
    "RESOURCE_POOL_EXHAUSTED": CapacityUnavailable,
    "STOCKOUT": CapacityUnavailable,
    "UNSUPPORTED_OPERATION": InvalidRequest,
    "ZONE_RESOURCE_POOL_EXHAUSTED": CapacityUnavailable,
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": CapacityUnavailable,
    # of requests: https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-the-api
    EXISTS: Conflict,
    "authError": Denied,
    "backendError": CloudUnavailable,
    "badRequest": InvalidRequest,
    "concurrentOperationQuotaExceeded": Throttled,
    "conditionNotMet": Conflict,
    "conflict": Conflict,
    "forbidden": Denied,
    "insufficientPermissions": Denied,
    "internalError": CloudUnavailable,
    "invalid": InvalidRequest,
    "invalidParameter": InvalidRequest,
    MEMBER_ALREADY: Conflict,
    NO_MEMBER: NotFound,
    "notFound": NotFound,
    "quotaExceeded": QuotaExceeded,
    "rateLimitExceeded": Throttled,
    "required": InvalidRequest,
    "resourceInUseByAnotherResource": Conflict,
    "resourceNotReady": Conflict,
    "userRateLimitExceeded": Throttled,
}
"""Codes of operations and reasons of refused requests (addresses above, as of 2026-11)."""


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of Google's libraries as one of ours; None for what is none of theirs.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, sdk.GoogleAPICallError):
        return _answered(error, doing)
    if isinstance(error, (sdk.RetryError, line.RequestException, auth.TransportError)):
        return CloudUnavailable(
            f"{doing}: Google Cloud cannot be reached: {error}", code=type(error).__name__
        )
    if isinstance(error, auth.GoogleAuthError):
        return Denied(f"{doing}: {error}", code=type(error).__name__)
    return None


def of_operation(operation: Any, doing: str) -> CloudError | None:
    """Why an operation has failed; None if it has not.

    Args:
        operation: Compute Engine's operation.
        doing: what was being done.
    """
    errors = list(operation.error.errors) if operation.error else []
    status = int(operation.http_error_status_code or 0)
    if not errors and not status:
        return None
    code = str(errors[0].code) if errors else f"HTTP {status}"
    message = str(errors[0].message) if errors else str(operation.http_error_message)
    return _kind(code, status)(f"{doing}: {message}", code=code)


def _answered(error: sdk.GoogleAPICallError, doing: str) -> CloudError:
    status = int(error.code or 0)
    details = [each for each in error.errors or () if isinstance(each, Mapping)]
    reason = str(details[0].get("reason") or "") if details else ""
    kind = _kind(reason, status)
    wait = retry_after(getattr(error.response, "headers", None)) if kind is Throttled else None
    message = str(error.message or "no reason given")
    return kind(f"{doing}: {message}", code=reason or f"HTTP {status}", retry_after_seconds=wait)


def _kind(code: str, status: int) -> type[CloudError]:
    return CODES.get(code) or by_status(status)
