"""Which nodes go, and why."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from aether_infra.runtime.observation import Lifecycle, NodeView, Observation, Phase
from aether_infra.runtime.policy.model import Memory, Policy, Removal

UNFINISHED_SECONDS = 300.0
"""How long a node that somebody else has decommissioned is left, before its machine is ended: whoever did it may have
more in mind. Nodes themselves never end a machine."""


def must_go(seen: Observation, memory: Memory, policy: Policy) -> list[Removal]:
    """Nodes that go whatever the load is: dead ones, decommissioned ones. Those that an operation has are left to it.

    One whose removal failed is tried again after a while only.
    """
    going: list[Removal] = []
    for node in seen.elastic:
        if node.operation_id or _failed_lately(node, seen.at, memory, policy):
            continue
        if node.phase is Phase.DEAD:
            going.append(Removal(node_id=node.id, reason=_why_dead(node), force=True))
        elif (
            node.phase is Phase.LEAVING
            and node.lifecycle is Lifecycle.DECOMMISSIONED
            and node.lost_seconds >= UNFINISHED_SECONDS
        ):
            reason = f"decommissioned {node.lost_seconds:.0f} s ago, and its machine still runs"
            going.append(Removal(node_id=node.id, reason=reason))
    return going


def interrupted(seen: Observation, desired: int, memory: Memory, policy: Policy) -> list[Removal]:
    """Nodes that the cloud is about to take back and that are drained now: their replacement serves, or time runs out.

    Args:
        seen: the cluster.
        desired: how many elastic nodes there shall be.
        memory: which removals failed.
        policy: how long before.
    """
    staying = sum(1 for node in seen.elastic if node.phase is Phase.SERVING and node.interruption_at is None)
    going = []
    for node in seen.elastic:
        if node.interruption_at is None or node.operation_id or node.phase not in _TAKEN:
            continue
        if _failed_lately(node, seen.at, memory, policy):
            continue
        left = (node.interruption_at - seen.at).total_seconds()
        if staying >= desired:
            reason = f"the cloud takes it back in {max(0, left):.0f} s, and {staying} others serve"
        elif left <= policy.notice_seconds:
            reason = f"the cloud takes it back in {max(0, left):.0f} s"
        else:
            continue
        going.append(Removal(node_id=node.id, reason=reason, force=True))
    return going


def surplus(seen: Observation, count: int, memory: Memory, policy: Policy) -> list[Removal]:
    """The nodes whose going hurts least: not on duty yet, then in the zone with the most, then the idlest, the newest.

    Never a core node, never one that votes, never the leader.

    Args:
        seen: the cluster.
        count: how many.
        memory: which removals failed.
        policy: for how long those are left alone.
    """
    candidates = [
        node
        for node in seen.elastic
        if node.phase in _TAKEN
        and not node.operation_id
        and not node.leader
        and not node.votes
        and node.interruption_at is None
        and not _failed_lately(node, seen.at, memory, policy)
    ]
    zones = Counter(node.zone for node in seen.elastic if node.phase in _TAKEN)
    chosen: list[Removal] = []
    while candidates and len(chosen) < count:
        node = min(candidates, key=lambda each: _cost(each, zones))
        candidates.remove(node)
        why = "does not serve yet" if node.phase is not Phase.SERVING else _why_this(node, zones)
        zones[node.zone] -= 1
        chosen.append(Removal(node_id=node.id, reason=why))
    return chosen


_TAKEN = frozenset({Phase.SERVING, Phase.BOOTING, Phase.LOST})
"""Phases of nodes that serve or will."""


def _cost(node: NodeView, zones: Counter[str]) -> tuple[bool, int, float, float, str]:
    load = 1.0 if node.cpu is None else round(node.cpu, 2)
    born = node.created_at.timestamp() if node.created_at else 0.0
    return (node.phase is Phase.SERVING, -zones[node.zone], load, -born, node.id)


def _why_this(node: NodeView, zones: Counter[str]) -> str:
    load = "of unknown load" if node.cpu is None else f"at a load of {node.cpu:.2f}"
    if node.zone and sum(1 for count in zones.values() if count) > 1:
        return f"{load}, in {node.zone}, which has {zones[node.zone]}"
    return load


def _why_dead(node: NodeView) -> str:
    if node.lost_seconds:
        return f"not seen on duty for {node.lost_seconds:.0f} s"
    return f"not on duty {node.age_seconds:.0f} s after its creation"


def _failed_lately(node: NodeView, at: datetime, memory: Memory, policy: Policy) -> bool:
    failed = memory.removal_failures.get(node.id)
    return failed is not None and (at - failed).total_seconds() < policy.shrink_after_failure_seconds
