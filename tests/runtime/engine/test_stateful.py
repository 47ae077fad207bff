"""Whatever happens, in whatever order: at the end nothing is left over or there twice, and the quorum was held.

People ask for things and cancel them, loads come and go, the cloud fails in every way it can, machines die, programs
crash at any moment and start again, two of them at once. Then everything is well again, and the cluster must come to
just what was asked for last.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from runtime_world import Crash, Killer, World
from virtual_time import VirtualLoop

from aether_infra.core.tags import NodeRole
from aether_infra.errors import AetherInfraError
from aether_infra.runtime.engine.steps import EngineOptions
from aether_infra.runtime.fake.cloud import Effect, Fault
from aether_infra.runtime.journal.operations import Query
from aether_infra.runtime.leader import LeaseOptions
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.observation import Lifecycle
from aether_infra.runtime.operations import (
    ActivateNode,
    CreateNode,
    DrainNode,
    OperationKind,
    OperationState,
    RemoveCoreNode,
    RemoveNode,
    Request,
)
from aether_infra.runtime.service import Service

T = TypeVar("T")

WANTED = 2
"""Elastic nodes that are asked for in the end."""
VERBS = st.sampled_from(
    [
        "create_node",
        "terminate_node",
        "register_target",
        "deregister_target",
        "list_nodes",
        "get_node",
        "list_targets",
        "*",
    ]
)
EFFECTS = st.sampled_from(
    [
        Effect.UNAVAILABLE,
        Effect.LOST_REPLY,
        Effect.THROTTLED,
        Effect.DENIED,
        Effect.QUOTA,
        Effect.CONFLICT,
        Effect.SLOW,
    ]
)
RARELY = {
    "engine": EngineOptions(
        look_seconds=30, poll_seconds=10, drain_seconds=120, boot_seconds=300, chance=lambda: 0.5
    ),
    "lease": LeaseOptions(lease_seconds=120, renew_seconds=60, retry_seconds=30),
    "tick_seconds": 30,
    "collect": True,
}
"""Few looks: hours pass in here."""


class Life(RuleBasedStateMachine):
    """A cluster and those who do things to it."""

    kind = Kind.MACHINES

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = VirtualLoop()
        self.world: World
        # the same draws must lead to the same life: names are counted, and not drawn by chance
        serial = count(1)
        self.names = patch.object(secrets, "token_hex", lambda size: f"{next(serial):0{2 * size}x}")
        self.names.start()
        self.programs: dict[int, tuple[Service, Killer, AbstractAsyncContextManager[Service]]] = {}

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    # programs

    @initialize(hidden=st.sampled_from([0, 0, 30, 90]))
    def begin(self, hidden: float) -> None:
        async def main() -> None:
            url = f"sqlite:///{Path(self.folder.name) / 'journal.db'}"
            self.world = World.of(url, kind=self.kind, hidden_seconds=hidden)

        self.do(main())
        self.do(self._start(1))

    async def _start(self, number: int) -> None:
        killer = Killer()
        context = self.world.program(killer, **RARELY)
        service = await context.__aenter__()
        self.programs[number] = (service, killer, context)

    async def _stop(self, number: int) -> None:
        _, _, context = self.programs.pop(number)
        with suppress(Crash):
            await context.__aexit__(None, None, None)

    async def _revive(self) -> None:
        """Start programs again that have died."""
        for number, (_, killer, _) in list(self.programs.items()):
            if killer.dead.is_set():
                await self._stop(number)
                await self._start(number)

    @rule(number=st.integers(1, 2))
    def crash_now(self, number: int) -> None:
        async def main() -> None:
            if number in self.programs:
                self.programs[number][1].dead.set()
                await self._revive()

        self.do(main())

    @rule(number=st.integers(1, 2), at=st.integers(0, 25))
    def crash_soon(self, number: int, at: int) -> None:
        if number in self.programs:
            self.programs[number][1].arm(at)

    @rule()
    def second_program(self) -> None:
        if 2 not in self.programs:
            self.do(self._start(2))

    @rule(seconds=st.sampled_from([1, 15, 60, 240, 900]))
    def time_passes(self, seconds: float) -> None:
        async def main() -> None:
            await asyncio.sleep(seconds)
            await self._revive()

        self.do(main())

    # people

    def ask(self, what: Callable[[Service], Awaitable[object]]) -> None:
        async def main() -> None:
            try:
                await what(self.programs[1][0])
            except AetherInfraError as error:
                note(f"refused: {error}")
            except Crash:
                note("crashed")
            await self._revive()

        self.do(main())

    def submit(self, request: Request) -> None:
        self.ask(lambda service: service.engine.submit(request, actor="ann"))

    @rule()
    def create(self) -> None:
        self.submit(CreateNode())

    @rule(data=st.data(), force=st.booleans(), replace=st.booleans())
    def remove(self, data: st.DataObject, *, force: bool, replace: bool) -> None:
        if machines := self.world.elastic_here(self.loop):
            node = data.draw(st.sampled_from(machines))
            self.submit(RemoveNode(node_id=node, force=force, replace=replace))

    @rule(data=st.data())
    def drain(self, data: st.DataObject) -> None:
        if machines := self.world.elastic_here(self.loop):
            self.submit(DrainNode(node_id=data.draw(st.sampled_from(machines))))

    @rule(data=st.data())
    def activate(self, data: st.DataObject) -> None:
        if machines := self.world.elastic_here(self.loop):
            self.submit(ActivateNode(node_id=data.draw(st.sampled_from(machines))))

    @rule(number=st.integers(1, 3), leader=st.booleans())
    def remove_core(self, number: int, *, leader: bool) -> None:
        self.submit(RemoveCoreNode(node_id=f"i-000{number}", allow_leader=leader))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        service = self.programs[1][0]
        found = self.do(service.journal.operations.open())
        if found:
            operation = data.draw(st.sampled_from([each.id for each in found]))
            self.ask(lambda service: service.engine.cancel(operation, actor="bob"))

    @rule(count=st.none() | st.integers(0, 6))
    def set_desired(self, count: int | None) -> None:
        self.ask(lambda service: service.engine.set_desired(count, actor="ann"))

    # the world

    @rule(demand=st.floats(0, 10))
    def load_changes(self, demand: float) -> None:
        self.world.aether.demand = demand

    @rule(verb=VERBS, effect=EFFECTS, times=st.integers(1, 4))
    def cloud_fails(self, verb: str, effect: Effect, times: int) -> None:
        self.world.cloud.faults.append(Fault(verb=verb, effect=effect, times=times))

    @rule(zone=st.sampled_from(["zone-a", "zone-b", "zone-c"]))
    def zone_runs_out(self, zone: str) -> None:
        self.world.cloud.out_of_stock ^= {zone}

    @rule(data=st.data(), listed=st.booleans())
    def machine_dies(self, data: st.DataObject, *, listed: bool) -> None:
        async def main(node: str) -> None:
            self.world.cloud.kill(node, listed=listed)

        if machines := self.world.elastic_here(self.loop):
            self.do(main(data.draw(st.sampled_from(machines))))

    @rule(data=st.data())
    def machine_is_taken(self, data: st.DataObject) -> None:
        async def main(node: str) -> None:
            self.world.cloud.interrupt(node)

        if machines := self.world.elastic_here(self.loop):
            self.do(main(data.draw(st.sampled_from(machines))))

    @rule(data=st.data(), trouble=st.sampled_from(["stuck", "refuses", "never_joins"]))
    def node_is_difficult(self, data: st.DataObject, trouble: str) -> None:
        if machines := self.world.elastic_here(self.loop):
            getattr(self.world.aether, trouble).add(data.draw(st.sampled_from(machines)))

    # what must be so at every moment

    @invariant()
    def quorum_is_held(self) -> None:
        if hasattr(self, "world"):
            assert len(self.world.here(self.loop, NodeRole.CORE)) >= 2
            assert (self.world.aether.lowest_core or 3) >= 2

    @invariant()
    def bounds_are_held(self) -> None:
        if hasattr(self, "world"):
            assert len(self.world.elastic_here(self.loop)) <= self.world.settings.elastic_maximum

    # the end

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.do(self._end())
        finally:
            self.do(self._close())
            self.loop.close()
            self.names.stop()
            self.folder.cleanup()

    async def _close(self) -> None:
        for number in list(self.programs):
            await self._stop(number)

    async def _end(self) -> None:
        world = self.world
        await self._close()
        world.cloud.faults.clear()
        world.cloud.out_of_stock.clear()
        world.aether.stuck.clear()
        world.aether.refuses.clear()
        await self._start(1)
        service = self.programs[1][0]
        await service.engine.set_desired(WANTED, actor="ann")
        for _ in range(300):
            await asyncio.sleep(60)
            if await self._is_well(service):
                break
        await self._check(service)

    async def _is_well(self, service: Service) -> bool:
        if await service.journal.operations.open():
            return False
        roster = await service.journal.roster.all()
        held = {node_id for node_id, known in roster.items() if known.held}
        return len(set(self.world.elastic()) - held) == WANTED and self._all_serve(held)

    def _all_serve(self, held: set[str]) -> bool:
        members = {machine.id: state for machine, state in self.world.aether.members().values()}
        return all(
            members.get(node) is Lifecycle.ON_DUTY and node in self.world.registered()
            for node in self.world.elastic()
            if node not in held
        )

    async def _check(self, service: Service) -> None:
        world = self.world
        assert await service.journal.operations.open() == []
        roster = await service.journal.roster.all()
        held = {node_id for node_id, known in roster.items() if known.held}
        alive = world.elastic()
        last = service.controller.last
        assert len(set(alive) - held) == WANTED, (alive, held, last)
        assert self._all_serve(held), (alive, world.aether.members(), world.registered(), last)
        assert set(alive) <= set(roster), "no orphan"
        query = Query(kinds=[OperationKind.CREATE], limit=10_000)
        finished = await service.journal.operations.find(query)
        tokens = Counter(machine.token for machine in world.cloud.machines.values() if machine.token)
        assert all(count == 1 for count in tokens.values()), "no double"
        by_token = {each.token: each for each in finished}
        assert set(tokens) <= set(by_token), "nothing was made that had not been written down"
        for machine in world.cloud.alive():
            if machine.token:
                assert by_token[machine.token].state is OperationState.SUCCEEDED


class CountedLife(Life):
    """The same where the cloud keeps a number."""

    kind = Kind.REPLICAS


PATIENT = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    # no shrinking: a life takes a second, and the first that fails says enough
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestLife = Life.TestCase
TestLife.settings = PATIENT
TestCountedLife = CountedLife.TestCase
TestCountedLife.settings = PATIENT
