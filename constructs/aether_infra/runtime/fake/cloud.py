"""`FakeCloud`: a cloud in memory that behaves as real ones do, with their delays and their faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import define, field

from aether_infra.core.tags import CLUSTER, NODE_ID, TOKEN, NodeRole, node_tags, standard_tags
from aether_infra.runtime.clock import Calendar
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Throttled,
)
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target, TargetHealth

PORT = 8090
"""Port of the cluster's protocol, on every node's tags."""
POLL_SECONDS = 1.0
"""Between two looks at something that is on its way."""


class Effect(StrEnum):
    """What can go wrong with a call."""

    UNAVAILABLE = "unavailable"
    """Nothing is done; the cloud fails."""
    LOST_REPLY = "lost reply"
    """It is done, and the answer never comes."""
    THROTTLED = "throttled"
    DENIED = "denied"
    QUOTA = "quota"
    CONFLICT = "conflict"
    SLOW = "slow"
    """It is done a minute later."""


@define(kw_only=True)
class Fault:
    """Something that goes wrong with the next calls of one verb."""

    verb: str
    """`create_node`, `terminate_node`, …; `*` for any."""
    effect: Effect
    times: int = 1
    """With how many calls."""


@define(kw_only=True)
class Machine:
    """A machine, as the cloud itself knows it."""

    id: str
    role: NodeRole
    zone: str
    size: str
    address: str
    born: float
    """When it was asked for, by the clock."""
    created_at: datetime
    runs_at: float
    """When it runs, by the clock."""
    visible_at: float
    """When lists show it, by the clock."""
    node_id: str = ""
    token: str = ""
    spot: bool = False
    tags: dict[str, str] = field(factory=dict)
    gone_at: float | None = None
    """When it is gone, by the clock; None while nobody ends it."""
    taken_at: float | None = None
    """When the cloud takes it back, by the clock; None for never."""
    died: bool = False
    """Failed by itself: it is listed as running, and nothing in it answers."""
    interruption_at: datetime | None = None
    registered: bool = False
    draining_until: float | None = None

    @property
    def ends_at(self) -> float | None:
        """When it is gone, whoever ends it."""
        return min((at for at in (self.gone_at, self.taken_at) if at is not None), default=None)

    def state(self, now: float) -> NodeState:
        """Where it is in its life."""
        if self.ends_at is not None and self.ends_at <= now:
            return NodeState.TERMINATED
        if self.gone_at is not None:
            return NodeState.STOPPING
        return NodeState.RUNNING if self.runs_at <= now else NodeState.PROVISIONING


@define(kw_only=True)
class FakeCloud:
    """A `CloudManager` whose cloud is itself. See the Protocol for what its calls promise."""

    calendar: Calendar
    cluster: str = "aether"
    kind: Kind = Kind.MACHINES
    zones: Sequence[str] = ("zone-a", "zone-b", "zone-c")
    core: int = 3
    """Core nodes that run from the beginning, `node-1` and so on."""
    boot_seconds: float = 40
    """From a creation until the machine runs."""
    stop_seconds: float = 20
    """From a termination until it is gone."""
    drain_seconds: float = 30
    """How long a deregistered target's requests may take."""
    hidden_seconds: float = 0
    """How long lists do not show a new machine."""
    remembered_seconds: float = 600
    """How long lists still show a machine that is gone."""
    balanced: bool = True
    """Whether there is a load balancer."""
    dns_zone: str | None = ""
    """Name of the DNS zone; empty for one that takes any name, None for none."""
    limit: int | None = None
    """Most machines that the account may have; None for no limit."""
    out_of_stock: set[str] = field(factory=set)
    """Zones without room."""
    faults: list[Fault] = field(factory=list)
    machines: dict[str, Machine] = field(factory=dict)
    """Everything there is or was."""
    records: dict[tuple[str, str], DnsRecord] = field(factory=dict)
    replicas: int = 0
    """The number that the cloud keeps (`Kind.REPLICAS`)."""
    calls: list[str] = field(factory=list)
    """Verbs in the order in which they were called."""
    _serial: int = 0

    def __attrs_post_init__(self) -> None:
        for number in range(1, self.core + 1):
            machine = self._make(NodeRole.CORE, self.zones[(number - 1) % len(self.zones)])
            machine.node_id = f"node-{number}"
            machine.tags[NODE_ID] = machine.node_id
            machine.runs_at = machine.visible_at = self.calendar.now()
            machine.registered = True

    # what happens without us

    def add(self, *, zone: str = "", age_seconds: float = 0) -> Machine:
        """An elastic machine that runs already and that nobody has created."""
        machine = self._make(NodeRole.WORKER, zone or self.zones[0])
        machine.born -= age_seconds
        machine.created_at -= timedelta(seconds=age_seconds)
        machine.runs_at = machine.visible_at = machine.born
        self.replicas += 1
        return machine

    def kill(self, machine_id: str, *, listed: bool = False) -> None:
        """A machine dies.

        Args:
            machine_id: which.
            listed: whether the cloud goes on to list it as running, as with a node that hangs.
        """
        machine = self.machines[machine_id]
        machine.died = True
        if not listed:
            machine.gone_at = self.calendar.now()
            self._refill()

    def interrupt(self, machine_id: str, notice_seconds: float = 120) -> None:
        """Announce that a machine is taken back, and take it then."""
        machine = self.machines[machine_id]
        machine.interruption_at = self.calendar.utc() + timedelta(seconds=notice_seconds)
        machine.taken_at = self.calendar.now() + notice_seconds

    def alive(self, role: NodeRole = NodeRole.WORKER) -> list[Machine]:
        """Machines of a role that live, oldest first."""
        now = self.calendar.now()
        return [
            each
            for each in self.machines.values()
            if each.role is role and each.state(now).alive and self._is_ours(each)
        ]

    # CloudManager

    @property
    def facts(self) -> Mapping[str, str]:
        """Where it is."""
        return {"provider": "fake", "region": "memory", "compute": self.kind.value, "cluster": self.cluster}

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """See `CloudManager.create_node`."""
        lost = await self._begin("create_node")
        machine = self._by_token(spec.token) or self._create(spec)
        if lost is not None:
            raise lost
        return self._shown(machine)

    async def terminate_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_node`."""
        await self._end("terminate_node", node_id, NodeRole.WORKER)

    async def terminate_core_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_core_node`."""
        await self._end("terminate_core_node", node_id, NodeRole.CORE)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        await self._begin("list_nodes")
        self._refill()
        now = self.calendar.now()
        shown = [
            machine
            for machine in self.machines.values()
            if self._is_ours(machine)
            and machine.visible_at <= now
            and (machine.ends_at is None or now - machine.ends_at < self.remembered_seconds)
        ]
        return [self._shown(machine) for machine in sorted(shown, key=lambda each: (each.born, each.id))]

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        await self._begin("get_node")
        return self._shown(self._known(node_id))

    async def register_target(self, node_id: str) -> None:
        """See `CloudManager.register_target`."""
        lost = await self._begin("register_target")
        if not self.balanced:
            return
        machine = self._known(node_id)
        machine.registered, machine.draining_until = True, None
        if lost is not None:
            raise lost

    async def deregister_target(self, node_id: str) -> None:
        """See `CloudManager.deregister_target`."""
        lost = await self._begin("deregister_target")
        machine = self.machines.get(node_id)
        if machine is None or not self.balanced or not self._is_ours(machine):
            return
        if machine.registered:
            machine.registered = False
            machine.draining_until = self.calendar.now() + self.drain_seconds
        if lost is not None:
            raise lost
        while machine.draining_until is not None and machine.draining_until > self.calendar.now():
            await self.calendar.sleep(POLL_SECONDS)
        machine.draining_until = None

    async def list_targets(self) -> list[Target]:
        """See `CloudManager.list_targets`."""
        await self._begin("list_targets")
        now = self.calendar.now()
        found = []
        for machine in self.machines.values() if self.balanced else ():
            if machine.registered and machine.state(now) is not NodeState.TERMINATED:
                well = machine.state(now) is NodeState.RUNNING and not machine.died
                health = TargetHealth.HEALTHY if well else TargetHealth.UNHEALTHY
                found.append(Target(id=machine.id, health=health))
            elif machine.draining_until is not None:
                found.append(Target(id=machine.id, health=TargetHealth.DRAINING))
        return sorted(found, key=lambda target: target.id)

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        lost = await self._begin("update_dns_record")
        if self.dns_zone is None:
            raise NotFound(f"{self.cluster} has no DNS zone")
        if self.dns_zone and not f".{record.name}".endswith(f".{self.dns_zone}"):
            raise NotFound(f"{record.name} is not in the DNS zone {self.dns_zone}")
        if record.values:
            self.records[record.name, record.type] = record
        else:
            self.records.pop((record.name, record.type), None)
        if lost is not None:
            raise lost

    async def close(self) -> None:
        """Nothing to give back."""

    # inside

    async def _begin(self, verb: str) -> CloudError | None:
        """Count a call, and let go wrong what shall; returns what to raise once it is done."""
        self.calls.append(verb)
        await self.calendar.sleep(0)
        fault = next((each for each in self.faults if each.verb in {verb, "*"}), None)
        if fault is None:
            return None
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        message = f"{verb}: {fault.effect}"
        match fault.effect:
            case Effect.LOST_REPLY:
                return CloudUnavailable(message)
            case Effect.SLOW:
                await self.calendar.sleep(60)
                return None
            case Effect.THROTTLED:
                raise Throttled(message)
            case Effect.DENIED:
                raise Denied(message)
            case Effect.QUOTA:
                raise QuotaExceeded(message)
            case Effect.CONFLICT:
                raise Conflict(message)
        raise CloudUnavailable(message)

    def _create(self, spec: NodeSpec) -> Machine:
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes cannot be created")
        if spec.zone is not None and spec.zone not in self.zones:
            raise InvalidRequest(f"there is no zone {spec.zone}, only {', '.join(self.zones)}")
        asked = [spec.zone] if spec.zone else list(self.zones)
        stocked = [zone for zone in asked if zone not in self.out_of_stock]
        if not stocked:
            raise CapacityUnavailable(f"no room in {', '.join(asked)}", code="OutOfStock")
        if self.limit is not None and len(self.alive()) + self.core >= self.limit:
            raise QuotaExceeded(f"the limit of {self.limit} machines is reached")
        if self.kind is Kind.REPLICAS:
            wanted = self.replicas + 1 if spec.desired is None else max(self.replicas, spec.desired)
            self.replicas = wanted
            self._refill()
            brought = next((each for each in self.alive() if not each.token), None)
            if brought is None:
                raise CloudUnavailable(f"{wanted} are there, and none of them is new")
            machine = brought
        else:
            fewest = min(stocked, key=lambda zone: sum(1 for each in self.alive() if each.zone == zone))
            machine = self._make(NodeRole.WORKER, fewest)
        machine.token, machine.size = spec.token, spec.size or "standard"
        machine.spot = bool(spec.spot)
        machine.tags = {**spec.tags, **machine.tags, TOKEN: spec.token}
        return machine

    def _refill(self) -> None:
        """What the cloud does by itself where it keeps a number."""
        while self.kind is Kind.REPLICAS and len(self.alive()) < self.replicas:
            zone = min(self.zones, key=lambda name: sum(1 for each in self.alive() if each.zone == name))
            self._make(NodeRole.WORKER, zone)

    async def _end(self, verb: str, node_id: str, role: NodeRole) -> None:
        lost = await self._begin(verb)
        machine = self.machines.get(node_id)
        if machine is None:
            return
        if not self._is_ours(machine):
            raise Denied(f"{node_id} is no node of {self.cluster}")
        if machine.role is not role:
            raise Conflict(f"{node_id} is a {machine.role} node")
        if machine.state(self.calendar.now()).alive:
            if role is NodeRole.WORKER:
                self.replicas = max(0, self.replicas - 1)
            machine.gone_at = self.calendar.now() + self.stop_seconds
        if lost is not None:
            raise lost
        while machine.state(self.calendar.now()) is not NodeState.TERMINATED:
            await self.calendar.sleep(POLL_SECONDS)
        machine.registered, machine.draining_until = False, None

    def _make(self, role: NodeRole, zone: str) -> Machine:
        self._serial += 1
        now = self.calendar.now()
        machine = Machine(
            id=f"i-{self._serial:04d}",
            role=role,
            zone=zone,
            size="standard",
            address=f"10.0.{self._serial // 250}.{self._serial % 250 + 1}",
            born=now,
            created_at=self.calendar.utc(),
            runs_at=now + self.boot_seconds,
            visible_at=now + self.hidden_seconds,
            tags=node_tags(standard_tags(self.cluster), role, PORT),
        )
        self.machines[machine.id] = machine
        return machine

    def _by_token(self, token: str) -> Machine | None:
        return next((each for each in self.machines.values() if each.token == token), None)

    def _known(self, node_id: str) -> Machine:
        machine = self.machines.get(node_id)
        if machine is None or not self._is_ours(machine):
            raise NotFound(f"there is no node {node_id} in {self.cluster}")
        return machine

    def _is_ours(self, machine: Machine) -> bool:
        return machine.tags.get(CLUSTER) == self.cluster

    def _shown(self, machine: Machine) -> NodeInstance:
        state = machine.state(self.calendar.now())
        return NodeInstance(
            id=machine.id,
            state=state,
            role=machine.role,
            zone=machine.zone,
            size=machine.size,
            address=machine.address if state is not NodeState.PROVISIONING else "",
            name=machine.node_id or machine.id,
            node_id=machine.node_id,
            token=machine.token,
            created_at=machine.created_at,
            spot=machine.spot,
            interruption_at=machine.interruption_at,
            tags=dict(machine.tags),
        )
