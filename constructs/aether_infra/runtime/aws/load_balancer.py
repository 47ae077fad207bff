"""Target groups: who is in them, and the wait until one who leaves has drained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import frozen

from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import InvalidRequest
from aether_infra.runtime.model import Target, TargetHealth
from aether_infra.runtime.retry import Patience

NOT_REGISTERED: Final = "Target.NotRegistered"
"""Reason for the state `unused` of what is not in the group."""
NO_TARGET: Final = "InvalidTarget"
"""Code of the error when a target does not exist any more."""
HEALTH: Final[Mapping[str, TargetHealth]] = {
    "draining": TargetHealth.DRAINING,
    "healthy": TargetHealth.HEALTHY,
    "initial": TargetHealth.INITIAL,
    "unavailable": TargetHealth.UNKNOWN,
    "unhealthy": TargetHealth.UNHEALTHY,
    "unhealthy.draining": TargetHealth.DRAINING,
    # registered, but its zone is not enabled, or no listener leads to the group
    "unused": TargetHealth.UNHEALTHY,
}
"""What a target's state means:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (as of 2026-11)."""
WORST_FIRST: Final = (
    TargetHealth.DRAINING,
    TargetHealth.UNHEALTHY,
    TargetHealth.INITIAL,
    TargetHealth.UNKNOWN,
    TargetHealth.HEALTHY,
)
"""Of several groups, what the one says that is worst off."""


@frozen
class TargetGroups:
    """The groups that every node is in. A target is an instance's id, or a task's address."""

    _elbv2: Any
    _call: Calls
    _patience: Patience
    _arns: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self._arns)

    async def register(self, target: str) -> None:
        """Put a target into every group; one that is in it stays."""
        for arn in self._arns:
            await self._call(
                f"registering {target}",
                partial(self._elbv2.register_targets, TargetGroupArn=arn, Targets=[{"Id": target}]),
            )

    async def deregister(self, target: str) -> None:
        """Take a target out of every group and return when it has drained.

        Raises:
            CloudUnavailable: it still drains after the bound.
        """
        leaving = []
        for arn in self._arns:
            state = await self._state(arn, target)
            if state is None:
                continue
            leaving.append(arn)
            if HEALTH.get(state) is not TargetHealth.DRAINING:
                await self._leave(arn, target)
        for arn in leaving:
            await self._patience.until(partial(self._left, arn, target), f"{target} to drain")

    async def health(self) -> list[Target]:
        """Every target of the groups, sorted."""
        found: dict[str, Target] = {}
        for arn in self._arns:
            for description in await self._describe(arn):
                target = _target(description)
                known = found.get(target.id)
                if known is None or WORST_FIRST.index(target.health) < WORST_FIRST.index(known.health):
                    found[target.id] = target
        return sorted(found.values(), key=lambda target: target.id)

    async def _leave(self, arn: str, target: str) -> None:
        call = partial(self._elbv2.deregister_targets, TargetGroupArn=arn, Targets=[{"Id": target}])
        try:
            await self._call(f"deregistering {target}", call)
        except InvalidRequest as error:
            # it has ended in between
            if error.code != NO_TARGET:
                raise

    async def _left(self, arn: str, target: str) -> bool:
        return await self._state(arn, target) is None

    async def _state(self, arn: str, target: str) -> str | None:
        """What the group says of a target; None for one that is not in it."""
        try:
            found = await self._describe(arn, target)
        except InvalidRequest as error:
            if error.code != NO_TARGET:
                raise
            return None
        for description in found:
            health = description["TargetHealth"]
            if health.get("Reason") != NOT_REGISTERED:
                return str(health["State"])
        return None

    async def _describe(self, arn: str, target: str | None = None) -> list[Any]:
        only = {"Targets": [{"Id": target}]} if target else {}
        answer = await self._call(
            "reading the load balancer's targets",
            partial(self._elbv2.describe_target_health, TargetGroupArn=arn, **only),
        )
        descriptions: list[Any] = answer["TargetHealthDescriptions"]
        return descriptions


def _target(description: Mapping[str, Any]) -> Target:
    health = description["TargetHealth"]
    return Target(
        id=description["Target"]["Id"],
        health=HEALTH.get(health["State"], TargetHealth.UNKNOWN),
        reason=health.get("Description") or health.get("Reason") or "",
    )
