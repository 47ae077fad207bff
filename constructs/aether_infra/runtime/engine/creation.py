"""Steps of a creation: number, machine, boot, join, load balancer."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.errors import AetherError
from aether_infra.runtime.engine.removal import deregister, leave_aether, terminate
from aether_infra.runtime.engine.steps import Done, GaveUp, Outcome, Step, Wait, Work
from aether_infra.runtime.errors import CapacityUnavailable, NotFound, QuotaExceeded
from aether_infra.runtime.journal.records import CoolOffRecord
from aether_infra.runtime.journal.roster import Known, Origin
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState
from aether_infra.runtime.operations import OperationKind, OperationState

ASKED: Final = "asked_at"
"""Fact: when the machine was asked for."""
SOUGHT_SECONDS: Final = 60.0
"""How long a machine is looked for whose creation may have come through although its answer never came: lists of clouds
lag behind by seconds (EC2's by up to some minutes; what comes later, the collector finds)."""


async def _reserve(work: Work) -> Outcome:
    """Where the cloud keeps a number, settle it before it is asked for: a second try must not count up again."""
    if work.manager.kind is not Kind.REPLICAS:
        return Done(skipped=True, facts={ASKED: work.calendar.utc().isoformat()})
    desired = len(await _present(work)) + 1
    return Done(
        text=f"{desired} elastic nodes with this one",
        changes={"desired": desired},
        facts={ASKED: work.calendar.utc().isoformat()},
    )


async def _present(work: Work) -> set[str]:
    """Elastic nodes that there are, those included that the cloud does not list yet."""
    known = await work.journal.snapshot()
    listed = await work.look.nodes()
    unlisted = {node.node_id for node in known.roster.values() if _stays(node)} | {
        operation.node_id
        for operation in known.operations
        if operation.kind is OperationKind.CREATE and operation.state is OperationState.RUNNING
    }
    unlisted -= {*listed, ""}
    return unlisted | {node.id for node in listed.values() if _elastic(node)}


async def _create(work: Work) -> Outcome:
    try:
        node = await work.manager.create_node(_spec(work))
    except CapacityUnavailable as error:
        record = CoolOffRecord(
            zone=work.request.get("zone") or "",
            size=work.request.get("size") or "",
            until=work.calendar.utc() + timedelta(seconds=work.options.cool_off_seconds),
            reason=str(error),
        )
        await work.journal.records.cool_off(record, work.fence)
        raise
    if not node.state.alive:
        raise GaveUp(f"{node.id} was ended before it ran")
    place = f" in {node.zone}" if node.zone else ""
    return Done(
        text=f"{node.id}{place}",
        changes={"node_id": node.id, "zone": node.zone},
        claims=(f"node {node.id}",),
    )


async def _uncreate(work: Work) -> Outcome:
    """End the machine, also one that we have never been told of."""
    if work.node_id:
        return await terminate(work)
    if not await _may_exist(work):
        return Done(skipped=True, text="nothing was asked for")
    counted = work.manager.kind is Kind.REPLICAS and work.operation.desired is not None
    node = await (_asked_again(work) if counted else _sought(work))
    if node is not None:
        await work.manager.terminate_node(node.id)
        return Done(text=f"{node.id} is gone")
    if counted or work.late:
        return Done(text="no machine of this creation has shown up")
    return Wait(text="looking whether a machine shows up after all")


async def _asked_again(work: Work) -> NodeInstance | None:
    """The node, where the number may be up with nobody told: the same request again says which node it has brought."""
    try:
        return await work.manager.create_node(_spec(work))
    except (CapacityUnavailable, QuotaExceeded):
        return None


async def _sought(work: Work) -> NodeInstance | None:
    """The node, where the cloud lists one of this token."""
    nodes = (await work.look.nodes()).values()
    return next((node for node in nodes if node.token == work.operation.token), None)


async def _boot(work: Work) -> Outcome:
    try:
        node = await work.look.node(work.node_id)
    except NotFound:
        node = None
    if node is not None and not node.state.alive:
        raise GaveUp(f"{node.id} is {node.state}: the cloud has ended it while it started")
    if node is not None and node.state is NodeState.RUNNING and node.address:
        return Done(
            text=f"runs at {node.address}",
            changes={"zone": node.zone or work.operation.zone},
            facts={"address": node.address},
        )
    if work.late:
        state = node.state if node else "not to be seen"
        raise GaveUp(f"{work.node_id} is {state} {work.options.boot_seconds:.0f} s after its creation")
    return Wait(text="waiting for the machine to run")


async def _join(work: Work) -> Outcome:
    identity = await _on_duty(work)
    if identity is not None:
        now = work.calendar.utc()
        known = Known(
            node_id=work.node_id,
            role=NodeRole.WORKER,
            origin=Origin.CREATED,
            aether_id=identity,
            first_seen_at=work.operation.created_at,
            on_duty_at=now,
        )
        await work.journal.roster.write([known], (), work.fence)
        return Done(text=f"on duty as {identity}" if identity else "ready", facts={"aether_id": identity})
    try:
        node = await work.look.node(work.node_id)
    except NotFound:
        raise GaveUp(f"{work.node_id} is gone before its node was on duty") from None
    if not node.state.alive:
        raise GaveUp(f"{work.node_id} is {node.state} before its node was on duty")
    if work.late:
        raise GaveUp(f"{work.node_id} is not on duty {work.options.boot_seconds:.0f} s after its creation")
    return Wait(text="waiting for the node to be on duty")


async def _on_duty(work: Work) -> str | None:
    """Aether's id of the node once it serves, empty where it has none that it tells; None while it does not."""
    address = str(work.facts["address"])
    identity = await work.aether.identify(address)
    if not identity:
        return "" if await work.aether.ready(address) else None
    try:
        membership = await work.look.membership()
    except AetherError:
        return None
    return identity if membership.on_duty(identity) else None


async def _register(work: Work) -> Outcome:
    try:
        await work.manager.register_target(work.node_id)
    except NotFound as error:
        raise GaveUp(f"{work.node_id} is gone: {error}") from error
    return Done()


async def _may_exist(work: Work) -> bool:
    """Whether the creating request can have gone out at all."""
    history = await work.journal.operations.history(work.operation.id)
    return any(line.step == "create" for line in history)


def _spec(work: Work) -> NodeSpec:
    return NodeSpec(
        token=work.operation.token,
        zone=work.request.get("zone"),
        size=work.request.get("size"),
        spot=work.request.get("spot"),
        tags=work.request.get("tags") or {},
        desired=work.operation.desired,
    )


def _stays(node: Known) -> bool:
    return node.role is not NodeRole.CORE and node.lost_at is None


def _elastic(node: NodeInstance) -> bool:
    return node.role is not NodeRole.CORE and node.state.alive


STEPS: Final = (
    Step(
        name="reserve",
        says="settle the number of elastic nodes, where the cloud keeps one",
        run=_reserve,
        exclusive=True,
    ),
    Step(
        name="create",
        says="create the machine, tagged as this cluster's in the same request",
        run=_create,
        undo=_uncreate,
        undo_seconds=lambda _: SOUGHT_SECONDS,
        exclusive=True,
    ),
    Step(
        name="boot",
        says="wait for the machine to run",
        run=_boot,
        bound_seconds=lambda options: options.boot_seconds,
        bound_since=ASKED,
    ),
    Step(
        name="join",
        says="wait for its node to be on duty in Aether",
        run=_join,
        undo=leave_aether,
        bound_seconds=lambda options: options.boot_seconds,
        bound_since=ASKED,
    ),
    Step(
        name="register",
        says="put it behind the load balancer",
        run=_register,
        undo=deregister,
    ),
)
"""Steps of a creation. There is no point of no return: a creation that is cancelled leaves nothing behind."""
