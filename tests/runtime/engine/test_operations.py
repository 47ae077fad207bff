"""Operations from the request to the end, as a user sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_world import World, texts
from virtual_time import run

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.errors import InvalidRequest, NotFound
from aether_infra.runtime.fake.cloud import Effect, Fault
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.observation import Lifecycle, Phase
from aether_infra.runtime.operations import (
    ActivateNode,
    CreateNode,
    DeregisterTarget,
    DrainNode,
    Operation,
    OperationState,
    RegisterTarget,
    RemoveCoreNode,
    RemoveNode,
    Request,
    UpdateDns,
)
from aether_infra.runtime.refusals import (
    Busy,
    Fenced,
    KeyReused,
    OutOfBounds,
    Refused,
    TooLate,
    UnknownOperation,
)
from aether_infra.runtime.service import Service

Story = Callable[[World, Service], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a story with one program, in virtual time."""

    def go(story: Story, **cloud: Any) -> None:
        async def main() -> None:
            world = World.of(f"sqlite:///{tmp_path / 'journal.db'}", **cloud)
            async with world.program() as service:
                await story(world, service)

        run(main())

    return go


async def carried(world: World, service: Service, request: Request, **given: Any) -> Operation:
    """Ask, and wait until it is over."""
    operation = await service.engine.submit(request, **{"actor": "ann"} | given)
    (done,) = await world.settle(service, operation)
    return done


async def until(world: World, service: Service, operation: Operation, step: str) -> Operation:
    """Wait until an operation is at a step."""
    for _ in range(2000):
        operation = await service.engine.operation(operation.id)
        if operation.step == step or operation.over:
            break
        await world.calendar.sleep(0.2)
    assert operation.step == step, operation
    return operation


def test_a_node_is_created_joins_and_serves_and_goes_in_order(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        done = await carried(world, service, CreateNode(), reason="to try")
        assert done.state is OperationState.SUCCEEDED
        assert world.elastic() == [done.node_id]
        assert done.node_id in world.registered()
        assert done.zone == "zone-a"
        assert [line.split(" waiting")[0] for line in texts(await service.engine.history(done.id))] == [
            "submitted  to try",
            "started reserve",
            "skipped reserve",
            "started create",
            "done create i-0004 in zone-a",
            "started boot",
            "waiting boot",
            "done boot runs at 10.0.0.5",
            "started join",
            "waiting join",
            "done join on duty as node-10.0.0.5-8090",
            "started register",
            "done register",
            "ended  succeeded",
        ]
        world.cloud.calls.clear()
        gone = await carried(world, service, RemoveNode(node_id=done.node_id))
        assert gone.state is OperationState.SUCCEEDED
        assert world.elastic() == []
        lines = texts(await service.engine.history(gone.id))
        order = ["deregister", "drain it is DRAINING", "drained it is DECOMMISSIONED", "terminate", "gone"]
        found = [next(n for n, line in enumerate(lines) if line.startswith(f"done {each}")) for each in order]
        assert found == sorted(found)
        verbs = [verb for verb in world.cloud.calls if "node" in verb or "target" in verb]
        assert verbs.index("deregister_target") < verbs.index("terminate_node")

    play(story)


def test_the_same_key_gives_the_same_operation_and_another_request_is_refused(
    play: Callable[..., None],
) -> None:
    async def story(world: World, service: Service) -> None:
        first = await service.engine.submit(CreateNode(), actor="ann", idempotency_key="k")
        again = await service.engine.submit(CreateNode(), actor="ann", idempotency_key="k")
        assert first.id == again.id
        (done,) = await world.settle(service, first)
        assert (await service.engine.submit(CreateNode(), actor="ann", idempotency_key="k")).id == done.id
        other = await service.engine.submit(CreateNode(), actor="bob", idempotency_key="k")
        assert other.id != done.id, "a key is of one actor"
        with pytest.raises(KeyReused, match=done.id):
            await service.engine.submit(CreateNode(zone="zone-b"), actor="ann", idempotency_key="k")
        gone = await carried(world, service, RemoveNode(node_id=done.node_id), idempotency_key="r")
        again = await service.engine.submit(
            RemoveNode(node_id=done.node_id), actor="ann", idempotency_key="r"
        )
        assert again.id == gone.id, "also when the node is no more"

    play(story)


def test_what_would_do_harm_is_refused_with_the_numbers(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        engine = service.engine

        async def refused(request: Request, kind: type[Exception], text: str) -> None:
            with pytest.raises(kind, match=text):
                await engine.submit(request, actor="ann")
            plan = await engine.plan(request)
            assert not plan.allowed
            assert text.replace("\\", "") in plan.findings[0]

        await refused(RemoveNode(node_id="i-9999"), NotFound, "there is no node i-9999")
        await refused(RemoveNode(node_id="i-0002"), Refused, "i-0002 is the core node node-2")
        await refused(CreateNode(zone="zone-x"), InvalidRequest, 'there is no zone "zone-x"')
        await refused(
            RemoveCoreNode(node_id="i-0001"),
            Refused,
            "3 core nodes, 3 on duty; without node-1 2 remain, a majority of 3 is 2; but it is the leader",
        )
        await refused(DrainNode(node_id="i-0002"), Refused, "is the core node node-2, which is drained by")
        plan = await engine.plan(RemoveCoreNode(node_id="i-0002"))
        assert plan.allowed
        assert plan.findings == (
            "3 core nodes, 3 on duty; without node-2 2 remain, a majority of 3 is 2: allowed",
        )
        assert plan.steps[1].startswith("take i-0002 from the load balancer")
        done = await carried(world, service, RemoveCoreNode(node_id="i-0002"))
        assert done.state is OperationState.SUCCEEDED
        await refused(
            RemoveCoreNode(node_id="i-0003"),
            Refused,
            "3 core nodes, 2 on duty; without node-3 it would leave 1 of 3, a majority needs 2",
        )
        assert world.aether.lowest_core == 2
        refusals = [entry for entry in await service.journal.audits() if entry.result == "refused"]
        assert len(refusals) == 6
        assert refusals[-1].subject == "i-9999"

    play(story)


def test_there_are_never_more_nodes_than_the_most(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        results = await asyncio.gather(
            *(service.engine.submit(CreateNode(), actor="ann") for _ in range(12)), return_exceptions=True
        )
        refused = [each for each in results if isinstance(each, OutOfBounds)]
        assert len(refused) == 3
        assert "9 elastic nodes are there or on their way, and there may be 9 at the most" in str(refused[0])
        await world.settle(service)
        assert len(world.elastic()) == 9
        with pytest.raises(OutOfBounds, match=r"there may be 0 to 9 elastic nodes .*, got 10"):
            await service.engine.set_desired(10, actor="ann")

    play(story)


def test_a_node_is_never_chosen_twice(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        first = await service.engine.submit(RemoveNode(node_id=node), actor="ann")
        with pytest.raises(Busy, match=f"node {node} is taken by {first.id}") as raised:
            await service.engine.submit(DrainNode(node_id=node), actor="bob")
        assert raised.value.operation_id == first.id
        core = await service.engine.submit(RemoveCoreNode(node_id="i-0002"), actor="ann")
        with pytest.raises(Busy, match=f"core is taken by {core.id}"):
            await service.engine.submit(DrainNode(node_id="i-0003", allow_core=True), actor="bob")
        assert not (await service.engine.plan(RemoveNode(node_id=node))).allowed
        await world.settle(service)

    play(story)


@pytest.mark.parametrize("step", ["reserve", "create", "boot", "join", "register"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_creation_that_is_cancelled_leaves_nothing_behind(
    play: Callable[..., None], step: str, kind: Kind
) -> None:
    async def story(world: World, service: Service) -> None:
        world.cloud.faults.append(Fault(verb="create_node", effect=Effect.SLOW))
        world.cloud.faults.append(Fault(verb="register_target", effect=Effect.SLOW))
        operation = await service.engine.submit(CreateNode(), actor="ann")
        await service.engine.set_desired(0, actor="ann")
        if step != "reserve":
            await until(world, service, operation, step)
        await service.engine.cancel(operation.id, actor="bob")
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.CANCELLED
        assert world.elastic() == []
        assert world.cloud.replicas == 0
        assert not await service.journal.operations.open()

    play(story, kind=kind)


@pytest.mark.parametrize("step", ["deregister", "drain", "drained"])
def test_a_removal_that_is_cancelled_puts_the_node_back(play: Callable[..., None], step: str) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        operation = await service.engine.submit(RemoveNode(node_id=node), actor="ann")
        if step != "drain":  # too short to be met
            await until(world, service, operation, step)
        await service.engine.cancel(operation.id, actor="bob")
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.CANCELLED
        assert node in world.registered()
        assert len(world.aether.on_duty(world.cloud.machines[node].role)) == 1

    play(story)


def test_past_the_point_of_no_return_nothing_is_cancelled(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        operation = await service.engine.submit(RemoveNode(node_id=node), actor="ann")
        await until(world, service, operation, "terminate")
        with pytest.raises(TooLate, match="past its point of no return: terminate"):
            await service.engine.cancel(operation.id, actor="bob")
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.SUCCEEDED
        with pytest.raises(TooLate, match="has succeeded already"):
            await service.engine.cancel(operation.id, actor="bob")
        with pytest.raises(UnknownOperation):
            await service.engine.cancel("op-none", actor="bob")

    play(story)


@pytest.mark.parametrize("trouble", ["stuck", "refuses"])
@pytest.mark.parametrize("force", [False, True])
def test_a_node_that_does_not_drain_goes_back_into_service_unless_forced(
    play: Callable[..., None], trouble: str, *, force: bool
) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        getattr(world.aether, trouble).add(node)
        over = await carried(world, service, RemoveNode(node_id=node, force=force))
        if force:
            assert over.state is OperationState.SUCCEEDED
            assert world.cloud.machines[node].gone_at is not None
        else:
            assert over.state is OperationState.FAILED
            assert ("not drained in 600 s" if trouble == "stuck" else "refuses to drain") in over.error
            assert node in world.registered()
            assert world.aether.members()[over.facts["aether_id"]][1] is Lifecycle.ON_DUTY

    play(story)


def test_a_dead_node_is_not_waited_for(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        world.cloud.kill(node, listed=True)
        begun = world.calendar.now()
        over = await carried(world, service, RemoveNode(node_id=node))
        assert over.state is OperationState.SUCCEEDED
        assert world.calendar.now() - begun < 100
        lines = texts(await service.engine.history(over.id))
        assert "skipped drain Aether knows no such node: it has not joined, or is dead" in lines

    play(story)


def test_a_machine_that_cannot_be_ended_goes_back_into_service(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        world.cloud.faults.append(Fault(verb="terminate_node", effect=Effect.DENIED))
        over = await carried(world, service, RemoveNode(node_id=node))
        assert over.state is OperationState.FAILED
        assert "denied" in over.error
        assert node in world.registered()
        assert world.aether.members()[over.facts["aether_id"]][1] is Lifecycle.ON_DUTY

    play(story)


@pytest.mark.parametrize(
    ("effect", "state"),
    [
        (Effect.LOST_REPLY, OperationState.SUCCEEDED),
        (Effect.UNAVAILABLE, OperationState.SUCCEEDED),
        (Effect.THROTTLED, OperationState.SUCCEEDED),
        (Effect.CONFLICT, OperationState.SUCCEEDED),
        (Effect.SLOW, OperationState.SUCCEEDED),
        (Effect.DENIED, OperationState.FAILED),
        (Effect.QUOTA, OperationState.FAILED),
    ],
)
@pytest.mark.parametrize("verb", ["create_node", "register_target"])
def test_faults_of_the_cloud_pass_or_are_told_and_leave_nothing(
    play: Callable[..., None], verb: str, effect: Effect, state: OperationState
) -> None:
    async def story(world: World, service: Service) -> None:
        await service.engine.set_desired(1 if state is OperationState.SUCCEEDED else 0, actor="ann")
        await service.stop()
        world.cloud.faults.append(Fault(verb=verb, effect=effect))
        operation = await service.engine.submit(CreateNode(), actor="ann")
        await service.engine.set_desired(1 if state is OperationState.SUCCEEDED else 0, actor="ann")
        await service.start()
        (over,) = await world.settle(service, operation)
        assert over.state is state
        assert world.elastic() == ([over.node_id] if state is OperationState.SUCCEEDED else [])
        assert effect.value in over.error or state is OperationState.SUCCEEDED

    play(story)


def test_a_reply_that_is_lost_for_good_leaves_no_machine(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.cloud.faults.append(Fault(verb="create_node", effect=Effect.LOST_REPLY, times=5))
        operation = await service.engine.submit(CreateNode(), actor="ann")
        await service.engine.set_desired(0, actor="ann")
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.FAILED
        assert over.node_id == "", "it was never told"
        assert len(world.cloud.machines) == 4
        assert world.elastic() == []

    play(story)


def test_a_zone_without_room_is_told_and_remembered(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.cloud.out_of_stock.add("zone-b")
        over = await carried(world, service, CreateNode(zone="zone-b"))
        assert over.state is OperationState.FAILED
        assert "no room in zone-b" in over.error
        (cool_off,) = await service.journal.records.cool_offs(world.calendar.utc())
        assert cool_off.zone == "zone-b"
        assert cool_off.reason.startswith("no room in zone-b")

    play(story)


def test_the_quorum_is_looked_at_again_after_the_drain(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.aether.drain_seconds = 60
        operation = await service.engine.submit(RemoveCoreNode(node_id="i-0002"), actor="ann")
        await until(world, service, operation, "drained")
        world.cloud.kill("i-0003", listed=True)
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.FAILED
        assert "no quorum" in over.error or "a majority needs 2" in over.error
        assert {"i-0001", "i-0002"} <= set(world.core())
        assert "i-0002" in world.registered()
        assert world.aether.on_duty(NodeRole.CORE) == ["node-1", "node-2"], "back on duty: a quorum again"

    play(story)


def test_an_elastic_node_that_votes_goes_only_if_a_quorum_remains(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        world.aether.voters.add(node)
        world.cloud.kill("i-0003", listed=True)
        await world.calendar.sleep(30)
        over = await carried(world, service, RemoveNode(node_id=node, force=True))
        assert over.state is OperationState.SUCCEEDED, "two of three others are on duty"
        node = (await carried(world, service, CreateNode())).node_id
        other = (await carried(world, service, CreateNode())).node_id
        world.aether.voters |= {node, other}
        over = await carried(world, service, RemoveNode(node_id=node, force=True))
        assert over.state is OperationState.SUCCEEDED
        world.cloud.core = 5  # voters of a quorum, for the nodes
        over = await carried(world, service, RemoveNode(node_id=other))
        assert over.state is OperationState.FAILED
        assert "no quorum" in over.error or "votes" in over.error

    play(story)


def test_failures_count_only_in_a_row(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        operation = await service.engine.submit(CreateNode(), actor="ann")
        for _ in range(9):
            await until(world, service, operation, "boot")
            world.cloud.faults.append(Fault(verb="list_nodes", effect=Effect.UNAVAILABLE))
            await world.calendar.sleep(12)
        (over,) = await world.settle(service, operation)
        assert over.state is OperationState.SUCCEEDED
        retries = [line for line in texts(await service.engine.history(over.id)) if "retrying" in line]
        assert len(retries) > 5

    play(story, boot_seconds=150)


def test_who_is_not_sure_to_lead_does_nothing(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        operation = await service.engine.submit(CreateNode(), actor="ann")
        await service.stop()
        lease = await service.journal.leases.look()
        fence = await service.journal.leases.take("late", lease, world.calendar.utc())
        assert fence is not None
        sure = iter([True, False])
        with pytest.raises(Fenced):
            await service.engine.lead(fence, lambda: next(sure, False))
        assert world.elastic() == []
        assert (await service.engine.operation(operation.id)).step in {"", "reserve"}

    play(story)


def test_a_slow_drain_blocks_nobody(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        slow = (await carried(world, service, CreateNode())).node_id
        other = (await carried(world, service, CreateNode())).node_id
        world.aether.stuck.add(slow)
        waiting = await service.engine.submit(RemoveNode(node_id=slow), actor="ann")
        begun = world.calendar.now()
        await carried(world, service, RemoveNode(node_id=other))
        await carried(world, service, CreateNode())
        assert world.calendar.now() - begun < 200
        assert not (await service.engine.operation(waiting.id)).over
        await world.settle(service, waiting)

    play(story)


def test_a_drained_node_is_left_alone_until_it_is_activated(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        node = (await carried(world, service, CreateNode())).node_id
        await carried(world, service, DrainNode(node_id=node))
        assert node not in world.registered()
        await world.calendar.sleep(3000)
        assert world.elastic() == [node], "neither ended nor replaced"
        view = next(each for each in (await service.controller.observe()).nodes if each.id == node)
        assert view.phase is Phase.HELD
        done = await carried(world, service, ActivateNode(node_id=node))
        assert done.state is OperationState.SUCCEEDED
        assert node in world.registered()
        view = next(each for each in (await service.controller.observe()).nodes if each.id == node)
        assert view.phase is Phase.SERVING

    play(story)


def test_targets_and_dns(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await carried(world, service, DeregisterTarget(node_id="i-0001"))
        assert "i-0001" not in world.registered()
        await carried(world, service, RegisterTarget(node_id="i-0001"))
        assert "i-0001" in world.registered()
        record = DnsRecord(name="nodes.example.com", type="A", values=("10.0.0.1", "10.0.0.2"))
        world.cloud.faults.append(Fault(verb="update_dns_record", effect=Effect.LOST_REPLY))
        done = await carried(world, service, UpdateDns(record=record))
        assert done.state is OperationState.SUCCEEDED
        assert world.cloud.records == {("nodes.example.com", "A"): record}

    play(story)


def test_what_happens_can_be_followed_without_a_gap(play: Callable[..., None]) -> None:
    async def story(_world: World, service: Service) -> None:
        operation = await service.engine.submit(CreateNode(), actor="ann")
        seen: list[int] = []
        while not (await service.engine.operation(operation.id)).over:
            await service.engine.wait_for_news(seen[-1] if seen else 0, 30)
            seen += [line.sequence for line in await service.engine.happenings(seen[-1] if seen else 0)]
        whole = [line.sequence for line in await service.engine.happenings()]
        seen += [line.sequence for line in await service.engine.happenings(seen[-1])]
        assert seen == whole == sorted(set(whole))
        assert not await service.engine.wait_for_news(whole[-1], 3)

    play(story)
