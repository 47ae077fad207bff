"""The controller over a cluster in memory: growth, shrinking, death, interruption, adoption, garbage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from runtime_world import World, texts
from virtual_time import run

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.fake.cloud import Effect, Fault
from aether_infra.runtime.journal.operations import Query
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.observation import Phase
from aether_infra.runtime.operations import (
    CreateNode,
    DeregisterTarget,
    DrainNode,
    Operation,
    OperationKind,
    OperationState,
    RemoveNode,
)
from aether_infra.runtime.service import Service

Story = Callable[[World, Service], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a story with one program, in virtual time."""

    def go(story: Story, *, prepare: Callable[[World], None] | None = None, **given: Any) -> None:
        async def main() -> None:
            options = {key: given.pop(key) for key in ("collect", "tick_seconds") if key in given}
            world = World.of(f"sqlite:///{tmp_path / 'journal.db'}", **given)
            if prepare:
                prepare(world)
            async with world.program(**options) as service:
                await story(world, service)

        run(main())

    return go


async def operations(service: Service, kind: OperationKind) -> list[Operation]:
    return await service.journal.operations.find(Query(kinds=[kind]))


@pytest.mark.parametrize("kind", list(Kind))
def test_it_grows_with_the_load_and_shrinks_when_it_is_gone(play: Callable[..., None], kind: Kind) -> None:
    async def story(world: World, service: Service) -> None:
        world.aether.demand = 5.0
        await world.calendar.sleep(600)
        grown = len(world.elastic())
        assert 5 <= grown + 3 <= 10
        assert len(world.registered()) == grown + 3
        decisions = await service.controller.decisions()
        assert any("is over 0.8" in each.reason for each in decisions)
        world.aether.demand = 0.2
        await world.calendar.sleep(270)
        assert len(world.elastic()) == grown, "not before it was so for five minutes"
        await world.calendar.sleep(5400)
        assert world.elastic() == []
        removals = await operations(service, OperationKind.REMOVE)
        assert {each.state for each in removals} == {OperationState.SUCCEEDED}
        spans = sorted((each.created_at, each.finished_at) for each in removals)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans) if end)
        assert world.aether.lowest_core == 3

    play(story, kind=kind)


def test_dead_machines_are_replaced_and_ended(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await service.engine.set_desired(3, actor="ann")
        await world.calendar.sleep(200)
        gone, hung, _ = world.elastic()
        world.cloud.kill(gone)
        world.cloud.kill(hung, listed=True)
        await world.calendar.sleep(900)
        alive = world.elastic()
        assert len(alive) == 3
        assert not {gone, hung} & set(alive)
        (removal,) = await operations(service, OperationKind.REMOVE)
        assert removal.node_id == hung
        assert removal.reason.startswith("not seen on duty for 3")

    play(story)


def test_a_node_that_never_joins_leaves_nothing_and_creation_pauses(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.aether.never_joins = {f"i-{n:04d}" for n in range(4, 40)}
        await service.engine.set_desired(1, actor="ann")
        await world.calendar.sleep(5000)
        failed = [each for each in await operations(service, OperationKind.CREATE) if each.state == "failed"]
        assert 2 <= len(failed) <= 5, "each pause is longer than the one before"
        assert "is not on duty 900 s after its creation" in failed[0].error
        assert len(world.elastic()) <= 1
        holds = [hold for each in await service.controller.decisions(500) for hold in each.holds]
        assert any("1 missing; creation failed 2 times in a row, next in" in hold for hold in holds)
        world.aether.never_joins.clear()
        await world.calendar.sleep(2500)
        assert len(world.elastic()) == 1
        assert service.controller.last is not None
        assert service.controller.last.serving == 1

    play(story)


def test_an_interrupted_node_is_replaced_before_it_goes(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await service.engine.set_desired(2, actor="ann")
        await world.calendar.sleep(200)
        taken = world.elastic()[0]
        world.cloud.interrupt(taken, notice_seconds=300)
        await world.calendar.sleep(280)
        assert taken not in world.elastic(), "gone in order, before the cloud took it"
        (removal,) = await operations(service, OperationKind.REMOVE)
        assert removal.state is OperationState.SUCCEEDED
        assert "the cloud takes it back in" in removal.reason
        assert "done drained it is DECOMMISSIONED" in texts(await service.engine.history(removal.id))
        replacement = (await operations(service, OperationKind.CREATE))[0]
        assert replacement.created_at < removal.created_at
        assert len(world.elastic()) == 2

    play(story)


def test_after_a_lost_journal_nodes_on_duty_are_adopted_and_the_others_told(
    play: Callable[..., None],
) -> None:
    async def story(world: World, service: Service) -> None:
        adopted = {world.cloud.add(age_seconds=5000).id for _ in range(2)}
        orphan = world.cloud.add(age_seconds=2000)
        young = world.cloud.add(age_seconds=60)
        world.aether.never_joins |= {orphan.id, young.id}
        await world.calendar.sleep(60)
        assert adopted <= set(await service.journal.roster.all())
        found = await service.controller.orphans()
        assert [each.node_id for each in found] == [orphan.id]
        assert "no operation has made it" in found[0].reason
        await world.calendar.sleep(300)
        assert orphan.id in world.elastic(), "only told, unless collecting is on"
        assert adopted <= set(world.elastic())

    play(story)


def test_a_node_on_duty_that_gets_no_traffic_is_registered_unless_somebody_wants_it_so(
    play: Callable[..., None],
) -> None:
    async def story(world: World, service: Service) -> None:
        adopted, wanted = world.cloud.add(age_seconds=500).id, world.cloud.add(age_seconds=500).id
        await service.engine.submit(DeregisterTarget(node_id=wanted), actor="ann")
        await world.calendar.sleep(120)
        assert adopted in world.registered()
        assert wanted not in world.registered()
        (repair,) = await operations(service, OperationKind.REGISTER)
        assert (repair.node_id, repair.actor) == (adopted, "controller")
        for machine in world.cloud.machines.values():
            machine.registered = False
        await world.calendar.sleep(300)
        assert world.registered() == [], "nothing at all is registered: there is no load balancer"

    play(story)


def test_orphans_are_ended_where_that_is_wanted(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        orphan = world.cloud.add(age_seconds=2000)
        late = world.cloud.add(age_seconds=100)
        world.aether.never_joins |= {orphan.id, late.id}
        await world.calendar.sleep(120)
        assert world.elastic() == [late.id]
        (collected,) = await operations(service, OperationKind.COLLECT)
        assert (collected.node_id, collected.state) == (orphan.id, OperationState.SUCCEEDED)
        await world.calendar.sleep(900)
        assert world.elastic() == []
        assert world.aether.lowest_core == 3

    play(story, collect=True)


def test_where_aether_is_silent_nothing_is_done_at_all(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await service.engine.set_desired(2, actor="ann")
        await world.calendar.sleep(200)
        before = world.elastic()
        world.aether.silent.add("*")
        old = world.cloud.add(age_seconds=5000)
        await world.calendar.sleep(3000)
        assert world.elastic() == [*before, old.id]
        last = service.controller.last
        assert last is not None
        assert last.reason.startswith("no node answers on Aether's management API")
        assert await service.controller.orphans() == []
        world.aether.silent.clear()
        await world.calendar.sleep(120)
        assert last is not service.controller.last

    play(story, collect=True)


def test_without_a_mandate_it_decides_and_does_nothing(play: Callable[..., None]) -> None:
    def unmanaged(world: World) -> None:
        world.settings = evolve(world.settings, managed=False)
        world.aether.demand = 9

    async def story(world: World, service: Service) -> None:
        await world.calendar.sleep(300)
        assert world.elastic() == []
        last = service.controller.last
        assert last is not None
        assert last.reason.startswith("the number is the cloud's own autoscaler's; otherwise: mean load")
        operation = await service.engine.submit(CreateNode(), actor="ann")
        (done,) = await world.settle(service, operation)
        assert done.state is OperationState.SUCCEEDED, "what a person asks for is done all the same"

    play(story, prepare=unmanaged)


@pytest.mark.parametrize("verb", ["list_nodes", "list_targets", "*"])
def test_no_error_ends_the_loop(play: Callable[..., None], verb: str) -> None:
    async def story(world: World, service: Service) -> None:
        world.cloud.faults += [
            Fault(verb=verb, effect=effect, times=3) for effect in (Effect.DENIED, Effect.UNAVAILABLE)
        ]
        world.aether.controller = {"cpuScaleUpThreshold": float("nan")}
        await service.engine.set_desired(1, actor="ann")
        await world.calendar.sleep(1200)
        assert len(world.elastic()) == 1

    play(story)


def test_what_people_do_is_not_taken_back(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.aether.demand = 1.5
        await world.calendar.sleep(60)
        for _ in range(2):
            await service.engine.submit(CreateNode(), actor="ann")
        await world.settle(service)
        await world.calendar.sleep(1000)
        assert len(world.elastic()) == 2, "between the thresholds they stay"
        await service.engine.submit(RemoveNode(node_id=world.elastic()[0]), actor="ann")
        await world.settle(service)
        await world.calendar.sleep(1000)
        assert len(world.elastic()) == 1, "and what was removed does not come back"
        await service.engine.submit(RemoveNode(node_id=world.elastic()[0], replace=True), actor="ann")
        await world.calendar.sleep(1000)
        assert len(world.elastic()) == 1, "unless it was to be replaced"
        await service.engine.set_desired(2, actor="ann")
        await world.calendar.sleep(300)
        await service.engine.submit(CreateNode(), actor="ann")
        await world.settle(service)
        assert (await service.engine.desired()).count == 3, "a fixed number moves with it"
        await service.engine.submit(DrainNode(node_id=world.elastic()[0]), actor="ann")
        await world.calendar.sleep(600)
        assert (await service.engine.desired()).count == 2
        assert len(world.elastic()) == 3

    play(story)


def test_a_preview_changes_nothing(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await world.calendar.sleep(30)
        decision = await service.controller.preview(4)
        assert (decision.desired, decision.create) == (4, 4)
        await world.calendar.sleep(60)
        assert world.elastic() == []
        assert (await service.engine.desired()).count is None

    play(story)


def test_what_is_seen_of_each_node(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        world.aether.demand = 1.0
        await service.engine.set_desired(1, actor="ann")
        await world.calendar.sleep(25)
        seen = await service.controller.observe()
        assert [node.phase for node in seen.nodes] == [Phase.SERVING] * 3 + [Phase.BOOTING]
        assert seen.leader_id == "node-1"
        core, elastic = seen.nodes[0], seen.nodes[-1]
        assert (core.role, core.leader, core.aether_id) == (NodeRole.CORE, True, "node-1")
        assert core.cpu == pytest.approx(1 / 3)
        assert core.heap == 0.25
        assert elastic.operation_id
        await world.calendar.sleep(120)
        elastic = (await service.controller.observe()).nodes[-1]
        assert (elastic.phase, elastic.aether_id) == (Phase.SERVING, "node-10.0.0.5-8090")
        assert elastic.target == "healthy"

    play(story)


def test_what_the_cloud_does_not_list_yet_is_not_made_again(play: Callable[..., None]) -> None:
    async def story(world: World, service: Service) -> None:
        await service.engine.set_desired(2, actor="ann")
        await world.calendar.sleep(900)
        assert len(world.cloud.machines) == 5

    play(story, hidden_seconds=400)
