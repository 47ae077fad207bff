"""What AWS answers, as errors of ours: one table, and HTTP's status for what is not in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from botocore import exceptions as sdk  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

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

TERMINATED_TOKEN: Final = "IdempotentInstanceTerminated"  # noqa: S105 - AWS's code
"""What a client token was used for has ended."""
OTHER_PARAMETERS: Final = "IdempotentParameterMismatch"
"""A client token was used before, with other parameters."""
NOT_IN_BATCH: Final = "InvalidChangeBatch"
"""Route 53 cannot make a change: what is to be deleted is not there, or not so."""

CODES: Final[Mapping[str, type[CloudError]]] = {
    # no room of this size in this zone, or no address left in its subnet: elsewhere there may be
    "CapacityUnavailableException": CapacityUnavailable,
    "InsufficientAddressCapacity": CapacityUnavailable,
    "InsufficientCapacity": CapacityUnavailable,
    "InsufficientCapacityOnHost": CapacityUnavailable,
    "InsufficientFreeAddressesInSubnet": CapacityUnavailable,
    "InsufficientHostCapacity": CapacityUnavailable,
    "InsufficientInstanceCapacity": CapacityUnavailable,
    "InsufficientReservedInstanceCapacity": CapacityUnavailable,
    "ReservationCapacityExceeded": CapacityUnavailable,
    "SpotMaxPriceTooLow": CapacityUnavailable,
    "UnfulfillableCapacity": CapacityUnavailable,
    # a zone that does not have this size
    "Unsupported": CapacityUnavailable,
    # the account's limits
    "InstanceLimitExceeded": QuotaExceeded,
    "LimitExceeded": QuotaExceeded,
    "LimitExceededException": QuotaExceeded,
    "MaxSpotInstanceCountExceeded": QuotaExceeded,
    "PendingVerification": QuotaExceeded,
    "ResourceCountExceeded": QuotaExceeded,
    "TooManyRegistrationsForTargetId": QuotaExceeded,
    "TooManyTargets": QuotaExceeded,
    "VcpuLimitExceeded": QuotaExceeded,
    "VolumeLimitExceeded": QuotaExceeded,
    # too many calls
    "EC2ThrottledException": Throttled,
    "PriorRequestNotComplete": Throttled,
    "RequestLimitExceeded": Throttled,
    "RequestThrottled": Throttled,
    "RequestThrottledException": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "ThrottledException": Throttled,
    "TooManyRequestsException": Throttled,
    # credentials
    "AccessDenied": Denied,
    "AccessDeniedException": Denied,
    "AuthFailure": Denied,
    "Blocked": Denied,
    "ExpiredToken": Denied,
    "ExpiredTokenException": Denied,
    "IncompleteSignature": Denied,
    "InvalidAccessKeyId": Denied,
    "InvalidClientTokenId": Denied,
    "InvalidSignatureException": Denied,
    "MissingAuthenticationToken": Denied,
    "NotAuthorized": Denied,
    "OperationNotPermitted": Denied,
    "OptInRequired": Denied,
    "RequestExpired": Denied,
    "SignatureDoesNotMatch": Denied,
    "UnauthorizedOperation": Denied,
    "UnrecognizedClientException": Denied,
    # the cloud's own faults
    "InternalError": CloudUnavailable,
    "InternalFailure": CloudUnavailable,
    "InternalServerError": CloudUnavailable,
    "RequestTimeout": CloudUnavailable,
    "RequestTimeoutException": CloudUnavailable,
    "ServerException": CloudUnavailable,
    "ServiceUnavailable": CloudUnavailable,
    "Unavailable": CloudUnavailable,
    # something else is at it
    "ConcurrentModification": Conflict,
    "ConcurrentTagAccess": Conflict,
    "DependencyViolation": Conflict,
    "IncorrectInstanceState": Conflict,
    "IncorrectState": Conflict,
    "ServiceNotActiveException": Conflict,
    "UpdateInProgressException": Conflict,
    # there is none
    "InvalidInstanceID.Malformed": NotFound,
    "InvalidInstanceID.NotFound": NotFound,
    "NoSuchChange": NotFound,
    "ResourceNotFoundException": NotFound,
    # what should be there is not: the settings are of another account or region, or out of date
    "ClusterNotFoundException": InvalidRequest,
    "InvalidLaunchTemplateId.NotFound": InvalidRequest,
    "InvalidLaunchTemplateId.NotFoundException": InvalidRequest,
    "InvalidLaunchTemplateId.VersionNotFound": InvalidRequest,
    "InvalidSubnetID.NotFound": InvalidRequest,
    "NoSuchHostedZone": InvalidRequest,
    "ServiceNotFoundException": InvalidRequest,
    "TargetGroupNotFound": InvalidRequest,
    # the request itself
    "InvalidTarget": InvalidRequest,
    NOT_IN_BATCH: InvalidRequest,
    OTHER_PARAMETERS: InvalidRequest,
    TERMINATED_TOKEN: InvalidRequest,
}
"""Error of each code. Sources: https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html (as of 2026-11)."""

HINTS: Final[Mapping[str, str]] = {
    "AuthFailure": "check the credentials and the machine's clock",
    "ClusterNotFoundException": "are the outputs those of this account and region?",
    "ExpiredToken": "the credentials have expired: get new ones",
    "ExpiredTokenException": "the credentials have expired: get new ones",
    "InvalidLaunchTemplateId.NotFound": "are the outputs those of this account and region?",
    "InvalidLaunchTemplateId.NotFoundException": "are the outputs those of this account and region?",
    "InvalidSubnetID.NotFound": "are the outputs those of this account and region?",
    "NoSuchHostedZone": "are the outputs those of this account?",
    "OperationNotPermitted": "it is protected: `protect = false` under [cloud] and a deployment lift that",
    "RequestExpired": "check the machine's clock",
    "ServiceNotFoundException": "are the outputs those of this account and region?",
    "SignatureDoesNotMatch": "check the secret key and the machine's clock",
    "TargetGroupNotFound": "are the outputs those of this account and region?",
}
"""What to do about some of them."""

NO_CREDENTIALS: Final = (
    sdk.CredentialRetrievalError,
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.ProfileNotFound,
    sdk.SSOError,
    sdk.TokenRetrievalError,
)
"""Errors of the SDK when it has nothing to sign with."""
NOT_REACHED: Final = (
    sdk.ConnectionError,
    sdk.HTTPClientError,
    sdk.IncompleteReadError,
    ResponseParserError,
)
"""Errors of the SDK when no answer came, or none that can be read."""
HOW_TO_SIGN_IN: Final = (
    "no usable AWS credentials: give the service a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
)
WHERE: Final = "is that the region of the outputs, spelled as AWS does, and can this machine reach it?"
"""What to look at where there is no such address."""
_LONGEST_MESSAGE = 400


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of boto3 as one of ours; None for what is none of its errors.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, sdk.ClientError):
        return _answered(error, doing)
    name = type(error).__name__
    if isinstance(error, NO_CREDENTIALS):
        return Denied(f"{doing}: {HOW_TO_SIGN_IN} ({error})", code=name)
    if isinstance(error, NOT_REACHED):
        hint = f"; {WHERE}" if isinstance(error, sdk.EndpointConnectionError) else ""
        return CloudUnavailable(f"{doing}: no answer from AWS: {error}{hint}", code=name)
    if isinstance(error, sdk.BotoCoreError):
        return InvalidRequest(f"{doing}: {_one_line(str(error))}", code=name)
    return None


def _answered(error: Any, doing: str) -> CloudError:
    answer: Mapping[str, Any] = error.response
    fault, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, status = str(fault.get("Code", "")), int(metadata.get("HTTPStatusCode", 0))
    kind = CODES.get(code) or by_status(status)
    message = f"{doing}: {_one_line(str(fault.get('Message') or 'AWS does not say why'))}"
    if code in HINTS:
        message = f"{message} ({HINTS[code]})"
    return kind(message, code=code, retry_after_seconds=retry_after(metadata.get("HTTPHeaders", {})))


def _one_line(text: str) -> str:
    """AWS's message without the part that only AWS can read, and not too long."""
    text = " ".join(re.sub(r"Encoded authorization failure message:.*", "", text, flags=re.DOTALL).split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"
