"""Garbage: machines of this cluster that neither the journal nor Aether knows."""

from __future__ import annotations

from attrs import frozen

from aether_infra.runtime.observation import Observation, Phase


@frozen(kw_only=True)
class Orphan:
    """A machine that costs money and serves nobody."""

    node_id: str
    """The cloud's id."""
    zone: str
    age_seconds: float
    """How long it is there."""
    reason: str
    """Why it counts as one."""


def orphans(seen: Observation) -> list[Orphan]:
    """Machines that are tagged as this cluster's elastic nodes, older than a creation takes, and known to nobody.

    Nodes that are on duty are never among them: after a lost journal they are adopted. Where Aether does not answer,
    nothing is an orphan, as nobody can say who is on duty.
    """
    if not seen.reachable:
        return []
    return [
        Orphan(
            node_id=node.id,
            zone=node.zone,
            age_seconds=node.age_seconds,
            reason=f"no operation has made it, and it is not on duty {node.age_seconds:.0f} s after its creation",
        )
        for node in seen.elastic
        if node.phase is Phase.ORPHAN and not node.operation_id
    ]
