"""What Azure answers, as errors of ours: by its code, since a 409 is raised as "exists" whatever it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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

CODES: Final[Mapping[str, type[CloudError]]] = {
    "AllocationFailed": CapacityUnavailable,
    "AnotherOperationInProgress": Conflict,
    "AttachDiskWhileBeingDetached": Conflict,
    "AuthenticationFailed": Denied,
    "AuthorizationFailed": Denied,
    "AuthorizationPermissionMismatch": Denied,
    "BadRequest": InvalidRequest,
    "Conflict": Conflict,
    "ExpiredAuthenticationToken": Denied,
    "GatewayTimeout": CloudUnavailable,
    "InternalServerError": CloudUnavailable,
    "InvalidAuthenticationToken": Denied,
    "InvalidParameter": InvalidRequest,
    "InvalidTemplateDeployment": InvalidRequest,
    "LinkedAuthorizationFailed": Denied,
    "NetworkInterfaceCountExceeded": QuotaExceeded,
    "NotFound": NotFound,
    "OperationNotAllowed": QuotaExceeded,
    "OperationPreempted": Conflict,
    "OverconstrainedAllocationRequest": CapacityUnavailable,
    "OverconstrainedZonalAllocationRequest": CapacityUnavailable,
    "ParentResourceNotFound": NotFound,
    "PreconditionFailed": Conflict,
    "PropertyChangeNotAllowed": Conflict,
    "PublicIPCountLimitReached": QuotaExceeded,
    "QuotaExceeded": QuotaExceeded,
    "ResourceGroupBeingDeleted": Conflict,
    "ResourceGroupNotFound": NotFound,
    "ResourceNotFound": NotFound,
    "RetryableError": CloudUnavailable,
    "ScopeLocked": Denied,
    "ServerTimeout": CloudUnavailable,
    "ServiceUnavailable": CloudUnavailable,
    "SkuNotAvailable": CapacityUnavailable,
    "SpotVMsNotAvailable": CapacityUnavailable,
    "SubnetIsFull": CapacityUnavailable,
    "SubscriptionNotFound": NotFound,
    "SubscriptionRequestsThrottled": Throttled,
    "TooManyRequests": Throttled,
    "ZonalAllocationFailed": CapacityUnavailable,
}
"""`error.code`. `OperationNotAllowed` is how Azure says that a quota of cores is used up. Sources:
https://learn.microsoft.com/en-us/troubleshoot/azure/virtual-machines/windows/allocation-failure,
https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors
(as of 2026-11)."""


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of Azure's libraries as one of ours; None for what is none of theirs.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, (ServiceRequestError, ServiceResponseError, IncompleteReadError, DecodeError)):
        return CloudUnavailable(
            f"{doing}: Azure cannot be reached: {error.message}", code=type(error).__name__
        )
    if isinstance(error, HttpResponseError) and error.response is not None:
        status = int(error.status_code or 0)
        known = error.error
        code = str(known.code) if known is not None and known.code else ""
        said = (
            str(known.message) if known is not None and known.message else str(error.reason or error.message)
        )
        failure = of_code(code, f"{doing}: {said}", status=status)
        if isinstance(failure, Throttled):
            failure.retry_after_seconds = retry_after(getattr(error.response, "headers", None))
        return failure
    if isinstance(error, ClientAuthenticationError):
        return Denied(f"{doing}: no credentials for Azure: {error.message}", code="NoCredentials")
    if isinstance(error, AzureError):
        return CloudUnavailable(f"{doing}: {error.message}", code=type(error).__name__)
    return None


def of_code(code: str, message: str, *, status: int = 0) -> CloudError:
    """The error that a code means.

    Args:
        code: Azure's code; empty for none.
        message: the error's text.
        status: HTTP status; 0 for none.
    """
    kind = CODES.get(code)
    if kind is None:
        kind = by_status(status) if status else InvalidRequest
    return kind(message, code=code or f"HTTP {status}")
