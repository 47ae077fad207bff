"""Steps of what puts nodes into service or out of it without making or ending any, of DNS, and of collecting."""

from __future__ import annotations

from typing import Final

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.errors import AetherError, AetherRefused
from aether_infra.runtime.engine.removal import (
    DEREGISTER,
    DRAIN,
    DRAINED,
    GONE,
    TERMINATE,
    deregister,
    facts_of,
    find,
    preflight_drain,
)
from aether_infra.runtime.engine.steps import Done, GaveUp, Outcome, Step, Wait, Work
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.observation import Lifecycle


async def _hold(work: Work) -> Outcome:
    role = NodeRole(work.facts.get("role", NodeRole.WORKER))
    await work.journal.roster.hold(work.node_id, role, work.calendar.utc(), work.fence, held=True)
    return Done(text="its machine stays until it is activated or removed")


async def _look(work: Work) -> Outcome:
    node = await find(work)
    if node is None:
        raise GaveUp(f"{work.node_id} is gone")
    return Done(facts=await facts_of(work, node))


async def _activate(work: Work) -> Outcome:
    identity = str(work.facts["aether_id"])
    if not identity:
        raise GaveUp(f"{work.node_id} says no id: its node does not answer")
    try:
        state = await work.aether.activate(identity)
    except AetherRefused as error:
        raise GaveUp(str(error)) from error
    return Done(text=f"it is {state}")


async def _serves(work: Work) -> Outcome:
    identity = str(work.facts["aether_id"])
    try:
        member = (await work.look.membership()).members.get(identity)
    except AetherError:
        member = None
    if member is not None and member.lifecycle in {None, Lifecycle.ON_DUTY}:
        role = NodeRole(work.facts["role"])
        await work.journal.roster.hold(work.node_id, role, work.calendar.utc(), work.fence, held=False)
        return Done(text="it is on duty")
    if work.late:
        raise GaveUp(f"not on duty {work.options.boot_seconds:.0f} s after its activation")
    return Wait(text="waiting for the node to be on duty")


async def _register(work: Work) -> Outcome:
    try:
        await work.manager.register_target(work.node_id)
    except NotFound as error:
        raise GaveUp(str(error)) from error
    return Done()


async def _dns(work: Work) -> Outcome:
    record = dict(work.request["record"])
    await work.manager.update_dns_record(DnsRecord(**record | {"values": tuple(record["values"])}))
    return Done(text=f"{record['name']} {record['type']}")


async def _orphan(work: Work) -> Outcome:
    """Make sure in the last moment that nobody needs the machine."""
    node = await find(work)
    if node is None:
        return Done(text=f"{work.node_id} is gone already", facts={"gone": True})
    if node.role is NodeRole.CORE:
        raise GaveUp(f"{node.id} is a core node")
    creation = (await work.journal.operations.tokens([node.token])).get(node.token)
    if creation is not None and not creation.over:
        raise GaveUp(f"{node.id} is being made by {creation.id}")
    identity = await work.aether.identify(node.address) if node.address else ""
    membership = await work.look.membership(0)
    if identity and membership.on_duty(identity):
        raise GaveUp(f"{node.id} is on duty as {identity}: it is adopted, and not ended")
    return Done(facts={"role": node.role.value, "aether_id": identity})


REGISTER_STEPS: Final = (Step(name="register", says="put {node} behind the load balancer", run=_register),)
DEREGISTER_STEPS: Final = (Step(name="deregister", says=DEREGISTER.says, run=deregister),)
DRAIN_STEPS: Final = (
    Step(name="preflight", says="look whether {node} may be drained", run=preflight_drain),
    DEREGISTER,
    DRAIN,
    DRAINED,
    Step(name="hold", says="leave the machine of {node} alone until somebody says otherwise", run=_hold),
)
ACTIVATE_STEPS: Final = (
    Step(name="preflight", says="look at {node}", run=_look),
    Step(name="activate", says="put {node} back on duty in Aether", run=_activate),
    Step(
        name="serves",
        says="wait until Aether says that {node} is on duty",
        run=_serves,
        bound_seconds=lambda options: options.boot_seconds,
    ),
    Step(name="register", says="put {node} behind the load balancer", run=_register),
)
DNS_STEPS: Final = (Step(name="update", says="make the DNS record what it shall be", run=_dns),)
COLLECT_STEPS: Final = (
    Step(name="preflight", says="make sure that nobody knows {node}", run=_orphan),
    Step(name="deregister", says=DEREGISTER.says, run=deregister),
    TERMINATE,
    GONE,
)
