"""How often somebody may call: a token bucket each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from attrs import define, field

MOST_CALLERS: Final = 10_000
"""Callers that are remembered; whoever has not called for the longest is forgotten first."""


@define
class Limiter:
    """So many calls at once, and so many a second in the long run, for each caller by itself."""

    per_second: float
    """In the long run."""
    burst: float
    """At once."""
    now: Callable[[], float]
    """Seconds that never go back."""
    _left: OrderedDict[str, tuple[float, float]] = field(factory=OrderedDict, init=False)

    def take(self, caller: str) -> float:
        """Count a call; returns 0 if it may go on, else the seconds until it may be tried again."""
        now = self.now()
        left, at = self._left.get(caller, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._left[caller] = (left if wait else left - 1, now)
        self._left.move_to_end(caller)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return wait

    def allows(self, caller: str) -> bool:
        """Whether somebody may call at the moment; counts nothing."""
        now = self.now()
        left, at = self._left.get(caller, (self.burst, now))
        return min(self.burst, left + (now - at) * self.per_second) >= 1
