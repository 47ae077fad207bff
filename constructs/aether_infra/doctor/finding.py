"""What a check tells."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import asdict, frozen


class Status(StrEnum):
    """What a finding means for the operator."""

    OK = "ok"
    """It is there and good."""
    ERROR = "error"
    """It is needed, and not there, too old or broken."""
    OPTIONAL = "optional"
    """It is not there, too old or broken, and nothing that was asked about needs it."""
    SKIPPED = "skipped"
    """It was not looked at, as the operator asked."""


@frozen(kw_only=True)
class Look:
    """What a check found, before anybody asked whether it is needed."""

    good: bool
    """Whether it is there and good."""
    found: str
    """What is there, as one lower-case clause or a version."""
    fix: str = ""
    """How to mend it; empty where it is good."""


@frozen(kw_only=True)
class Finding:
    """One line of the report."""

    topic: str
    """Heading that it stands under."""
    subject: str
    """What was looked for."""
    status: Status
    """What it means."""
    found: str
    """What is there, as one lower-case clause or a version."""
    purpose: str = ""
    """What needs it."""
    fix: str = ""
    """How to mend it; empty where it is good."""

    def as_json(self) -> dict[str, Any]:
        """The finding for a script."""
        return asdict(self)


def there(found: str) -> Look:
    """It is there and good."""
    return Look(good=True, found=found)


def lacking(found: str, fix: str) -> Look:
    """It is not there, too old or broken."""
    return Look(good=False, found=found, fix=fix)


def judge(topic: str, subject: str, look: Look, *, needed: bool, purpose: str = "") -> Finding:
    """Say what a look means.

    Args:
        topic: heading that the finding stands under.
        subject: what was looked for.
        look: what was found.
        needed: whether what was asked about needs it.
        purpose: what needs it.
    """
    status = Status.OK if look.good else Status.ERROR if needed else Status.OPTIONAL
    return Finding(
        topic=topic, subject=subject, status=status, found=look.found, purpose=purpose, fix=look.fix
    )
