"""What the conformance suite sees of a cloud: a manager to test, the truth to hold it against, and faults to inject.

A cloud plugs in as a file of `tests/runtime/clouds/worlds`; see `World`.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from attrs import define, field, frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime import registry
from aether_infra.runtime.manager import CloudManager, Kind, new_token
from aether_infra.runtime.model import NodeSpec
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings, parse_settings

if TYPE_CHECKING:
    from fake_cloud_server import Call, FakeCloudServer

CLUSTER = "aether"
"""The cluster under test."""
OTHER = "somebody-elses"
"""A cluster on the same account."""
DOMAIN = "aether.example.com"
"""Domain of the cluster; its DNS zone is `example.com`, or the domain itself."""

F = TypeVar("F")


class Can(Enum):
    """What a world can show; a test that needs more than a world can is not run on it."""

    MACHINES = auto()
    """Nodes are created and ended one by one (`Kind.MACHINES`)."""
    ZONES = auto()
    """The manager chooses a zone, and zones run out of stock."""
    SIZES = auto()
    """`NodeSpec.size` is honoured."""
    REFUSES_SIZES = auto()
    """The cloud refuses a size that it does not know."""
    SPOT = auto()
    """`NodeSpec.spot` is honoured."""
    TAGS = auto()
    """What a creation is told stands on the machine: token and further tags."""
    TOKENS = auto()
    """The cloud itself takes one token (or name) only once: two managers may create at the same time."""
    REMEMBERS = auto()
    """A machine that is gone is still found by its token."""
    HIDES = auto()
    """A new machine is not in lists, or not found by id, at first."""
    PENDING = auto()
    """A new machine is pending before it runs."""
    STOPPING = auto()
    """An ended machine is stopping before it is gone."""
    QUOTA = auto()
    """The account's limit is a refusal of its own."""
    CORE_ENDS = auto()
    """`terminate_core_node` ends a core node for good; without it the cloud makes it anew."""
    REGISTERS = auto()
    """Nodes are put behind the load balancer by us; without it the cloud does so by itself."""
    TARGETS = auto()
    """There is a load balancer at all."""
    DRAINS = auto()
    """Deregistration takes a while, which the cloud shows."""
    PROBES = auto()
    """The load balancer says who is healthy."""
    DNS = auto()
    """There is a DNS zone."""
    DNS_PENDING = auto()
    """A change of DNS takes a while, which the cloud shows."""
    INTERRUPTS = auto()
    """The cloud announces that it takes a machine back."""
    CRASHES = auto()
    """Fast enough to crash at each step."""
    PAGES = auto()
    """Lists come in pages."""
    RETRY_AFTER = auto()
    """The cloud, or what stands before it, says how long to wait."""


EVERYTHING = frozenset(Can)


class Step(Enum):
    """What a request is for; each world says which of its operations that is."""

    CREATE = auto()
    TERMINATE = auto()
    LIST = auto()
    """Looks at machines, by list or by id."""
    TAG = auto()
    """Changes the tags of a machine that exists."""
    REGISTER = auto()
    DEREGISTER = auto()
    TARGETS = auto()
    """Looks at the load balancer's targets."""
    DNS = auto()
    """Changes a record."""


class Effect(StrEnum):
    """What can be injected into a request."""

    LOST_REQUEST = "lost request"
    """The connection is cut before the cloud has done anything."""
    LOST_REPLY = "lost reply"
    """The cloud does it, and then the connection is cut."""
    DUPLICATE = "duplicate"
    """The cloud gets it twice, and answers with the second answer."""
    SLOW = "slow"
    """The cloud does it, and answers only when the client has long given up (or at `mend`)."""
    THROTTLED = "throttled"
    """Too many calls; with `retry_after` if given."""
    UNAVAILABLE = "unavailable"
    """A fault of the cloud: 500 or 503."""
    DENIED = "denied"
    """Not allowed."""
    QUOTA = "quota"
    """The account's limit."""
    INVALID = "invalid"
    """The cloud finds the request wrong."""
    CONFLICT = "conflict"
    """Something else changes it right now."""


@frozen(kw_only=True)
class Fault:
    """Something that goes wrong with some requests."""

    effect: Effect
    """What."""
    on: frozenset[str] = frozenset()
    """Operations, by the cloud's names; none for every one. `World.fault` fills it in."""
    times: int | None = 1
    """How many requests are struck; None for all of them."""
    skip: int = 0
    """So many matching requests get through first."""
    retry_after: float | None = None
    """Seconds that the cloud asks to wait."""


@define(kw_only=True)
class Behaviour:
    """How a fake cloud behaves; the defaults are an ideal one. Counts are looks of a client, so that no time passes."""

    page_size: int = 1000
    """Most items of a page, whatever the client asks for."""
    hidden_lists: int = 0
    """So many lists do not show a new machine."""
    hidden_gets: int = 0
    """So many looks by id do not find a new machine."""
    pending_looks: int = 0
    """A new machine shows as pending so many times."""
    stopping_looks: int = 0
    """An ended machine shows as stopping so many times before it is gone."""
    drain_looks: int = 0
    """A deregistered target shows as draining so many times."""
    dns_looks: int = 0
    """A change of DNS shows as pending so many times."""
    out_of_stock: set[str] = field(factory=set)
    """Zones without room; `""` for everywhere, where a cloud has no zones."""
    unhealthy: set[str] = field(factory=set)
    """Machines whose probe fails."""


@frozen(kw_only=True)
class Machine:
    """A machine, task or pod, as the cloud itself knows it."""

    id: str
    zone: str = ""
    size: str = ""
    spot: bool = False
    tags: Mapping[str, str] = field(factory=dict)
    """Tags or labels with the keys of `core.tags`, also where the cloud keeps them as flat words."""
    alive: bool
    """Pending or running; not stopping, not gone."""
    gone: bool = False
    """Has ended."""

    @property
    def mine(self) -> bool:
        """Whether it is of the cluster under test."""
        return self.tags.get("aether-cluster") == CLUSTER


@define
class StoppedClock:
    """Goes on only when somebody sleeps; keeps what was slept."""

    time: float = 1000.0
    sleeps: list[float] = field(factory=list)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps.append(seconds)
        await asyncio.sleep(0)


class World(ABC):
    """One cloud, in one state, for one test.

    A world starts with three running core nodes, `node-1` to `node-3`, registered with the load balancer where there is
    one, no elastic node, one machine of another cluster and one without tags. It must not import an SDK when its module
    is loaded: every worker of the suite loads all of them.
    """

    name: ClassVar[str]
    """Shown as the test's id, such as `aws-ec2`."""
    lacks: ClassVar[Mapping[Can, str]] = {}
    """What it cannot show, each with the reason. Everything else it must."""
    zones: ClassVar[Sequence[str]] = ()
    """What `manager.zones` must be, in any order."""
    region: ClassVar[str] = ""
    """What `manager.facts` must say."""
    size: ClassVar[str] = ""
    """A machine type other than the template's."""
    unknown: ClassVar[str]
    """A well-formed id of nothing."""
    drain_seconds: ClassVar[float] = 0
    """How long the manager itself must wait after deregistration, where the cloud does not show it."""
    rights: ClassVar[frozenset[str] | None] = None
    """What `catalog.manager_rights` declares for this manager; None where the cloud has no such thing."""
    unneeded: ClassVar[frozenset[str]] = frozenset()
    """Of these, what is not needed in this world, as it cannot show something."""

    def __init__(self) -> None:
        self.clock = StoppedClock()
        self.managers: list[CloudManager] = []

    @classmethod
    def can(cls, *needs: Can) -> bool:
        """Whether it can show all of these."""
        return not set(needs) & set(cls.lacks)

    @classmethod
    def available(cls) -> str:
        """Why it cannot be had on this machine; empty for that it can."""
        return ""

    # the manager under test

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """Environment variables that lead the SDK here: endpoint and credentials. Set before `manager` is called."""

    credentials: ClassVar[frozenset[str]] = frozenset()
    """Those of the environment without which there are no credentials."""
    no_credentials: ClassVar[Mapping[str, str]] = {}
    """What must be set besides, so that the SDK looks nowhere else for them (a metadata service)."""
    no_balancer: ClassVar[Mapping[str, Any]] = {"target_group_arns": {}}
    """Facts of a cluster without a load balancer."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Layer 1's output `runtime`, with a load balancer and a DNS zone where there can be."""

    def settings(self, **changes: Any) -> RuntimeSettings:
        """The facts as settings.

        Args:
            changes: other values of facts.
        """
        return registry_settings(self.facts() | changes)

    def manager(
        self, settings: RuntimeSettings | None = None, *, answer_seconds: float = 30, **patience: Any
    ) -> CloudManager:
        """A new manager, as after a start of the program. It does not really wait.

        Args:
            settings: default: as in `settings()`.
            answer_seconds: the client's time-out.
            patience: fields of `Patience`.
        """
        given = {
            "clock": self.clock,
            "chance": lambda: 1.0,
            "poll_seconds": 3,
            "answer_seconds": answer_seconds,
        } | patience
        manager = registry.connect(settings or self.settings(), Patience(**given))
        self.managers.append(manager)
        return manager

    def spec(self, **given: Any) -> NodeSpec:
        """A node to create; where the cloud keeps a number, one more than there are now."""
        given.setdefault("token", new_token())
        if Can.MACHINES in self.lacks:
            given.setdefault("desired", self.desired() + 1)
        return NodeSpec(**given)

    @property
    def kind(self) -> Kind:
        """What `manager.kind` must be."""
        return Kind.REPLICAS if Can.MACHINES in self.lacks else Kind.MACHINES

    # the truth

    @abstractmethod
    def machines(self) -> dict[str, Machine]:
        """Everything there is or was, of any cluster, by id."""

    def alive(self) -> set[str]:
        """Ids of this cluster's elastic nodes that live."""
        return {
            each.id
            for each in self.machines().values()
            if each.mine and each.alive and each.tags.get("aether-role") != NodeRole.CORE
        }

    def core(self) -> dict[str, str]:
        """Ids of this cluster's living core nodes by their Aether id."""
        return {
            each.tags["aether-node-id"]: each.id
            for each in self.machines().values()
            if each.mine and each.alive and each.tags.get("aether-role") == NodeRole.CORE
        }

    def foreign(self) -> dict[str, Machine]:
        """What is not this cluster's."""
        return {key: each for key, each in self.machines().items() if not each.mine}

    def desired(self) -> int:
        """The number that the cloud keeps (`Kind.REPLICAS`)."""
        return len(self.alive())

    @abstractmethod
    def targets(self) -> dict[str, str]:
        """Node's id → state in the load balancer: `registered` or `draining`. Of several groups the worst counts:
        registered only if it is in all of them."""

    @abstractmethod
    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        """(name without final dot, type) → (values, TTL) of the zone, without SOA and NS of the zone itself."""

    # the set-up

    @property
    @abstractmethod
    def behaviour(self) -> Behaviour:
        """How the cloud behaves; change it in place."""

    @abstractmethod
    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        """Add running elastic nodes that no manager has made, unregistered; returns ids.

        Args:
            cluster: whose; None for machines without any tag.
            count: how many.
        """

    def register(self, node_id: str) -> None:
        """Put a machine behind the load balancer (all groups)."""
        raise NotImplementedError

    def interrupt(self, node_id: str) -> datetime | None:
        """Announce that a machine is taken back; returns when, if this cloud says when."""
        raise NotImplementedError

    # the faults

    @abstractmethod
    def operations(self, step: Step) -> frozenset[str]:
        """The cloud's operations that do a step."""

    def fault(self, effect: Effect, *steps: Step, **given: Any) -> None:
        """Inject a fault into requests of these steps; none for every request.

        Args:
            effect: what goes wrong.
            steps: with which requests.
            given: fields of `Fault`.
        """
        on = frozenset().union(*(self.operations(step) for step in steps))
        self.inject(Fault(effect=effect, on=on, **given))

    @abstractmethod
    def inject(self, fault: Fault) -> None:
        """Inject a fault."""

    @abstractmethod
    def cut(self, after: int, *, done: bool) -> None:
        """After so many requests nothing gets through any more, until `mend`: a crash, seen from the cloud.

        Args:
            after: how many requests still get through.
            done: whether the request that is cut off is carried out all the same.
        """

    @abstractmethod
    def mend(self) -> None:
        """The line is good again, no fault is left, what is slow answers."""

    @abstractmethod
    def count(self, *steps: Step) -> int:
        """How many requests of these steps have reached the cloud so far; none for all."""

    def rights_used(self) -> set[str]:
        """Permissions that the requests so far needed."""
        return set()

    async def close(self) -> None:
        """Close the managers and the cloud."""
        for manager in self.managers:
            await manager.close()


class HttpWorld(World):
    """A world whose cloud is a `FakeCloudServer`."""

    server: FakeCloudServer

    @property
    def behaviour(self) -> Behaviour:
        return self.server.cloud.behaviour

    def inject(self, fault: Fault) -> None:
        self.server.inject(fault)

    def cut(self, after: int, *, done: bool) -> None:
        self.server.cut(after, done=done)

    def mend(self) -> None:
        self.server.mend()

    def calls(self, *steps: Step) -> list[Call]:
        """The requests of these steps; none for all."""
        wanted = frozenset().union(*(self.operations(step) for step in steps))
        return [call for call in list(self.server.calls) if not steps or call.operation in wanted]

    def count(self, *steps: Step) -> int:
        return len(self.calls(*steps))

    async def close(self) -> None:
        await super().close()
        self.server.close()


def registry_settings(facts: Mapping[str, Any]) -> RuntimeSettings:
    """Settings of facts, the way that a program gets them."""
    return parse_settings(json.dumps(dict(facts)))


def needs(*what: Can) -> Any:
    """Mark a test: it runs in worlds that can show all of this."""

    def mark(test: F) -> F:
        test.needs = what
        return test

    return mark


def only(*names: str) -> Any:
    """Mark a test of one cloud's own: it runs in the worlds of these names."""

    def mark(test: F) -> F:
        test.only = names  # type: ignore[attr-defined]
        return test

    return mark


def common_facts(**more: Any) -> dict[str, Any]:
    """The part of the output `runtime` that every cloud has."""
    return {
        "cluster_name": CLUSTER,
        "core_nodes": 3,
        "min_nodes": 3,
        "max_nodes": 12,
        "managed": True,
        "ports": {"management": 8080, "cluster": 8090, "swim": 8190, "application": 8070},
        "tags": {"aether-cluster": CLUSTER, "managed-by": "aether-infra"},
        "image": "registry.example.com/aether-node:1.0",
    } | more
