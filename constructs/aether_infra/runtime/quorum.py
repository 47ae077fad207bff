"""The arithmetic of the quorum: may a core node go?"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen


@frozen(kw_only=True)
class CoreNode:
    """A core node, as Aether sees it."""

    id: str
    """Aether's id."""
    on_duty: bool
    leader: bool = False


@frozen(kw_only=True)
class Verdict:
    """Whether a core node may go."""

    allowed: bool
    text: str
    """Why, with the numbers."""


def majority(voters: int) -> int:
    """How many voters a quorum needs."""
    return voters // 2 + 1


def may_go(core: Sequence[CoreNode], voters: int, leaving: str, *, allow_leader: bool = False) -> Verdict:
    """Whether a core node may leave without the cluster losing its quorum.

    Args:
        core: the core nodes that Aether knows.
        voters: how many there shall be; a majority of these is what a quorum needs, whoever is on duty.
        leaving: Aether's id of the one that leaves.
        allow_leader: whether the leader may go while others could go before it.
    """
    voters = max(voters, len(core))
    on_duty = [node for node in core if node.on_duty]
    rest = [node for node in on_duty if node.id != leaving]
    needed = majority(voters)
    count = f"{voters} core nodes, {len(on_duty)} on duty"
    said = f"{count}; without {leaving} {len(rest)} remain, a majority of {voters} is {needed}"
    if len(rest) < needed:
        return Verdict(
            allowed=False,
            text=f"{count}; without {leaving} it would leave {len(rest)} of {voters}, a majority needs {needed}",
        )
    if any(node.leader and node.id == leaving for node in core) and not allow_leader:
        return Verdict(allowed=False, text=f"{said}; but it is the leader, which goes last")
    return Verdict(allowed=True, text=f"{said}: allowed")
