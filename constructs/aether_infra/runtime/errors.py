"""What can go wrong between us and a cloud, and what to do next.

AetherInfraError
└── CloudError             a cloud refused or could not be reached; has `advice` and the cloud's own code
    ├── NotFound           there is no such thing
    ├── QuotaExceeded      the account may not have more
    ├── CapacityUnavailable the cloud has no more, here or of this size
    ├── Throttled          too many calls
    ├── Denied             credentials are missing, wrong, or not allowed to
    ├── CloudUnavailable   the cloud fails or does not answer
    ├── Conflict           something else changes it, or has changed it
    └── InvalidRequest     the cloud finds the request itself wrong
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import ClassVar, Final

from aether_infra.errors import AetherInfraError


class Advice(StrEnum):
    """What to do after an error."""

    RETRY = "retry"
    """The same again, later."""
    ELSEWHERE = "elsewhere"
    """Another zone or size; here again only after a cool-off."""
    GIVE_UP = "give_up"
    """Nothing that a program can do: say so."""


class CloudError(AetherInfraError):
    """A cloud refused or could not be reached.

    Args:
        message: what was being done and what the cloud said, in one sentence.
        code: the cloud's own code, such as `InsufficientInstanceCapacity`.
        retry_after_seconds: what the cloud asks to wait; None where it does not say.
    """

    advice: ClassVar[Advice] = Advice.GIVE_UP
    """What to do next."""

    def __init__(self, message: str, *, code: str = "", retry_after_seconds: float | None = None) -> None:
        self.message = message
        self.code = code
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{message} [{code}]" if code else message)


class NotFound(CloudError):  # noqa: N818 - the design's name, as are those below
    """There is no such thing."""


class QuotaExceeded(CloudError):  # noqa: N818
    """The account may not have more; only its owner can change that."""


class CapacityUnavailable(CloudError):  # noqa: N818
    """The cloud has no more of this size in this zone."""

    advice = Advice.ELSEWHERE


class Throttled(CloudError):  # noqa: N818
    """Too many calls in too short a time."""

    advice = Advice.RETRY


class Denied(CloudError):  # noqa: N818
    """Credentials are missing, wrong, or not allowed to do this."""


class CloudUnavailable(CloudError):  # noqa: N818
    """The cloud fails or does not answer. What was asked for may have happened all the same."""

    advice = Advice.RETRY


class Conflict(CloudError):  # noqa: N818
    """Something else changes it right now, or has changed it since it was read."""

    advice = Advice.RETRY


class InvalidRequest(CloudError):  # noqa: N818
    """The cloud finds the request itself wrong: a fault of the settings or of ours."""


STATUSES: Final[Mapping[int, type[CloudError]]] = {
    400: InvalidRequest,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    410: Conflict,
    412: Conflict,
    422: InvalidRequest,
    429: Throttled,
}
"""What an HTTP status means, where a cloud's own code says nothing that is known."""
_SERVER_FAULT: Final = 500


def by_status(status: int) -> type[CloudError]:
    """The error that an HTTP status means, where nothing more is known.

    Args:
        status: the status; 0 for none, which is a line that broke.
    """
    if status == 0 or status >= _SERVER_FAULT:
        return CloudUnavailable
    return STATUSES.get(status, InvalidRequest)


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """What `Retry-After` asks to wait, in seconds: a number, or a date, as proxies send; None for nothing.

    Args:
        headers: of the answer.
    """
    given = headers or {}
    text = str(given.get("Retry-After") or given.get("retry-after") or "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
