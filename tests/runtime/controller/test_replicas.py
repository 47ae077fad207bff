"""Several programs on one journal: one leads, another one takes over, one that was paused does no harm."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from runtime_world import Crash, Killer, World
from virtual_time import run

from aether_infra.runtime.leader import LeaseOptions
from aether_infra.runtime.operations import CreateNode, OperationState, RemoveNode
from aether_infra.runtime.refusals import Fenced


def world_in(folder: Path) -> World:
    return World.of(f"sqlite:///{folder / 'journal.db'}")


def test_one_leads_and_any_takes_requests(tmp_path: Path) -> None:
    async def main() -> None:
        world = world_in(tmp_path)
        async with AsyncExitStack() as stack:
            services = [await stack.enter_async_context(world.program(name=f"p{n}")) for n in range(3)]
            await world.calendar.sleep(60)
            assert sum(service.leader for service in services) == 1
            follower = next(service for service in services if not service.leader)
            assert await follower.ready() == (True, "follows")
            operation = await follower.engine.submit(CreateNode(), actor="ann")
            (done,) = await world.settle(follower, operation)
            assert done.state is OperationState.SUCCEEDED
            assert follower.engine.busy == 0
            lease = await follower.journal.leases.look()
            assert lease is not None
            assert lease.holder == next(service.name for service in services if service.leader)

    run(main())


def test_another_one_takes_over_at_once_when_the_leader_stops_and_after_a_while_when_it_dies(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        world = world_in(tmp_path)
        killer = Killer()
        first = world.program(killer)
        one = await first.__aenter__()
        await world.calendar.sleep(10)
        assert one.leader
        async with world.program() as two:
            operation = await two.engine.submit(CreateNode(), actor="ann")
            await world.calendar.sleep(20)
            assert not two.leader
            begun = world.calendar.now()
            await one.stop()
            while not two.leader:
                await world.calendar.sleep(1)
            assert world.calendar.now() - begun <= 30, (
                "it was given up: one look later, and not a whole lease"
            )
            (done,) = await world.settle(two, operation)
            assert done.state is OperationState.SUCCEEDED
            assert len(world.cloud.machines) == 4
            await one.start()
            await world.calendar.sleep(30)
            assert two.leader
            assert not one.leader
            killer.dead.set()
        with pytest.raises(Crash):
            await first.__aexit__(None, None, None)

    run(main())


def test_a_leader_that_was_paused_writes_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        world = world_in(tmp_path)
        async with world.program(start=False) as one, world.program(start=False) as two:
            # the first leads, begins with it, and is paused: nothing of it runs for a minute
            seen = await one.journal.leases.look()
            old = await one.journal.leases.take("one", seen, world.calendar.utc())
            assert old is not None
            operation = await one.engine.submit(CreateNode(), actor="ann")
            engine = asyncio.create_task(one.engine.lead(old))
            while not world.elastic():
                await world.calendar.sleep(0.1)
            paused = [running.worker.operation for running in one.engine._running.values()]  # noqa: SLF001
            assert paused
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
            await two.start()
            (done,) = await world.settle(two, operation)
            assert done.state is OperationState.SUCCEEDED
            # now it wakes up and goes on as if nothing had been
            removal = await two.engine.submit(RemoveNode(node_id=done.node_id), actor="ann")
            with pytest.raises(Fenced):
                await one.engine.lead(old)
            with pytest.raises(Fenced):
                await one.controller.tick(old)
            await world.settle(two, removal)
            assert len(world.cloud.machines) == 4
            verbs = Counter(verb for verb in world.cloud.calls if verb == "terminate_node")
            assert verbs["terminate_node"] == 1

    run(main())


def test_a_leader_that_cannot_renew_stops_before_another_one_begins() -> None:
    options = LeaseOptions()
    assert options.renew_seconds + options.retry_seconds < options.lease_seconds


def test_stopping_leaves_an_operation_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        world = world_in(tmp_path)
        async with world.program() as service:
            operation = await service.engine.submit(CreateNode(), actor="ann")
            await world.calendar.sleep(20)
            assert await service.ready() == (True, "leads")
            await service.stop()
            assert await service.ready() == (False, "it has been stopped")
            assert not (await service.engine.operation(operation.id)).over
        async with world.program() as service:
            (done,) = await world.settle(service, operation)
            assert done.state is OperationState.SUCCEEDED
            assert len(world.cloud.machines) == 4

    run(main())
