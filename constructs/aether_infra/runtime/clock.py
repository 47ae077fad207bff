"""Time of the engine: a clock that runs evenly, to wait by, and the calendar, to write down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from aether_infra.runtime.retry import Clock, SystemClock


class Calendar(Clock, Protocol):
    """A clock that also knows the date. Waiting and time-outs go by `now`, what is written down by `utc`."""

    def utc(self) -> datetime:
        """Date and time, in UTC."""
        ...


class SystemCalendar(SystemClock):
    """The machine's own."""

    def utc(self) -> datetime:
        """Date and time, in UTC."""
        return datetime.now(UTC)
