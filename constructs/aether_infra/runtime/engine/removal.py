"""Steps of a removal: preflight, load balancer, drain, end, verify. Each works for elastic and for core nodes."""

from __future__ import annotations

from typing import Any, Final

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.client import Membership
from aether_infra.runtime.aether.errors import (
    AetherError,
    AetherRefused,
    AetherUnavailable,
    AetherUnsupported,
)
from aether_infra.runtime.engine.steps import Context, Done, GaveUp, Outcome, Step, Wait, Work
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.model import NodeInstance, NodeState
from aether_infra.runtime.observation import Lifecycle
from aether_infra.runtime.operations import OperationKind
from aether_infra.runtime.quorum import CoreNode, Verdict, may_go

LEFT: Final = frozenset({Lifecycle.DECOMMISSIONED, Lifecycle.SHUTTING_DOWN})
"""States in which a node has nothing to do any more."""


async def find(work: Work) -> NodeInstance | None:
    """The node as the cloud has it now; None if it is gone."""
    try:
        node = await work.manager.get_node(work.node_id)
    except NotFound:
        return None
    return None if node.state is NodeState.TERMINATED else node


async def facts_of(work: Work, node: NodeInstance) -> dict[str, Any]:
    """What has to be known of a node before anything is taken from it, for the way there and the way back."""
    identity = node.node_id
    if not identity and node.address:
        identity = await work.aether.identify(node.address)
    if not identity:
        known = await work.journal.roster.get(node.id)
        identity = known.aether_id if known else ""
    targets = await work.look.targets()
    return {
        "aether_id": identity,
        "address": node.address,
        "registered": node.id in targets,
        "role": node.role.value,
    }


async def judge(work: Work, aether_id: str, *, allow_leader: bool) -> Verdict:
    """Whether a core node may leave, by what Aether says in this moment.

    Raises:
        AetherError: nobody answers.
    """
    membership = await work.look.membership(0)
    if membership.quorum is False:
        return Verdict(allowed=False, text="Aether has no quorum: no core node may go")
    return may_go(
        await core_nodes(work, membership), work.settings.core_nodes, aether_id, allow_leader=allow_leader
    )


async def core_nodes(work: Context, membership: Membership) -> list[CoreNode]:
    """The core nodes that Aether knows: those that it calls so, and those whose tags do, where it does not say."""
    nodes = (await work.look.nodes()).values()
    tagged = {node.node_id for node in nodes if node.role is NodeRole.CORE and node.node_id}
    return [
        CoreNode(
            id=member.id,
            on_duty=membership.on_duty(member.id),
            leader=member.id == membership.leader_id,
        )
        for member in membership.members.values()
        if member.id in tagged or member.role is NodeRole.CORE
    ]


async def _preflight(work: Work) -> Outcome:
    node = await find(work)
    if node is None:
        return Done(text=f"{work.node_id} is gone already", facts={"gone": True})
    if node.role is NodeRole.CORE:
        raise GaveUp(f"{node.id} is a core node, which goes by explicit command only")
    found = await facts_of(work, node)
    forced = bool(work.request.get("force"))
    try:
        membership = await work.look.membership(0)
    except AetherUnavailable:
        if not forced:
            raise
        return Done(facts=found)
    if membership.quorum is False and not forced:
        raise GaveUp("Aether has no quorum, and nothing can be drained without one")
    member = membership.members.get(found["aether_id"])
    if member is None or member.role is not NodeRole.CORE:
        return Done(facts=found)
    # Aether makes voters of elastic nodes where core nodes are missing
    verdict = await judge(work, member.id, allow_leader=False)
    if not verdict.allowed:
        raise GaveUp(f"{node.id} votes: {verdict.text}")
    return Done(text=f"{node.id} votes: {verdict.text}", facts=found | {"votes": True})


async def _preflight_core(work: Work) -> Outcome:
    node = await find(work)
    if node is None:
        return Done(text=f"{work.node_id} is gone already", facts={"gone": True})
    found = await facts_of(work, node)
    verdict = await judge(work, found["aether_id"], allow_leader=bool(work.request.get("allow_leader")))
    if not verdict.allowed:
        raise GaveUp(verdict.text)
    return Done(text=verdict.text, facts=found)


async def preflight_drain(work: Work) -> Outcome:
    """Before a node is drained without being ended."""
    node = await find(work)
    if node is None:
        raise GaveUp(f"{work.node_id} is gone")
    found = await facts_of(work, node)
    if node.role is not NodeRole.CORE:
        return Done(facts=found)
    verdict = await judge(work, found["aether_id"], allow_leader=True)
    if not verdict.allowed:
        raise GaveUp(verdict.text)
    return Done(text=verdict.text, facts=found)


async def _quorum(work: Work) -> Outcome:
    """Look at the quorum again: others may have gone while this one was drained."""
    votes = work.facts.get("votes") or work.facts.get("role") == NodeRole.CORE
    if work.facts.get("gone") or not votes:
        return Done(skipped=True)
    verdict = await judge(work, str(work.facts["aether_id"]), allow_leader=True)
    if not verdict.allowed:
        raise GaveUp(verdict.text)
    return Done(text=verdict.text)


async def deregister(work: Work) -> Outcome:
    """Take a node from the load balancer; the manager waits for its open requests."""
    if work.facts.get("gone"):
        return Done(skipped=True)
    await work.manager.deregister_target(work.node_id)
    return Done()


async def register_again(work: Work) -> Outcome:
    """Put a node back behind the load balancer if it was there."""
    if not work.facts.get("registered"):
        return Done(skipped=True, text="it was not behind the load balancer")
    try:
        await work.manager.register_target(work.node_id)
    except NotFound:
        return Done(skipped=True, text="it is gone")
    return Done()


async def _drain(work: Work) -> Outcome:
    identity, forced = str(work.facts.get("aether_id", "")), bool(work.request.get("force"))
    if work.facts.get("gone"):
        return Done(skipped=True)
    if not identity:
        return _undrained(work, "its node says no id: it has not joined, or does not answer")
    reason = ""
    try:
        nothing = _nothing_to_drain(work, identity, await work.look.membership())
        return nothing or Done(text=f"it is {await work.aether.drain(identity)}")
    except AetherUnsupported as error:
        return _undrained(work, f"these nodes cannot be drained: {error}")
    except AetherRefused as error:
        reason = f"it refuses to drain: {error}"
    except AetherError as error:
        if not work.late:
            return Wait(text=f"waiting for Aether to answer: {error}")
        reason = f"it cannot be drained: {error}"
    if not forced:
        raise GaveUp(reason)
    return _undrained(work, reason)


def _nothing_to_drain(work: Work, identity: str, membership: Membership) -> Done | None:
    """Why a node need not be drained; None if it must."""
    member = membership.members.get(identity)
    if member is None:
        return _undrained(work, "Aether knows no such node: it has not joined, or is dead")
    if member.lifecycle is Lifecycle.JOINING:
        return _undrained(work, "it has not joined yet: there is nothing to drain")
    if member.lifecycle in LEFT:
        return Done(skipped=True, text=f"it is {member.lifecycle} already")
    return None


async def _drained(work: Work) -> Outcome:
    identity = str(work.facts.get("aether_id", ""))
    if work.facts.get("gone") or work.facts.get("undrained"):
        return Done(skipped=True)
    reason = ""
    try:
        membership = await work.look.membership()
        member = membership.members.get(identity)
        if member is None:
            return Done(text="it is a member no more")
        if member.lifecycle in LEFT:
            return Done(text=f"it is {member.lifecycle}")
        if member.lifecycle is Lifecycle.ON_DUTY:
            # somebody has put it back, or the node has forgotten: say it again
            await work.aether.drain(identity)
        reason = f"it is {member.lifecycle}"
    except AetherRefused as error:
        reason = str(error)
    except AetherError as error:
        reason = f"nobody answers: {error}"
    if not work.late:
        return Wait(text="waiting for the node to be drained")
    late = f"not drained in {work.options.drain_seconds:.0f} s: {reason}"
    if work.request.get("force"):
        return _undrained(work, late)
    raise GaveUp(late)


async def undrain(work: Work) -> Outcome:
    """Put a node back on duty that was about to be drained, or has been."""
    identity = str(work.facts.get("aether_id", ""))
    if not identity or work.facts.get("gone"):
        return Done(skipped=True)
    member = (await work.look.membership(0)).members.get(identity)
    if member is None:
        return Done(skipped=True, text="Aether knows it no more")
    if member.lifecycle not in {Lifecycle.DRAINING, Lifecycle.DECOMMISSIONED}:
        return Done(skipped=True, text=f"it is {member.lifecycle or 'a member'}")
    return Done(text=f"it is {await work.aether.activate(identity)}")


async def leave_aether(work: Work) -> Outcome:
    """Drain a node as far as it goes within its time: it is ended whatever comes of it."""
    address = str(work.facts.get("address", ""))
    identity = str(work.facts.get("aether_id", "")) or (
        await work.aether.identify(address) if address else ""
    )
    if not identity:
        return Done(skipped=True, text="it has not joined")
    try:
        member = (await work.look.membership()).members.get(identity)
        if member is None or member.lifecycle in LEFT or member.lifecycle in {None, Lifecycle.JOINING}:
            return Done(text="it has left" if member else "it is no member")
        if member.lifecycle is Lifecycle.ON_DUTY:
            await work.aether.drain(identity)
    except AetherError as error:
        if work.late:
            return Done(skipped=True, text=f"not drained: {error}")
    if work.late:
        return Done(skipped=True, text="not drained in time")
    return Wait(text="waiting for the node to be drained")


async def terminate(work: Work) -> Outcome:
    """End an elastic node; the manager returns when the cloud says that it is gone."""
    if work.facts.get("gone"):
        return Done(skipped=True)
    await work.manager.terminate_node(work.node_id)
    return Done()


async def _terminate_core(work: Work) -> Outcome:
    if work.facts.get("gone"):
        return Done(skipped=True)
    await work.manager.terminate_core_node(work.node_id)
    return Done()


async def still_runs(work: Work) -> bool:
    """Whether a node that could not be ended is untouched, so that it can go back into service."""
    node = await find(work)
    return node is not None and node.state is NodeState.RUNNING


async def gone(work: Work) -> Outcome:
    """Look for ourselves: what was begun and never looked at again is how machines live on."""
    node = await find(work)
    if node is None:
        await work.journal.roster.write((), (work.node_id,), work.fence)
        return Done(text=f"{work.node_id} is gone")
    if work.late:
        raise GaveUp(f"{work.node_id} is still {node.state}, {work.options.gone_seconds:.0f} s after its end")
    return Wait(text=f"waiting for {work.node_id} to be gone")


def _undrained(work: Work, why: str) -> Done:
    """Go on without a drain, unless the drain is all that was asked for."""
    if work.operation.kind is OperationKind.DRAIN:
        raise GaveUp(why)
    return Done(skipped=True, text=why, facts={"undrained": True})


DEREGISTER: Final = Step(
    name="deregister",
    says="take {node} from the load balancer and wait until its open requests had their time",
    run=deregister,
    undo=register_again,
)
DRAIN: Final = Step(
    name="drain",
    says="drain {node} in Aether",
    run=_drain,
    undo=undrain,
    bound_seconds=lambda options: options.drain_seconds,
)
DRAINED: Final = Step(
    name="drained",
    says="wait until Aether says that {node} is decommissioned",
    run=_drained,
    bound_seconds=lambda options: options.drain_seconds,
)
GONE: Final = Step(
    name="gone",
    says="look whether {node} is really gone",
    run=gone,
    bound_seconds=lambda options: options.gone_seconds,
    final=True,
)
TERMINATE: Final = Step(
    name="terminate",
    says="end the machine of {node} and wait until the cloud says that it is gone",
    run=terminate,
    final=True,
    revocable=still_runs,
    exclusive=True,
)
QUORUM: Final = Step(name="quorum", says="look again whether a quorum remains, if {node} votes", run=_quorum)
STEPS: Final = (
    Step(name="preflight", says="look whether {node} may go", run=_preflight),
    DEREGISTER,
    DRAIN,
    DRAINED,
    QUORUM,
    TERMINATE,
    GONE,
)
"""Steps of an elastic node's removal."""
CORE_STEPS: Final = (
    Step(name="preflight", says="look whether a quorum remains without {node}", run=_preflight_core),
    DEREGISTER,
    DRAIN,
    DRAINED,
    QUORUM,
    Step(
        name="terminate",
        says="end the machine of {node} and wait until the cloud says that it is gone",
        run=_terminate_core,
        final=True,
        revocable=still_runs,
    ),
    GONE,
)
"""Steps of a core node's removal."""
