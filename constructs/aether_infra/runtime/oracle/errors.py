"""What Oracle Cloud answers, as errors of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oci import exceptions as sdk
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

CODES: Final[Mapping[str, type[CloudError]]] = {
    "CannotParseRequest": InvalidRequest,
    "Conflict": Conflict,
    "ExternalServerIncorrectState": Conflict,
    "IncorrectState": Conflict,
    "InternalError": CloudUnavailable,
    "InternalServerError": CloudUnavailable,
    "InvalidParameter": InvalidRequest,
    "InvalidatedRetryToken": Conflict,
    "LimitExceeded": QuotaExceeded,
    "MissingParameter": InvalidRequest,
    "NoEtagMatch": Conflict,
    "NotAllowed": Denied,
    "NotAuthenticated": Denied,
    "NotAuthorized": Denied,
    "NotAuthorizedOrNotFound": NotFound,
    "NotAuthorizedOrResourceAlreadyExists": Conflict,
    "NotFound": NotFound,
    "OutOfHostCapacity": CapacityUnavailable,
    "QuotaExceeded": QuotaExceeded,
    "RelatedResourceNotAuthorizedOrNotFound": InvalidRequest,
    "ResourceAlreadyExists": Conflict,
    "ServiceUnavailable": CloudUnavailable,
    "SignUpRequired": Denied,
    "TooManyRequests": Throttled,
}
"""`code` of an error: https://docs.oracle.com/en-us/iaas/Content/API/References/apierrors.htm (as of 2026-11). A thing
that one may not see is not told from one that there is not."""

CAPACITY: Final = "out of host capacity"
"""What the message of an `InternalError` (500) says, in lower case, where there is no room:
https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/troubleshooting-out-of-host-capacity.htm (as of 2026-11)."""


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of Oracle's library as one of ours; None for what is none of its errors.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, sdk.ServiceError):
        return _answered(error, doing)
    if isinstance(error, (sdk.RequestException, sdk.ConnectTimeout, line.RequestException)):
        return CloudUnavailable(
            f"{doing}: Oracle Cloud cannot be reached: {error}", code=type(error).__name__
        )
    if isinstance(error, (sdk.ConfigFileNotFound, sdk.InvalidConfig, sdk.ProfileNotFound)):
        return Denied(f"{doing}: no credentials for Oracle Cloud: {error}", code=type(error).__name__)
    return None


def _answered(error: sdk.ServiceError, doing: str) -> CloudError:
    status, code = int(error.status or 0), str(error.code or "")
    message = str(error.message or "no reason given")
    if CAPACITY in message.lower():
        return CapacityUnavailable(f"{doing}: {message}", code=code)
    kind = CODES.get(code)
    if kind is None:
        kind = by_status(status)
    wait = retry_after(error.headers) if kind is Throttled else None
    return kind(f"{doing}: {message}", code=code or f"HTTP {status}", retry_after_seconds=wait)
