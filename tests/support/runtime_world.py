"""A cluster in memory for tests of the engine and the controller: cloud, nodes, journal, and programs that crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from attrs import define, field
from sqlalchemy import Connection
from virtual_time import VirtualCalendar, inline

from aether_infra.config import Provider
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.client import Aether, AetherOptions
from aether_infra.runtime.engine.steps import EngineOptions
from aether_infra.runtime.fake.aether import FakeAether
from aether_infra.runtime.fake.cloud import FakeCloud
from aether_infra.runtime.journal.store import Fence, Store
from aether_infra.runtime.leader import LeaseOptions
from aether_infra.runtime.operations import Operation
from aether_infra.runtime.service import Service, ServiceOptions
from aether_infra.runtime.settings import RuntimeSettings

SIDE_EFFECTS = frozenset(
    {
        "create_node",
        "terminate_node",
        "terminate_core_node",
        "register_target",
        "deregister_target",
        "update_dns_record",
    }
)
"""Calls of the cloud that change something."""


class Crash(BaseException):
    """The program is gone; nothing of it catches this."""


@define
class Killer:
    """Counts the moments in which a program can die, and lets it die in one of them."""

    at: int | None = None
    """Dies at the moment of this number, from 0; None for never."""
    moments: list[str] = field(factory=list)
    """What was about to happen, or had just happened."""
    dead: asyncio.Event = field(factory=asyncio.Event)

    def arm(self, at: int) -> None:
        """Count from now on, and die at the moment of that number."""
        self.at, self.moments = at, []

    def check(self, moment: str) -> None:
        """Die here, if that is the moment.

        Right before one thing is the same as right after the thing before it: that is one moment and not two.
        """
        if self.dead.is_set():
            raise Crash
        if moment.startswith("before") and self.moments and self.moments[-1].startswith("after"):
            return
        if self.at is not None and len(self.moments) == self.at:
            self.dead.set()
        self.moments.append(moment)
        if self.dead.is_set():
            raise Crash


class MortalStore(Store):
    """A journal's database whose program can die right before and right after each write."""

    killer: Killer

    async def write(self, work: Callable[[Connection], Any], fence: Fence | None = None) -> Any:
        counted = fence is not None and "advance" in work.__qualname__
        if counted:
            self.killer.check("before a transition")
        elif self.killer.dead.is_set():
            raise Crash
        result = await super().write(work, fence)
        if counted:
            self.killer.check("after a transition")
        return result


class MortalCloud:
    """A manager whose program can die right before and right after each call that changes something."""

    def __init__(self, cloud: FakeCloud, killer: Killer) -> None:
        self._cloud = cloud
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        thing = getattr(self._cloud, name)
        if not asyncio.iscoroutinefunction(thing):
            return thing

        async def call(*arguments: Any) -> Any:
            if self._killer.dead.is_set():
                raise Crash
            if name in SIDE_EFFECTS:
                self._killer.check(f"before {name}")
            result = await thing(*arguments)
            if name in SIDE_EFFECTS:
                self._killer.check(f"after {name}")
            return result

        return call


class MortalAether(Aether):
    """A client whose program can die right before and right after each change."""

    killer: Killer

    async def _change(self, verb: str, aether_id: str, wanted: Any) -> Any:
        self.killer.check(f"before {verb}")
        result = await super()._change(verb, aether_id, wanted)
        self.killer.check(f"after {verb}")
        return result


def settings(**changes: Any) -> RuntimeSettings:
    """Three core nodes, up to nine elastic ones, whose number is ours."""
    given: dict[str, Any] = {
        "provider": Provider.AWS,
        "compute": "ec2",
        "region": "us-west-2",
        "cluster_name": "aether",
        "core_nodes": 3,
        "min_nodes": 3,
        "max_nodes": 12,
        "managed": True,
    }
    return RuntimeSettings(**given | changes)


@define(kw_only=True)
class World:
    """The cluster; it outlives the programs that manage it."""

    calendar: VirtualCalendar = field(factory=VirtualCalendar)
    settings: RuntimeSettings = field(factory=settings)
    cloud: FakeCloud
    aether: FakeAether
    journal: str
    """URL of the journal's database."""
    options: ServiceOptions = field(factory=ServiceOptions)

    @classmethod
    def of(cls, journal: str, **cloud: Any) -> World:
        calendar = VirtualCalendar()
        fake = FakeCloud(calendar=calendar, **cloud)
        return cls(calendar=calendar, cloud=fake, aether=FakeAether(cloud=fake), journal=journal)

    @asynccontextmanager
    async def program(
        self, killer: Killer | None = None, *, start: bool = True, **options: Any
    ) -> AsyncIterator[Service]:
        """One run of the service."""
        killer = killer or Killer()
        client = MortalAether(AetherOptions(), self.aether.transport)
        client.killer = killer
        manager: Any = MortalCloud(self.cloud, killer)
        # fewer looks than in earnest: thousands of virtual seconds pass here, and each look costs a real millisecond
        usual = {
            "engine": EngineOptions(look_seconds=60, chance=lambda: 0.5),
            "lease": LeaseOptions(lease_seconds=90, renew_seconds=60, retry_seconds=25),
            "tick_seconds": 30,
        }
        given: dict[str, Any] = {"journal": self.journal} | usual | options
        service = MortalService(
            self.settings, ServiceOptions(**given), manager, client, calendar=self.calendar, runner=inline
        )
        service.killer = killer
        async with service:
            if start:
                await service.start()
            yield service

    async def settle(
        self, service: Service, *operations: Operation, seconds: float = 7200
    ) -> list[Operation]:
        """Wait until operations are over; all that are open if none is given."""
        deadline = self.calendar.now() + seconds
        while True:
            if operations:
                found = [await service.engine.operation(each.id) for each in operations]
                if all(each.over for each in found):
                    return found
            elif not await service.journal.operations.open():
                return []
            if self.calendar.now() > deadline:
                waiting = await service.journal.operations.open()
                raise AssertionError(f"not over after {seconds} s: {waiting}")
            await service.journal.nap(5)

    def here(self, loop: asyncio.AbstractEventLoop, role: NodeRole) -> list[str]:
        """Ids of the machines of a role that live, asked from outside of the loop."""
        now = loop.time()
        return [
            each.id for each in self.cloud.machines.values() if each.role is role and each.state(now).alive
        ]

    def elastic_here(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """Ids of the elastic machines that live, asked from outside of the loop."""
        return self.here(loop, NodeRole.WORKER)

    def elastic(self) -> list[str]:
        """Ids of the elastic machines that live."""
        return [machine.id for machine in self.cloud.alive(NodeRole.WORKER)]

    def core(self) -> list[str]:
        """Ids of the core machines that live."""
        return [machine.id for machine in self.cloud.alive(NodeRole.CORE)]

    def registered(self) -> list[str]:
        """Ids of the machines that live and are behind the load balancer."""
        alive = {*self.elastic(), *self.core()}
        return [each.id for each in self.cloud.machines.values() if each.registered and each.id in alive]


class MortalService(Service):
    """A service that dies as its killer says."""

    killer: Killer

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        store = self.journal._store  # noqa: SLF001 - a crash comes from inside
        store.__class__ = MortalStore
        store.killer = self.killer  # type: ignore[attr-defined]
        # what survives the power going is SQLite's own business, and a disk's time
        engine = store._engine  # noqa: SLF001 - as above
        if engine.dialect.name == "sqlite":
            raw = engine.raw_connection()
            raw.driver_connection.execute("PRAGMA synchronous=OFF")
            raw.close()
        return self


def texts(lines: Sequence[Any]) -> list[str]:
    """A history as one line a happening."""
    return [f"{line.happening} {line.step} {line.text}".strip() for line in lines]
