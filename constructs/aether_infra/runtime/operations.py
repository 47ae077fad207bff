"""What the engine is asked for, and what the journal knows of it: requests, operations and their history."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from attrs import asdict, field, frozen

from aether_infra.runtime.model import DnsRecord


class OperationKind(StrEnum):
    """What an operation does; `procedures.PROCEDURES` has the steps of each."""

    CREATE = "create"
    """An elastic node: created, joined, behind the load balancer."""
    REMOVE = "remove"
    """An elastic node: out of the load balancer, drained, ended."""
    REMOVE_CORE = "remove_core"
    """A core node, the same way, if a quorum remains."""
    DRAIN = "drain"
    """A node leaves the load balancer and is drained; its machine stays."""
    ACTIVATE = "activate"
    """A drained node comes back."""
    REGISTER = "register"
    """A node is put behind the load balancer."""
    DEREGISTER = "deregister"
    """A node is taken from the load balancer."""
    DNS = "dns"
    """A DNS record is made what it shall be."""
    COLLECT = "collect"
    """A machine that nobody knows is ended."""


class OperationState(StrEnum):
    """Where an operation is."""

    PENDING = "pending"
    """Written down, not begun."""
    RUNNING = "running"
    """On its way: its `step` says where."""
    UNDOING = "undoing"
    """Cancelled or failed: what was done is taken back, `step` says which."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """`error` says why."""
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self in {OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED}


class Happening(StrEnum):
    """What a line of an operation's history tells."""

    SUBMITTED = "submitted"
    STARTED = "started"
    """A step is about to be tried."""
    WAITING = "waiting"
    """A step looks on; the text says for what. Written once for each text."""
    RETRYING = "retrying"
    """A try failed and will be repeated; the text is the error."""
    DONE = "done"
    SKIPPED = "skipped"
    """A step was not needed, or not possible; the text says why."""
    FAILED = "failed"
    UNDOING = "undoing"
    """What a step did is about to be taken back."""
    UNDONE = "undone"
    CANCEL = "cancel"
    """Somebody wants it cancelled."""
    ENDED = "ended"
    """The operation is over; the text says how."""


@frozen(kw_only=True)
class StepRecord:
    """One line of an operation's history; never changed, never removed while the operation is kept."""

    sequence: int
    """Rises with time over all operations: what comes later has the greater number."""
    operation_id: str
    at: datetime
    """UTC."""
    happening: Happening
    step: str
    """Name of the step; empty where it is about the operation as a whole."""
    text: str
    """More about it, for a person; may be empty."""


@frozen(kw_only=True)
class Operation:
    """One intended change, from the moment it was written down."""

    id: str
    """`op-` and 20 hexadecimal digits."""
    kind: OperationKind
    state: OperationState
    step: str
    """The step that it is at, or was last; empty before the first."""
    step_since: datetime
    """Since when it is at that step, UTC."""
    node_id: str
    """The cloud's id of its node; empty for none, or none yet (a creation)."""
    zone: str
    """Zone of the node; empty while not known."""
    token: str
    """Token of a creation; empty for other kinds."""
    desired: int | None
    """With a creation where the cloud keeps a number: the number; see `NodeSpec.desired`."""
    request: Mapping[str, Any]
    """What was asked for, as plain data."""
    facts: Mapping[str, Any]
    """What was found on the way and later steps (or their undoing) need, as plain data."""
    actor: str
    """Who wanted it: `controller`, or the name of an API key."""
    reason: str
    """Why, in words."""
    idempotency_key: str
    """The key that it was asked for with; empty for none."""
    error: str
    """Why it failed, or the latest failed try; empty for none."""
    attempts: int
    """Failed tries of the current step in a row."""
    cancel_requested: bool
    not_before: datetime | None
    """When the next try is due, UTC; None for now."""
    created_at: datetime
    """UTC."""
    updated_at: datetime
    """UTC."""
    finished_at: datetime | None
    """UTC; None while it is not over."""

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self.state.over


@frozen(kw_only=True)
class Request:
    """What can be asked for. Which checks are made before it is taken, `Engine.submit` says."""

    kind: ClassVar[OperationKind]

    @property
    def target(self) -> str:
        """The node that it is about; empty for none."""
        return ""

    def plain(self) -> dict[str, Any]:
        """It as plain data, for the journal."""
        return asdict(self)


@frozen(kw_only=True)
class CreateNode(Request):
    """An elastic node more."""

    kind: ClassVar = OperationKind.CREATE

    zone: str | None = None
    """Zone; default: the manager's choice."""
    size: str | None = None
    """Machine type; default: the launch template's."""
    spot: bool | None = None
    """Whether on capacity that the cloud may take back; default: as the launch template says."""
    tags: Mapping[str, str] = field(factory=dict)
    """Further tags."""


@frozen(kw_only=True)
class NodeRequest(Request):
    """Something about one node."""

    node_id: str
    """The cloud's id."""

    @property
    def target(self) -> str:
        """The node."""
        return self.node_id


@frozen(kw_only=True)
class RemoveNode(NodeRequest):
    """End an elastic node, in order."""

    kind: ClassVar = OperationKind.REMOVE

    force: bool = False
    """Go on when the node does not drain in time, or refuses to."""
    replace: bool = False
    """Whether another one shall come in its place; otherwise the number that there shall be goes down by one."""


@frozen(kw_only=True)
class RemoveCoreNode(NodeRequest):
    """End a core node, in order, if a quorum remains."""

    kind: ClassVar = OperationKind.REMOVE_CORE

    allow_leader: bool = False
    """Also if it is the leader, which is otherwise left for last."""


@frozen(kw_only=True)
class DrainNode(NodeRequest):
    """Take a node out of service; its machine stays, and the number that there shall be goes down by one."""

    kind: ClassVar = OperationKind.DRAIN

    allow_core: bool = False
    """Also if it is a core node; the quorum is looked at as for a removal."""


@frozen(kw_only=True)
class ActivateNode(NodeRequest):
    """Put a drained node back into service; the number that there shall be goes up by one."""

    kind: ClassVar = OperationKind.ACTIVATE


@frozen(kw_only=True)
class RegisterTarget(NodeRequest):
    """Put a node behind the load balancer."""

    kind: ClassVar = OperationKind.REGISTER


@frozen(kw_only=True)
class DeregisterTarget(NodeRequest):
    """Take a node from the load balancer, and wait for its open requests."""

    kind: ClassVar = OperationKind.DEREGISTER


@frozen(kw_only=True)
class UpdateDns(Request):
    """Make a DNS record what it shall be."""

    kind: ClassVar = OperationKind.DNS

    record: DnsRecord


@frozen(kw_only=True)
class CollectNode(NodeRequest):
    """End a machine that neither the journal nor Aether knows."""

    kind: ClassVar = OperationKind.COLLECT


REQUESTS: Mapping[OperationKind, type[Request]] = {
    each.kind: each
    for each in (
        CreateNode,
        RemoveNode,
        RemoveCoreNode,
        DrainNode,
        ActivateNode,
        RegisterTarget,
        DeregisterTarget,
        UpdateDns,
        CollectNode,
    )
}
"""The request of each kind of operation."""


def new_operation_id() -> str:
    """An id for an operation."""
    return f"op-{secrets.token_hex(10)}"


@frozen(kw_only=True)
class Plan:
    """What a request would do, found out without doing anything."""

    kind: OperationKind
    node_id: str
    """The node that it is about; empty for none."""
    steps: tuple[str, ...]
    """What would be done, one sentence a step, in order."""
    allowed: bool
    """Whether it would be taken."""
    findings: tuple[str, ...]
    """Why not, or what was checked, with the numbers."""


class Mode(StrEnum):
    """Who decides how many elastic nodes there shall be."""

    AUTO = "auto"
    """The policy, by the load."""
    FIXED = "fixed"
    """A person, by a number."""


@frozen(kw_only=True)
class Desired:
    """How many elastic nodes there shall be."""

    mode: Mode
    count: int | None
    """The fixed number; None in mode `auto`."""
    minimum: int
    """Fewest elastic nodes."""
    maximum: int
    """Most elastic nodes."""
    set_by: str
    """Who set it last; empty if nobody has."""
    set_at: datetime | None
    """When, UTC."""


@frozen(kw_only=True)
class AuditEntry:
    """One line of the audit log, which is only ever added to."""

    sequence: int
    at: datetime
    """UTC."""
    actor: str
    """Who."""
    action: str
    """What, such as `submit remove`."""
    subject: str
    """About what: an operation's or a node's id, a setting's name."""
    result: str
    """`accepted`, `refused`, `succeeded`, `failed` …"""
    detail: str
    """More about it; may be empty."""
