"""Where a cloud had no capacity lately: not asked again for a while."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from aether_infra.runtime.retry import Clock, SystemClock

COOL_OFF_SECONDS = 180.0
"""How long a zone and size are left alone; three minutes, as Karpenter does
(https://github.com/aws/karpenter-provider-aws, `pkg/cache` (as of 2026-08))."""


@define
class CoolOff:
    """Zones and sizes that were out of stock."""

    clock: Clock = field(factory=SystemClock)
    """Where time comes from."""
    seconds: float = COOL_OFF_SECONDS
    """How long one is left alone."""
    _until: dict[tuple[str, str], float] = field(factory=dict, init=False)

    def note(self, zone: str, size: str) -> None:
        """Remember that there was none."""
        self._until[zone, size] = self.clock.now() + self.seconds

    def order(self, zones: Sequence[str], size: str) -> list[str]:
        """The zones to try, those that are cooled off left out; if all are, none."""
        now = self.clock.now()
        return [zone for zone in zones if self._until.get((zone, size), now) <= now]

    def remaining(self, zones: Sequence[str], size: str) -> float:
        """Seconds until the first of these may be tried again; 0 if one may be now."""
        now = self.clock.now()
        return max(0.0, min((self._until.get((zone, size), now) - now for zone in zones), default=0.0))
