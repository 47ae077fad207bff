"""What Kubernetes' API answers, as errors of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from aether_infra.runtime.errors import (
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

REASONS: Final[Mapping[str, type[CloudError]]] = {
    "AlreadyExists": Conflict,
    "BadRequest": InvalidRequest,
    "Conflict": Conflict,
    "Expired": Conflict,
    "Forbidden": Denied,
    "Gone": Conflict,
    "InternalError": CloudUnavailable,
    "Invalid": InvalidRequest,
    "MethodNotAllowed": InvalidRequest,
    "NotAcceptable": InvalidRequest,
    "NotFound": NotFound,
    "RequestEntityTooLarge": InvalidRequest,
    "ServerTimeout": CloudUnavailable,
    "ServiceUnavailable": CloudUnavailable,
    "StorageReadinessError": CloudUnavailable,
    "Timeout": CloudUnavailable,
    "TooManyRequests": Throttled,
    "Unauthorized": Denied,
    "UnsupportedMediaType": InvalidRequest,
}
"""`reason` of a `Status` object: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason
(as of 2026-11)."""

QUOTA: Final = "exceeded quota"
"""How the message of a refusal by a ResourceQuota goes on, whose reason is `Forbidden`."""


def translate(error: Exception, doing: str) -> CloudError | None:
    """An error of the client as one of ours; None for what is none of its errors.

    Args:
        error: what was raised.
        doing: what was being done.
    """
    if isinstance(error, ApiException):
        return _answered(error, doing)
    if isinstance(error, HTTPError):
        return CloudUnavailable(
            f"{doing}: Kubernetes' API cannot be reached: {error}", code=type(error).__name__
        )
    if isinstance(error, ConfigException):
        return Denied(f"{doing}: no way into the cluster: {error}", code="NoKubeconfig")
    return None


def _answered(error: ApiException, doing: str) -> CloudError:
    reason, message = _status(error.body)
    kind = REASONS.get(reason)
    if kind is None:
        kind = by_status(error.status or 0)
    if kind is Denied and QUOTA in message:
        kind = QuotaExceeded
    said = message or str(error.reason or "no reason given")
    return kind(
        f"{doing}: {said}",
        code=reason or f"HTTP {error.status}",
        retry_after_seconds=retry_after(error.headers),
    )


def _status(body: str | bytes | None) -> tuple[str, str]:
    """Reason and message of a `Status` object; empty where the body is something else."""
    try:
        status = json.loads(body or "")
    except ValueError:
        return "", ""
    if not isinstance(status, dict):
        return "", ""
    return str(status.get("reason") or ""), str(status.get("message") or "")
