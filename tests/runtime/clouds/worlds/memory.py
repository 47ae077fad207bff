"""`FakeCloud`, the cloud in memory that the engine's tests and `serve --fake` run on.

It is manager and cloud in one, and has no line between the two that could fail: that is what `Line` adds, with the
tries that every manager makes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

from attrs import define, field
from cloud_world import CLUSTER, OTHER, Behaviour, Can, Effect, Fault, Machine, Step, StoppedClock, World

from aether_infra.runtime.errors import (
    CloudError,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    QuotaExceeded,
    Throttled,
)
from aether_infra.runtime.fake.cloud import FakeCloud
from aether_infra.runtime.manager import CloudManager, Kind
from aether_infra.runtime.retry import Patience

T = TypeVar("T")
STEPS = {
    Step.CREATE: {"create_node"},
    Step.TERMINATE: {"terminate_node", "terminate_core_node"},
    Step.LIST: {"list_nodes", "get_node"},
    Step.TAG: set[str](),
    Step.REGISTER: {"register_target"},
    Step.DEREGISTER: {"deregister_target"},
    Step.TARGETS: {"list_targets"},
    Step.DNS: {"update_dns_record"},
}
REFUSALS: Mapping[Effect, type[CloudError]] = {
    Effect.THROTTLED: Throttled,
    Effect.UNAVAILABLE: CloudUnavailable,
    Effect.LOST_REQUEST: CloudUnavailable,
    Effect.DENIED: Denied,
    Effect.QUOTA: QuotaExceeded,
    Effect.INVALID: InvalidRequest,
    Effect.CONFLICT: Conflict,
}


@define
class Calendar(StoppedClock):
    """A stopped clock that knows the date."""

    began: datetime = field(factory=lambda: datetime.now(UTC))

    def utc(self) -> datetime:
        return self.began + timedelta(seconds=self.time)


@define
class Line:
    """What is between a manager and its cloud."""

    log: list[str] = field(factory=list)
    armed: list[list[Any]] = field(factory=list)
    """Each fault with how often it has been seen and has struck."""
    cut_after: int | None = None
    cut_done: bool = False
    released: asyncio.Event = field(factory=asyncio.Event)

    async def call(self, verb: str, do: Callable[[], Awaitable[T]], answer_seconds: float) -> T:
        """Bring one request to the cloud, unless something goes wrong."""
        self.log.append(verb)
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                if self.cut_after == -1 and self.cut_done:
                    await do()
                raise CloudUnavailable("the line is cut", code="Cut")
        fault = self._fault(verb)
        if fault is not None and fault.effect in REFUSALS:
            kind = REFUSALS[fault.effect]
            raise kind(f"{verb}: {fault.effect}", code="Injected", retry_after_seconds=fault.retry_after)
        try:
            answer = await do()
            if fault is not None and fault.effect is Effect.DUPLICATE:
                answer = await do()
        except CloudError:
            # a real manager finds that out before it asks for a change
            self.log.pop()
            raise
        if fault is not None and fault.effect is Effect.LOST_REPLY:
            raise CloudUnavailable(f"{verb}: the reply was lost", code="Lost")
        if fault is not None and fault.effect is Effect.SLOW:
            self.released.clear()
            try:
                await asyncio.wait_for(self.released.wait(), answer_seconds)
            except TimeoutError:
                raise CloudUnavailable(f"{verb}: no answer", code="Timeout") from None
        return answer

    def _fault(self, verb: str) -> Fault | None:
        for armed in self.armed:
            fault, seen, struck = armed
            if fault.on and verb not in fault.on:
                continue
            armed[1] += 1
            if seen >= fault.skip and (fault.times is None or struck < fault.times):
                armed[2] += 1
                return fault  # type: ignore[no-any-return]
        return None


class Manager:
    """The fake, called through the line, and again where that is worth it."""

    def __init__(self, world: MemoryWorld, patience: Patience) -> None:
        self._world, self._patience = world, patience

    def __getattr__(self, verb: str) -> Any:
        attribute = getattr(self._world.cloud, verb)
        if not asyncio.iscoroutinefunction(attribute) or verb == "close":
            return attribute

        async def call(*arguments: Any) -> Any:
            self._world.apply()
            if verb.endswith("_target") and not self._world.cloud.balanced:
                return await attribute(*arguments)  # there is nobody to ask
            seconds = self._patience.answer_seconds
            return await self._patience.retry(
                lambda: self._world.line.call(verb, lambda: attribute(*arguments), seconds)
            )

        return call


class MemoryWorld(World):
    name = "memory"
    region = "memory"
    zones = ("zone-a", "zone-b", "zone-c")
    size = "large"
    unknown = "i-9999"
    no_balancer: ClassVar[Mapping[str, Any]] = {"balanced": False}
    kept: ClassVar[Kind] = Kind.MACHINES
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.REFUSES_SIZES: "any size is one",
        Can.STOPPING: "it has no bound of its own to waiting",
        Can.DRAINS: "it has no bound of its own to waiting",
        Can.PROBES: "its probe asks the machine, which cannot be set here",
        Can.DNS_PENDING: "a record is there at once",
        Can.PAGES: "a list is a list",
    }

    def __init__(self) -> None:
        super().__init__()
        self.clock: Calendar = Calendar()
        self.line = Line()
        self.cloud = FakeCloud(
            calendar=self.clock,
            kind=self.kept,
            boot_seconds=0,
            stop_seconds=0,
            drain_seconds=0,
            dns_zone="example.com",
        )
        self._behaviour = Behaviour()
        self.add(cluster=OTHER)
        self.add(cluster=None)

    def apply(self) -> None:
        """What is counted in looks elsewhere is time here."""
        behaviour, cloud = self._behaviour, self.cloud
        cloud.hidden_seconds = behaviour.hidden_lists * 3
        cloud.boot_seconds = behaviour.pending_looks * 3
        cloud.stop_seconds = behaviour.stopping_looks * 3
        cloud.drain_seconds = behaviour.drain_looks * 3
        cloud.out_of_stock = behaviour.out_of_stock

    @property
    def environment(self) -> Mapping[str, str]:
        return {}

    def facts(self) -> dict[str, Any]:
        return {"provider": "fake", "compute": self.kept.value}

    def settings(self, **changes: Any) -> Any:
        provider = SimpleNamespace(value="fake")
        return SimpleNamespace(provider=provider, compute=self.kept.value, facts=changes)

    def manager(self, settings: Any = None, *, answer_seconds: float = 30, **patience: Any) -> CloudManager:
        changes = settings.facts if settings else {}
        self.cloud.balanced = changes.get("balanced", True)
        if "dns" in changes:
            self.cloud.dns_zone = changes["dns"]["zone_id"]
        given = {"clock": self.clock, "chance": lambda: 1.0, "answer_seconds": answer_seconds} | patience
        manager: Any = Manager(self, Patience(**given))
        return manager  # type: ignore[no-any-return]

    def machines(self) -> dict[str, Machine]:
        now = self.clock.now()
        return {
            key: Machine(
                id=key,
                zone=each.zone,
                size=each.size,
                spot=each.spot,
                tags=dict(each.tags),
                alive=each.state(now).alive,
                gone=each.ends_at is not None and each.ends_at <= now,
            )
            for key, each in self.cloud.machines.items()
        }

    def desired(self) -> int:
        return self.cloud.replicas if self.kept is Kind.REPLICAS else super().desired()

    def targets(self) -> dict[str, str]:
        return {
            key: "registered" if each.registered else "draining"
            for key, each in self.cloud.machines.items()
            if each.registered or each.draining_until is not None
        }

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        return {key: (each.values, each.ttl_seconds) for key, each in self.cloud.records.items()}

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        ids = []
        for number in range(count):
            machine = self.cloud.add(zone=self.zones[number % len(self.zones)])
            ids.append(machine.id)
            if cluster != CLUSTER:
                self.cloud.replicas -= 1
                machine.tags = {} if cluster is None else machine.tags | {"aether-cluster": cluster}
        return ids

    def register(self, node_id: str) -> None:
        self.cloud.machines[node_id].registered = True

    def interrupt(self, node_id: str) -> datetime | None:
        self.cloud.interrupt(node_id)
        return self.cloud.machines[node_id].interruption_at

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def inject(self, fault: Fault) -> None:
        self.line.armed.append([fault, 0, 0])

    def cut(self, after: int, *, done: bool) -> None:
        self.line.cut_after, self.line.cut_done = after, done

    def mend(self) -> None:
        self.line.cut_after = None
        self.line.armed.clear()
        self.line.released.set()

    def count(self, *steps: Step) -> int:
        wanted = frozenset().union(*(self.operations(step) for step in steps))
        return sum(not steps or verb in wanted for verb in self.line.log)


class MemoryReplicasWorld(MemoryWorld):
    name = "memory-replicas"
    kept = Kind.REPLICAS
    lacks: ClassVar[Mapping[Can, str]] = MemoryWorld.lacks | {
        Can.MACHINES: "a number is kept",
        Can.ZONES: "it spreads a number over its zones by itself",
    }


WORLDS = (MemoryWorld, MemoryReplicasWorld)
