"""The program dies at every transition of the journal, and before and after every side effect; the next one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from runtime_world import Crash, Killer, World
from virtual_time import run

from aether_infra.runtime.manager import Kind
from aether_infra.runtime.operations import (
    ActivateNode,
    CollectNode,
    CreateNode,
    DrainNode,
    Operation,
    OperationState,
    RemoveCoreNode,
    RemoveNode,
    Request,
)
from aether_infra.runtime.service import Service

Prepare = Callable[[World, Service], Awaitable[Request]]
Check = Callable[[World, Operation], None]


async def to_create(_world: World, _service: Service) -> Request:
    return CreateNode()


def created(world: World, operation: Operation) -> None:
    assert operation.state is OperationState.SUCCEEDED
    assert world.elastic() == [operation.node_id]
    assert operation.node_id in world.registered()
    assert len(world.cloud.machines) == 4, "never a second one"


async def to_remove(world: World, service: Service) -> Request:
    (done,) = await world.settle(service, await service.engine.submit(CreateNode(), actor="ann"))
    return RemoveNode(node_id=done.node_id)


def removed(world: World, operation: Operation) -> None:
    assert operation.state is OperationState.SUCCEEDED
    assert world.elastic() == []
    assert len(world.cloud.machines) == 4


async def to_remove_core(_world: World, _service: Service) -> Request:
    return RemoveCoreNode(node_id="i-0002")


def removed_core(world: World, operation: Operation) -> None:
    assert operation.state is OperationState.SUCCEEDED
    assert world.core() == ["i-0001", "i-0003"]
    assert world.aether.lowest_core == 2


async def to_drain(world: World, service: Service) -> Request:
    (done,) = await world.settle(service, await service.engine.submit(CreateNode(), actor="ann"))
    return DrainNode(node_id=done.node_id)


def drained(world: World, operation: Operation) -> None:
    assert operation.state is OperationState.SUCCEEDED
    assert world.elastic() == [operation.node_id]
    assert operation.node_id not in world.registered()


async def to_activate(world: World, service: Service) -> Request:
    request = await to_drain(world, service)
    (done,) = await world.settle(service, await service.engine.submit(request, actor="ann"))
    return ActivateNode(node_id=done.node_id)


def activated(world: World, operation: Operation) -> None:
    assert operation.state is OperationState.SUCCEEDED
    assert operation.node_id in world.registered()
    assert len(world.aether.members()) == 4


async def to_collect(world: World, _service: Service) -> Request:
    machine = world.cloud.add(age_seconds=3600)
    world.aether.never_joins.add(machine.id)
    return CollectNode(node_id=machine.id)


CASES: dict[str, tuple[Prepare, Check]] = {
    "create": (to_create, created),
    "remove": (to_remove, removed),
    "remove core": (to_remove_core, removed_core),
    "drain": (to_drain, drained),
    "activate": (to_activate, activated),
    "collect": (to_collect, removed),
}


async def until_it_dies(world: World, killer: Killer, at: int, prepare: Prepare) -> Request:
    """One program that takes the request, and may die over it at the moment of that number."""
    request: Request | None = None
    with suppress(Crash):
        async with world.program(killer, tick_seconds=60) as service:
            request = await prepare(world, service)
            killer.arm(at)
            operation = await service.engine.submit(request, actor="ann", idempotency_key="once")
            over = asyncio.create_task(world.settle(service, operation))
            dead = asyncio.create_task(killer.dead.wait())
            await asyncio.wait((over, dead), return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            dead.cancel()
            await asyncio.gather(over, dead, return_exceptions=True)
    assert request is not None
    return request


async def one(world: World, at: int, prepare: Prepare, check: Check) -> Killer:
    """One life that ends at a moment, and one that ends well."""
    killer = Killer()
    request = await until_it_dies(world, killer, at, prepare)
    async with world.program(tick_seconds=60) as service:
        # whoever has got no answer asks again
        operation = await service.engine.submit(request, actor="ann", idempotency_key="once")
        (over,) = await world.settle(service, operation)
        check(world, over)
        assert await service.journal.operations.open() == []
    return killer


@pytest.mark.parametrize(
    ("case", "kind"),
    [*((case, Kind.MACHINES) for case in CASES), ("create", Kind.REPLICAS), ("remove", Kind.REPLICAS)],
)
def test_a_crash_at_every_moment(tmp_path: Path, case: str, kind: Kind) -> None:
    prepare, check = CASES[case]
    at, moments = 0, [""]
    while True:
        url = f"sqlite:///{tmp_path / f'{at}.db'}"
        killer = run(one_in(url, kind, at, prepare, check))
        if not killer.dead.is_set():
            break
        moments = killer.moments
        at += 1
    assert at > 6, "it must have died in many places"
    assert moments[-1].endswith("transition"), moments


async def one_in(url: str, kind: Kind, at: int, prepare: Prepare, check: Check) -> Killer:
    world = World.of(url, kind=kind, boot_seconds=5, stop_seconds=3, drain_seconds=4)
    world.aether.join_seconds = 4
    world.aether.drain_seconds = 4
    return await one(world, at, prepare, check)
