"""From load to a number of elastic nodes."""

from __future__ import annotations

import math

from attrs import frozen

from aether_infra.runtime.observation import Observation, Phase
from aether_infra.runtime.policy.model import Policy

SLACK = 1e-9
"""What rounding may add to a whole number without making it the next one."""


@frozen(kw_only=True)
class Recommendation:
    """How many elastic nodes the load wants."""

    count: int
    """The number, not bounded yet."""
    reason: str
    """Why, with the numbers."""
    load: float | None
    """Mean load of processors, 0-1; None where it is not known."""
    shrinkable: bool
    """Whether enough is known to do with less."""


def recommend(seen: Observation, keep: int, policy: Policy) -> Recommendation:
    """How many elastic nodes the load wants: more over the upper threshold, fewer under the lower one.

    Growth is proportional: as many as bring the load down to the target. A node whose load is not known counts as
    idle for growth, and forbids shrinking.

    Args:
        seen: the cluster.
        keep: the number to stay at while the load is between the thresholds.
        policy: the target.
    """
    serving = len(seen.serving)
    loads = [node.cpu for node in seen.serving if node.cpu is not None]
    silent = serving - len(loads)
    if not loads:
        what = f"no load is known of {serving} nodes on duty" if serving else "no node is on duty"
        return Recommendation(count=keep, reason=f"{what}: stays at {keep}", load=None, shrinkable=False)
    limits = seen.thresholds
    mean, cautious = sum(loads) / len(loads), sum(loads) / serving
    said = f"mean load {mean:.2f} of {serving} nodes"
    wanted = [(cautious, limits.cpu_up, policy.cpu_target, said)]
    if seen.calls_per_second is not None:
        rate = seen.calls_per_second / serving
        # the same share of the threshold as the processors' target is of theirs
        goal = limits.calls_up * policy.cpu_target / limits.cpu_up
        wanted.append((rate, limits.calls_up, goal, f"{rate:.0f} calls/s a node"))
    needs = [_needed(serving, value, goal) for value, _, goal, _ in wanted]
    for (value, upper, goal, text), need in zip(wanted, needs, strict=True):
        if value >= upper:
            count = max(keep, need - seen.core)
            reason = f"{text} is over {upper:g}: {need} would bring it to {goal:g}, that is {count} elastic"
            return Recommendation(count=count, reason=reason, load=mean, shrinkable=True)
    if silent:
        reason = f"{said}, and {silent} do not say: stays at {keep}"
        return Recommendation(count=keep, reason=reason, load=mean, shrinkable=False)
    lower = limits.cpu_down
    if mean < lower:
        need = max(needs)
        count = min(keep, max(0, need - seen.core))
        reason = f"{said} is under {lower:g}: {max(need, seen.core)} would do, that is {count} elastic"
        return Recommendation(count=count, reason=reason, load=mean, shrinkable=True)
    reason = f"{said} is between {lower:g} and {limits.cpu_up:g}: stays at {keep}"
    return Recommendation(count=keep, reason=reason, load=mean, shrinkable=True)


def too_many_unhealthy(seen: Observation, policy: Policy) -> str:
    """Why nothing may be done, as too many nodes are dead or lost at the same time; empty if it may."""
    counted = [node for node in seen.nodes if node.phase not in {Phase.LEAVING, Phase.HELD, Phase.ORPHAN}]
    bad = [node for node in counted if node.phase in {Phase.DEAD, Phase.LOST}]
    if len(bad) <= policy.unhealthy_allowed or len(bad) <= policy.unhealthy_share * len(counted):
        return ""
    return (
        f"{len(bad)} of {len(counted)} nodes are dead or lost, more than {policy.unhealthy_share:.0%}: "
        "nothing is done until they are fewer, as the fault is rather in the network or in what is seen"
    )


def _needed(serving: int, value: float, goal: float) -> int:
    """Nodes with which the same load would come to the goal."""
    return math.ceil(serving * value / goal - SLACK) if goal > 0 else serving
