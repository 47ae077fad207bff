"""Which requests are taken: what is checked before an operation is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from aether_infra.config.words import listing, nearest
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.errors import AetherError
from aether_infra.runtime.engine.procedures import PROCEDURES
from aether_infra.runtime.engine.removal import core_nodes
from aether_infra.runtime.engine.steps import Context
from aether_infra.runtime.errors import InvalidRequest, NotFound
from aether_infra.runtime.journal.operations import Guard
from aether_infra.runtime.journal.records import Change
from aether_infra.runtime.journal.rows import Draft
from aether_infra.runtime.manager import new_token
from aether_infra.runtime.model import NodeInstance, NodeState
from aether_infra.runtime.operations import (
    ActivateNode,
    CollectNode,
    CreateNode,
    DrainNode,
    Operation,
    OperationKind,
    OperationState,
    RemoveCoreNode,
    RemoveNode,
    Request,
    UpdateDns,
    new_operation_id,
)
from aether_infra.runtime.quorum import Verdict, may_go
from aether_infra.runtime.refusals import OutOfBounds, Refused

CONTROLLER: Final = "controller"
"""Who asks when the controller does."""
CORE_CLAIM: Final = "core"
"""What every operation on a core node has for itself: one at a time."""


@frozen(kw_only=True)
class Admitted:
    """A request that may be taken."""

    draft: Draft
    since: datetime
    """When the cloud was looked at, UTC."""
    guard: Guard | None
    """What must be looked at again in the moment of writing."""
    findings: tuple[str, ...]
    """What was checked, with the numbers."""


class Admission:
    """Checks requests.

    Args:
        context: what the engine works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def check(self, request: Request, actor: str, reason: str, key: str) -> Admitted:
        """Look whether a request may be taken.

        Args:
            request: what is asked for.
            actor: who asks.
            reason: why.
            key: the idempotency key; empty for none.

        Raises:
            Refusal: it may not.
            CloudError: there is no such node, or the cloud cannot be asked.
        """
        since = self._context.calendar.utc()
        guard: Guard | None = None
        findings: tuple[str, ...] = ()
        node: NodeInstance | None = None
        claims: tuple[str, ...] = ()
        if isinstance(request, CreateNode):
            guard, findings = await self._creation(request)
        elif isinstance(request, UpdateDns):
            claims = (f"dns {request.record.name} {request.record.type}",)
        else:
            node = await self._node(request)
            findings = await self._about(request, node)
            core = node.role is NodeRole.CORE and request.kind is not OperationKind.REGISTER
            claims = (f"node {node.id}", *((CORE_CLAIM,) if core else ()))
        draft = Draft(
            id=new_operation_id(),
            kind=request.kind,
            request=request.plain(),
            actor=actor,
            reason=reason,
            node_id=request.target,
            zone=node.zone if node else getattr(request, "zone", None) or "",
            token=new_token() if isinstance(request, CreateNode) else "",
            idempotency_key=key,
            claims=claims,
            change=await self._change(request, node, actor),
        )
        return Admitted(draft=draft, since=since, guard=guard, findings=findings)

    async def _node(self, request: Request) -> NodeInstance:
        node = await self._context.manager.get_node(request.target)
        if node.state is NodeState.TERMINATED:
            raise NotFound(f"{node.id} is gone already")
        return node

    async def _about(self, request: Request, node: NodeInstance) -> tuple[str, ...]:
        """Check what is asked of an existing node."""
        core = node.role is NodeRole.CORE
        if isinstance(request, RemoveNode | CollectNode) and core:
            raise Refused(f"{node.id} is the core node {node.node_id}, which goes by explicit command only")
        if isinstance(request, RemoveCoreNode):
            if not core:
                raise Refused(f"{node.id} is an elastic node, and no core node")
            return await self._core(node, allow_leader=request.allow_leader)
        if isinstance(request, DrainNode) and core:
            if not request.allow_core:
                raise Refused(
                    f"{node.id} is the core node {node.node_id}, which is drained by explicit command only"
                )
            return await self._core(node, allow_leader=True)
        return ()

    async def _core(self, node: NodeInstance, *, allow_leader: bool) -> tuple[str, ...]:
        verdict = await self.quorum(node, allow_leader=allow_leader)
        if not verdict.allowed:
            raise Refused(verdict.text)
        return (verdict.text,)

    async def quorum(self, node: NodeInstance, *, allow_leader: bool) -> Verdict:
        """Whether a core node may leave."""
        context = self._context
        try:
            membership = await context.look.membership(0)
        except AetherError as error:
            return Verdict(allowed=False, text=f"nobody can say whether a quorum would remain: {error}")
        if membership.quorum is False:
            return Verdict(allowed=False, text="Aether has no quorum: no core node may go")
        core = await core_nodes(context, membership)
        return may_go(core, context.settings.core_nodes, node.node_id, allow_leader=allow_leader)

    async def _creation(self, request: CreateNode) -> tuple[Guard, tuple[str, ...]]:
        zones = self._context.manager.zones
        if request.zone is not None and zones and request.zone not in zones:
            hint = nearest(request.zone, zones)
            message = f'there is no zone "{request.zone}", only {listing(zones)}'
            raise InvalidRequest(f"{message} ({hint})" if hint else message)
        nodes = await self._context.look.nodes()
        alive = {node.id: node.token for node in nodes.values() if _elastic(node)}
        most = self._context.settings.elastic_maximum

        def guard(operations: Sequence[Operation]) -> None:
            count = machines(alive, operations)
            if count + 1 > most:
                raise OutOfBounds(
                    f"{count} elastic nodes are there or on their way, and there may be {most} at the most"
                )

        return guard, (f"{len(alive)} elastic nodes are there, {most} at the most",)

    async def _change(self, request: Request, node: NodeInstance | None, actor: str) -> Change | None:
        """How the number moves, so that the controller does not take back what a person has done.

        Nodes that do not count, as they are drained or lost already, move nothing when they go.
        """
        if actor == CONTROLLER or (node is not None and node.role is NodeRole.CORE):
            return None
        known = await self._context.journal.roster.get(node.id) if node else None
        held = known is not None and known.held
        counts = known is None or (known.lost_at is None and not held)
        by = 0
        if isinstance(request, CreateNode) or (isinstance(request, ActivateNode) and held):
            by = 1
        elif isinstance(request, DrainNode) or (isinstance(request, RemoveNode) and not request.replace):
            by = -1 if counts else 0
        if not by:
            return None
        settings = self._context.settings
        return Change(by=by, fewest=settings.elastic_minimum, most=settings.elastic_maximum)


def machines(alive: Mapping[str, str], operations: Sequence[Operation]) -> int:
    """How many elastic machines there are or will be: those that were seen, and those that creations bring.

    Args:
        alive: token by id of those that were seen.
        operations: those that are open, or were over only after the look.
    """
    tokens = set(alive.values())
    coming = sum(
        1
        for operation in operations
        if operation.kind is OperationKind.CREATE
        and operation.state not in {OperationState.FAILED, OperationState.CANCELLED}
        and operation.node_id not in alive
        and operation.token not in tokens
    )
    return len(alive) + coming


def says(request: Request) -> tuple[str, ...]:
    """What the steps of a request do, as sentences."""
    node = request.target or "the node"
    return tuple(step.says.format(node=node) for step in PROCEDURES[request.kind].steps)


def cancellable(operation: Operation) -> str:
    """Why an operation cannot be cancelled where it is; empty if it can."""
    if operation.state is OperationState.UNDOING or PROCEDURES[operation.kind].cancellable(operation.step):
        return ""
    return f"{operation.id} is past its point of no return: {operation.step}"


def _elastic(node: NodeInstance) -> bool:
    return node.role is not NodeRole.CORE and node.state is not NodeState.TERMINATED
