"""What goes over the wire. Unknown keys are refused; times are UTC; absent facts are null."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aether_infra.runtime import operations as domain
from aether_infra.runtime.collector import Orphan as DomainOrphan
from aether_infra.runtime.model import DnsRecord as DomainRecord
from aether_infra.runtime.model import Target as DomainTarget
from aether_infra.runtime.observation import NodeView, Observation
from aether_infra.runtime.policy.model import Decision as DomainDecision

NODE = "i-0123456789abcdef0"
OPERATION = "op-0123456789abcdef0123"
MOMENT = "2026-11-25T12:00:00Z"
_HOST = r"^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"


class Wire(BaseModel):
    """What is common to everything that goes over the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Node(Wire):
    """A node: its machine in the cloud, and what Aether says of it."""

    id: str = Field(description="The cloud's id.", examples=[NODE])
    role: str = Field(description="core or worker", examples=["worker"])
    phase: str = Field(
        description="What it is to the controller: booting, serving, lost, leaving, held, dead, orphan.",
        examples=["serving"],
    )
    state: str = Field(description="Of its machine: provisioning, running, stopping.", examples=["running"])
    aether_id: str = Field(description="Aether's id; empty while not known.", examples=["node-10-0-1-7-8090"])
    lifecycle: str | None = Field(description="What Aether says of it.", examples=["ON_DUTY"])
    leader: bool = Field(description="Whether it leads the Aether cluster.", examples=[False])
    zone: str = Field(examples=["us-west-2a"])
    size: str = Field(examples=["m6i.large"])
    address: str = Field(description="Private address.", examples=["10.0.1.7"])
    name: str = Field(examples=["aether-elastic"])
    spot: bool = Field(description="Whether the cloud may take it back.", examples=[False])
    target: str | None = Field(
        description="What the load balancer says; null for not registered.", examples=["healthy"]
    )
    cpu: float | None = Field(description="Load of its processors, 0-1.", examples=[0.42])
    heap: float | None = Field(description="Share of its heap in use, 0-1.", examples=[0.6])
    created_at: datetime | None = Field(examples=[MOMENT])
    interruption_at: datetime | None = Field(
        description="When the cloud takes it back, if it has said so.", examples=[None]
    )
    operation_id: str = Field(description="The operation that has it now; empty for none.", examples=[""])

    @classmethod
    def of(cls, node: NodeView) -> Node:
        """A node as the observer sees it."""
        return cls(
            **{
                name: getattr(node, name)
                for name in cls.model_fields
                if name not in {"role", "phase", "state", "lifecycle", "target"}
            },
            role=node.role.value,
            phase=node.phase.value,
            state=node.state.value,
            lifecycle=node.lifecycle.value if node.lifecycle else None,
            target=node.target.value if node.target else None,
        )


class Nodes(Wire):
    """Every node of the cluster."""

    at: datetime = Field(description="When this was seen.", examples=[MOMENT])
    nodes: list[Node]
    quorum: bool | None = Field(description="Whether Aether says that it has a quorum.", examples=[True])
    reachable: bool = Field(description="Whether any node's management API answers.", examples=[True])
    problem: str = Field(description="What could not be seen, and why; empty for nothing.", examples=[""])

    @classmethod
    def of(cls, seen: Observation) -> Nodes:
        """What was observed."""
        return cls(
            at=seen.at,
            nodes=[Node.of(node) for node in seen.nodes],
            quorum=seen.quorum,
            reachable=seen.reachable,
            problem=seen.problem,
        )


class CreateNode(Wire):
    """An elastic node to create; everything may be left out."""

    zone: str | None = Field(
        None, description="Default: the manager's choice.", max_length=200, examples=["us-west-2a"]
    )
    size: str | None = Field(
        None, description="Machine type; default: the template's.", max_length=200, examples=[None]
    )
    spot: bool | None = Field(None, description="Default: as the template says.", examples=[None])
    tags: dict[str, str] = Field(
        default_factory=dict, description="Further tags.", max_length=30, examples=[{}]
    )
    reason: str = Field("", max_length=500, description="For the history.", examples=["sale begins at noon"])


class DrainNode(Wire):
    """How a node is drained."""

    core: bool = Field(default=False, description="Also if it is a core node, if a quorum remains.")
    reason: str = Field("", max_length=500)


class TerminateNode(Wire):
    """How a node is ended."""

    force: bool = Field(default=False, description="Elastic nodes: go on if it does not drain in time.")
    replace: bool = Field(default=False, description="Elastic nodes: another one shall come in its place.")
    core: bool = Field(
        default=False, description="It is a core node, and this is meant; a quorum must remain."
    )
    allow_leader: bool = Field(default=False, description="Core nodes: also if it is the leader.")
    reason: str = Field("", max_length=500)


class Reason(Wire):
    """Why."""

    reason: str = Field("", max_length=500, description="For the history.")


class Target(Wire):
    """A node behind the load balancer."""

    id: str = Field(description="The node's cloud id.", examples=[NODE])
    health: str = Field(description="initial, healthy, unhealthy, draining, unknown", examples=["healthy"])
    reason: str = Field(examples=[""])

    @classmethod
    def of(cls, target: DomainTarget) -> Target:
        """A target as the cloud lists it."""
        return cls(id=target.id, health=target.health.value, reason=target.reason)


class Targets(Wire):
    """Every target."""

    targets: list[Target]


class DnsRecord(Wire):
    """A DNS record as it shall be."""

    name: str = Field(
        description="Full name in lower case, without a final dot.",
        pattern=_HOST,
        max_length=253,
        examples=["api.aether.example.com"],
    )
    type: Literal["A", "AAAA", "CNAME", "TXT"] = Field(examples=["A"])
    values: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        description="All values; none removes the record.", max_length=100, examples=[["10.0.1.7"]]
    )
    ttl_seconds: int = Field(60, ge=1, le=86400, examples=[60])

    def record(self) -> DomainRecord:
        """The record."""
        return DomainRecord(
            name=self.name, type=self.type, values=tuple(self.values), ttl_seconds=self.ttl_seconds
        )


class Scale(Wire):
    """How many elastic nodes there shall be."""

    mode: Literal["auto", "fixed"] = Field(
        description="By the load, or by a person's number.", examples=["auto"]
    )
    count: int | None = Field(description="The fixed number; null in mode auto.", examples=[None])
    minimum: int = Field(description="Fewest elastic nodes.", examples=[0])
    maximum: int = Field(description="Most elastic nodes.", examples=[7])
    set_by: str = Field(examples=["alice"])
    set_at: datetime | None = Field(examples=[MOMENT])
    core: int = Field(description="Core nodes, the voters.", examples=[3])
    desired: int | None = Field(description="Decided last.", examples=[2])
    actual: int | None = Field(description="There or coming, at the last decision.", examples=[2])
    serving: int | None = Field(description="On duty, at the last decision.", examples=[1])
    reason: str = Field(
        description="Why that was decided.", examples=["mean load 0.42 is within 0.2 and 0.8"]
    )
    managed: bool = Field(
        description="Whether the number is this service's; else the cloud's own autoscaler owns it.",
        examples=[True],
    )


class SetScale(Wire):
    """How many elastic nodes there shall be from now on."""

    mode: Literal["auto", "fixed"] = Field("fixed", examples=["fixed"])
    count: int | None = Field(None, ge=0, le=1000, description="With mode fixed.", examples=[4])


class Operation(Wire):
    """A change on its way, or done."""

    id: str = Field(examples=[OPERATION])
    kind: str = Field(examples=["create"])
    state: str = Field(
        description="pending, running, undoing, succeeded, failed, cancelled", examples=["running"]
    )
    step: str = Field(examples=["boot"])
    node_id: str = Field(examples=[NODE])
    zone: str = Field(examples=["us-west-2a"])
    actor: str = Field(examples=["alice"])
    reason: str = Field(examples=["sale begins at noon"])
    error: str = Field(description="Why it failed, or its latest failed try.", examples=[""])
    attempts: int = Field(description="Failed tries of this step in a row.", examples=[0])
    cancel_requested: bool = Field(examples=[False])
    created_at: datetime = Field(examples=[MOMENT])
    updated_at: datetime = Field(examples=[MOMENT])
    finished_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, operation: domain.Operation) -> Operation:
        """An operation of the journal."""
        plain = {name: getattr(operation, name) for name in cls.model_fields}
        return cls(**plain | {"kind": operation.kind.value, "state": operation.state.value})


class StepRecord(Wire):
    """A line of an operation's history."""

    sequence: int = Field(description="Rises over all operations.", examples=[42])
    operation_id: str = Field(examples=[OPERATION])
    at: datetime = Field(examples=[MOMENT])
    happening: str = Field(examples=["done"])
    step: str = Field(examples=["create"])
    text: str = Field(examples=["i-0123456789abcdef0 in us-west-2a"])

    @classmethod
    def of(cls, record: domain.StepRecord) -> StepRecord:
        """A line of the journal."""
        return cls(
            **{name: getattr(record, name) for name in cls.model_fields if name != "happening"},
            happening=record.happening.value,
        )


class OperationDetail(Operation):
    """An operation with its history."""

    history: list[StepRecord]


class Operations(Wire):
    """Operations, newest first."""

    operations: list[Operation]
    next: str | None = Field(description="Value of `before` for those that are older; null for no more.")


class PlanCreate(CreateNode):
    """What creating a node would do."""

    kind: Literal["create"]


class PlanTerminate(TerminateNode):
    """What ending a node would do."""

    kind: Literal["terminate"]
    node_id: str = Field(min_length=1, max_length=400, examples=[NODE])


class PlanDrain(DrainNode):
    """What draining a node would do."""

    kind: Literal["drain"]
    node_id: str = Field(min_length=1, max_length=400, examples=[NODE])


class PlanOther(Wire):
    """What something else about one node would do."""

    kind: Literal["activate", "register", "deregister", "collect"]
    node_id: str = Field(min_length=1, max_length=400, examples=[NODE])


class PlanDns(Wire):
    """What changing a DNS record would do."""

    kind: Literal["dns"]
    record: DnsRecord


class PlanScale(SetScale):
    """What setting the number of elastic nodes would do."""

    kind: Literal["scale"]


PlanRequest = Annotated[
    PlanCreate | PlanTerminate | PlanDrain | PlanOther | PlanDns | PlanScale, Field(discriminator="kind")
]
"""Any change, as what it would do."""


class Plan(Wire):
    """What a change would do; nothing has been done."""

    kind: str = Field(examples=["terminate"])
    node_id: str = Field(examples=[NODE])
    allowed: bool = Field(description="Whether it would be taken.", examples=[True])
    findings: list[str] = Field(description="Why not, or what was checked, with the numbers.", examples=[[]])
    steps: list[str] = Field(description="What would be done, in order.", examples=[["deregister and wait"]])

    @classmethod
    def of(cls, plan: domain.Plan, kind: str) -> Plan:
        """A plan of the engine."""
        return cls(
            kind=kind,
            node_id=plan.node_id,
            allowed=plan.allowed,
            findings=list(plan.findings),
            steps=list(plan.steps),
        )


class Decision(Wire):
    """A decision of the controller."""

    at: datetime = Field(examples=[MOMENT])
    desired: int = Field(examples=[2])
    actual: int = Field(examples=[2])
    serving: int = Field(examples=[2])
    load: float | None = Field(description="Mean load of processors, 0-1.", examples=[0.42])
    create: int = Field(examples=[0])
    remove: list[str] = Field(examples=[[]])
    reason: str = Field(examples=["mean load 0.42 is within 0.2 and 0.8"])
    holds: list[str] = Field(description="What is due and not done yet, and why.", examples=[[]])

    @classmethod
    def of(cls, decision: DomainDecision) -> Decision:
        """A decision of the policy."""
        plain = {name: getattr(decision, name) for name in cls.model_fields}
        return cls(
            **plain
            | {"remove": [removal.node_id for removal in decision.remove], "holds": list(decision.holds)}
        )


class Decisions(Wire):
    """Decisions, newest first."""

    decisions: list[Decision]


class Orphan(Wire):
    """A machine that costs money and serves nobody."""

    node_id: str = Field(examples=[NODE])
    zone: str = Field(examples=["us-west-2a"])
    age_seconds: float = Field(examples=[1800.0])
    reason: str = Field(examples=["no operation has made it"])

    @classmethod
    def of(cls, orphan: DomainOrphan) -> Orphan:
        """An orphan that the collector has found."""
        return cls(**{name: getattr(orphan, name) for name in cls.model_fields})


class Orphans(Wire):
    """Every orphan."""

    orphans: list[Orphan]


class AuditEntry(Wire):
    """A line of the audit log."""

    sequence: int = Field(examples=[7])
    at: datetime = Field(examples=[MOMENT])
    actor: str = Field(examples=["alice"])
    action: str = Field(examples=["submit create"])
    subject: str = Field(examples=[OPERATION])
    result: str = Field(examples=["accepted"])
    detail: str = Field(examples=[""])

    @classmethod
    def of(cls, entry: domain.AuditEntry) -> AuditEntry:
        """A line of the journal."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class Audit(Wire):
    """The audit log, newest first."""

    entries: list[AuditEntry]


class Place(Wire):
    """Where the cluster is, and who serves this."""

    facts: dict[str, str] = Field(examples=[{"provider": "aws", "region": "us-west-2", "cluster": "aether"}])
    version: str = Field(examples=["0.1.0"])
    leader: bool = Field(description="Whether this replica leads.", examples=[True])
    managed: bool = Field(examples=[True])
    role: str = Field(description="What the caller may do.", examples=["OPERATOR"])
    name: str = Field(description="Name of the caller's key.", examples=["alice"])


class Health(Wire):
    """Whether the service works."""

    status: Literal["UP", "DOWN"] = Field(examples=["UP"])
    detail: str = Field(examples=["leads"])


class FaultModel(BaseModel):
    """One fault of a request."""

    model_config = ConfigDict(populate_by_name=True)

    where: str = Field(alias="in", description="body, query, path or header")
    path: str = Field(examples=["ttl_seconds"])
    message: str = Field(examples=["unknown key"])
    hint: str | None = None


class ProblemModel(BaseModel):
    """A problem document: https://www.rfc-editor.org/rfc/rfc9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:aether-infra:problem:refused"])
    title: str = Field(examples=["It would do harm"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["without node-2, 1 of 3 core nodes would remain; a majority is 2"])
    instance: str = Field(examples=["/api/cloud/nodes/i-0123456789abcdef0/terminate"])
    errors: list[FaultModel] | None = None


def fields() -> Mapping[str, tuple[str, ...]]:
    """Which keys each body has, for near matches of a typo."""
    bodies: tuple[type[Wire], ...] = (CreateNode, DrainNode, TerminateNode, Reason, DnsRecord, SetScale)
    plans: dict[str, type[Wire]] = {
        "create": PlanCreate, "terminate": PlanTerminate, "drain": PlanDrain, "activate": PlanOther,
        "register": PlanOther, "deregister": PlanOther, "collect": PlanOther, "dns": PlanDns, "scale": PlanScale,
        "record": DnsRecord,
    }  # fmt: skip
    named: dict[str, Any] = {body.__name__: tuple(body.model_fields) for body in bodies}
    return named | {name: tuple(model.model_fields) for name, model in plans.items()}
