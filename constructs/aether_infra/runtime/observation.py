"""What is known of a cluster at one moment: the cloud's view, Aether's view and the journal's, put together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.model import NodeState, TargetHealth


class Lifecycle(StrEnum):
    """Where a node is in its life, in Aether's own words."""

    JOINING = "JOINING"
    ON_DUTY = "ON_DUTY"
    DRAINING = "DRAINING"
    DECOMMISSIONED = "DECOMMISSIONED"
    SHUTTING_DOWN = "SHUTTING_DOWN"


class Phase(StrEnum):
    """What a node is to the controller."""

    BOOTING = "booting"
    """On its way: the machine starts, or its node has not joined yet and is within its time."""
    SERVING = "serving"
    """On duty."""
    LOST = "lost"
    """Was on duty and is not seen any more, but not for long enough to be called dead."""
    LEAVING = "leaving"
    """An operation removes it, or it is on its way out by itself."""
    HELD = "held"
    """Drained on purpose; its machine stays until somebody says otherwise."""
    DEAD = "dead"
    """Never joined within its time, or lost for too long, or its machine has failed."""
    ORPHAN = "orphan"
    """A machine that neither the journal nor Aether knows, and not young any more."""
    GONE = "gone"
    """Its machine has ended; it is only still listed."""


@frozen(kw_only=True)
class NodeView:
    """One node."""

    id: str
    """The cloud's id."""
    role: NodeRole
    phase: Phase
    state: NodeState
    """Of its machine."""
    aether_id: str = ""
    """Aether's id; empty while not known."""
    lifecycle: Lifecycle | None = None
    """What Aether says; None where it knows no such node, or does not say."""
    leader: bool = False
    votes: bool = False
    """Whether Aether counts it among its core nodes, as it may do with elastic ones where core nodes are missing."""
    zone: str = ""
    size: str = ""
    address: str = ""
    name: str = ""
    token: str = ""
    spot: bool = False
    target: TargetHealth | None = None
    """What the load balancer says; None for not registered."""
    cpu: float | None = None
    """Load of its processors, 0-1; None where it is not known."""
    heap: float | None = None
    """Share of its heap that is in use, 0-1; None where it is not known."""
    created_at: datetime | None = None
    """UTC."""
    age_seconds: float = 0
    """How long it is known to exist."""
    lost_seconds: float = 0
    """How long it has not been seen on duty, if it ever was."""
    interruption_at: datetime | None = None
    """When the cloud takes it back; None for not announced."""
    operation_id: str = ""
    """The operation that has it at the moment; empty for none."""


@frozen(kw_only=True)
class Thresholds:
    """The node's own controller configuration (`GET /api/controller/config`), with its defaults."""

    cpu_up: float = 0.8
    """Mean load of processors from which on there are too few nodes, 0-1."""
    cpu_down: float = 0.2
    """Mean load below which there are too many, 0-1."""
    calls_up: float = 1000
    """Calls a second and node from which on there are too few."""


@frozen(kw_only=True)
class Observation:
    """A cluster at one moment."""

    at: datetime
    """UTC."""
    nodes: tuple[NodeView, ...]
    """Core and elastic, sorted by creation time, then id; those that are gone left out."""
    coming: int = 0
    """Creations that are written down and have no machine yet."""
    core: int
    """Core nodes that there shall be: the voters."""
    minimum: int
    """Fewest elastic nodes."""
    maximum: int
    """Most elastic nodes."""
    fixed: int | None = None
    """Number that a person has set; None in mode `auto`."""
    reachable: bool = True
    """Whether any node has answered on Aether's management API."""
    quorum: bool | None = True
    """Whether Aether says that it has a quorum; None where it does not say."""
    leader_id: str = ""
    """Aether's id of the leader; empty where there is none."""
    calls_per_second: float | None = None
    """Of the whole cluster; None where it is not known."""
    thresholds: Thresholds = field(factory=Thresholds)
    problem: str = ""
    """Why something could not be seen; empty for nothing."""

    @property
    def elastic(self) -> tuple[NodeView, ...]:
        """Elastic nodes, in every phase."""
        return tuple(node for node in self.nodes if node.role is not NodeRole.CORE)

    @property
    def serving(self) -> tuple[NodeView, ...]:
        """Nodes on duty, core and elastic."""
        return tuple(node for node in self.nodes if node.phase is Phase.SERVING)

    @property
    def core_on_duty(self) -> int:
        """Core nodes on duty."""
        return sum(1 for node in self.serving if node.role is NodeRole.CORE)

    @property
    def count(self) -> int:
        """Elastic nodes that serve or will: what is compared with the desired number.

        One that the cloud is about to take back does not count, so that its replacement comes first.
        """
        counted = {Phase.SERVING, Phase.BOOTING, Phase.LOST}
        stays = (node for node in self.elastic if node.phase in counted and node.interruption_at is None)
        return self.coming + sum(1 for _ in stays)
