"""One handler a verb: parse, ask the engine, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from aether_infra import __version__
from aether_infra.api import events, schema
from aether_infra.api.auth import Role
from aether_infra.api.context import Admin, Key, Operator, Served, Viewer
from aether_infra.api.problems import MEDIA_TYPE, ProblemError
from aether_infra.runtime import operations as domain
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.operations import OperationKind, OperationState
from aether_infra.runtime.service import Service

PREFIX: Final = "/api/cloud"
"""Where the API is, as the design of Aether has it."""
MOST: Final = 500
"""Most items of a page."""

_PROBLEM: Final[dict[str, Any]] = {"model": schema.ProblemModel, "content": {MEDIA_TYPE: {}}}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {**_PROBLEM, "description": text}
    for status, text in {
        400: "The request cannot be read.",
        401: "No key.",
        403: "A wrong key, or a role that is not enough.",
        404: "There is no such thing.",
        409: "It would do harm, or something else has it.",
        422: "The request is wrong, or a number is outside of the bounds.",
        429: "Too many calls.",
        502: "The cloud refuses or cannot be reached.",
        503: "The journal cannot be used, or the cloud has no more.",
        507: "The account may not have more.",
    }.items()
}
"""Problems that any of these may answer with."""
ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Taken. Follow the operation at `Location`, or its events.",
        "headers": {"Location": {"description": "The operation.", "schema": {"type": "string"}}},
    }
}

NodeId = Annotated[
    str, Path(min_length=1, max_length=400, description="The cloud's id of the node.", examples=[schema.NODE])
]
OperationId = Annotated[str, Path(pattern="^op-[0-9a-f]{20}$", examples=[schema.OPERATION])]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items.")]

router = APIRouter(prefix=PREFIX, responses=RESPONSES)


@router.get("", tags=["service"])
async def place(service: Served, who: Viewer) -> schema.Place:
    """Where the cluster is, who serves this, and what the caller may do."""
    return schema.Place(
        facts=dict(service.manager.facts),
        version=__version__,
        leader=service.leader,
        managed=service.settings.managed,
        role=who.role.name,
        name=who.name,
    )


@router.get("/nodes", tags=["nodes"])
async def list_nodes(service: Served, _who: Viewer) -> schema.Nodes:
    """Every node: what the cloud lists, with what Aether, the load balancer and the journal say of it."""
    return schema.Nodes.of(await service.controller.observe())


@router.post("/nodes", tags=["nodes"], status_code=202, responses=ACCEPTED)
async def create_node(
    service: Served, who: Operator, key: Key, response: Response, body: schema.CreateNode | None = None
) -> schema.Operation:
    """Create an elastic node: made, joined, and put behind the load balancer."""
    wanted = body or schema.CreateNode.model_validate({})
    request = domain.CreateNode(zone=wanted.zone, size=wanted.size, spot=wanted.spot, tags=wanted.tags)
    return await _submit(service, request, who.name, wanted.reason, key, response)


@router.post("/nodes/{node_id:path}/drain", tags=["nodes"], status_code=202, responses=ACCEPTED)
async def drain_node(
    service: Served,
    who: Operator,
    key: Key,
    node_id: NodeId,
    response: Response,
    body: schema.DrainNode | None = None,
) -> schema.Operation:
    """Take a node out of service; its machine stays. A core node needs ADMIN, `core`, and a quorum that remains."""
    wanted = body or schema.DrainNode.model_validate({})
    _core_needs_admin(who, core=wanted.core)
    request = domain.DrainNode(node_id=node_id, allow_core=wanted.core)
    return await _submit(service, request, who.name, wanted.reason, key, response)


@router.post("/nodes/{node_id:path}/activate", tags=["nodes"], status_code=202, responses=ACCEPTED)
async def activate_node(
    service: Served,
    who: Operator,
    key: Key,
    node_id: NodeId,
    response: Response,
    body: schema.Reason | None = None,
) -> schema.Operation:
    """Put a drained node back into service."""
    reason = body.reason if body else ""
    return await _submit(service, domain.ActivateNode(node_id=node_id), who.name, reason, key, response)


@router.post("/nodes/{node_id:path}/terminate", tags=["nodes"], status_code=202, responses=ACCEPTED)
async def terminate_node(
    service: Served,
    who: Operator,
    key: Key,
    node_id: NodeId,
    response: Response,
    body: schema.TerminateNode | None = None,
) -> schema.Operation:
    """End a node in order: out of the load balancer, drained, ended, and verified.

    An elastic node takes the number that there shall be down by one, unless `replace`. A core node needs ADMIN, `core`,
    and a quorum that remains.
    """
    wanted = body or schema.TerminateNode.model_validate({})
    _core_needs_admin(who, core=wanted.core)
    request = _termination(node_id, wanted)
    return await _submit(service, request, who.name, wanted.reason, key, response)


@router.get("/nodes/{node_id:path}", tags=["nodes"])
async def get_node(service: Served, _who: Viewer, node_id: NodeId) -> schema.Node:
    """One node, by the cloud's id or by Aether's."""
    seen = await service.controller.observe()
    for node in seen.nodes:
        if node_id in {node.id, node.aether_id}:
            return schema.Node.of(node)
    raise NotFound(f"there is no node {node_id} in {service.settings.cluster_name}")


@router.get("/targets", tags=["targets"])
async def list_targets(service: Served, _who: Viewer) -> schema.Targets:
    """What the load balancer says of each registered node."""
    return schema.Targets(targets=[schema.Target.of(each) for each in await service.manager.list_targets()])


@router.put("/targets/{node_id:path}", tags=["targets"], status_code=202, responses=ACCEPTED)
async def register_target(
    service: Served, who: Operator, key: Key, node_id: NodeId, response: Response
) -> schema.Operation:
    """Put a node behind the load balancer."""
    return await _submit(service, domain.RegisterTarget(node_id=node_id), who.name, "", key, response)


@router.delete("/targets/{node_id:path}", tags=["targets"], status_code=202, responses=ACCEPTED)
async def deregister_target(
    service: Served, who: Operator, key: Key, node_id: NodeId, response: Response
) -> schema.Operation:
    """Take a node from the load balancer, and wait for its open requests."""
    return await _submit(service, domain.DeregisterTarget(node_id=node_id), who.name, "", key, response)


@router.put("/dns", tags=["dns"], status_code=202, responses=ACCEPTED)
async def update_dns(
    service: Served, who: Admin, key: Key, response: Response, body: schema.DnsRecord
) -> schema.Operation:
    """Make a DNS record of the cluster's zone what it shall be."""
    return await _submit(service, domain.UpdateDns(record=body.record()), who.name, "", key, response)


@router.get("/scale", tags=["scale"])
async def get_scale(service: Served, _who: Viewer) -> schema.Scale:
    """How many elastic nodes there shall be, by whose decision and why."""
    return await _scale(service)


@router.put("/scale", tags=["scale"])
async def set_scale(service: Served, who: Operator, body: schema.SetScale) -> schema.Scale:
    """Set how many elastic nodes there shall be, or leave it to the load (`mode` auto); the controller obeys."""
    await service.engine.set_desired(_wanted(body), actor=who.name)
    return await _scale(service)


@router.get("/operations", tags=["operations"])
async def list_operations(
    service: Served,
    _who: Viewer,
    state: Annotated[list[OperationState] | None, Query(description="In any of these states.")] = None,
    kind: Annotated[list[OperationKind] | None, Query(description="Of any of these kinds.")] = None,
    node_id: Annotated[str, Query(max_length=400, description="About this node.")] = "",
    limit: Limit = 100,
    before: Annotated[str, Query(max_length=40, description="Older than this one.")] = "",
) -> schema.Operations:
    """Operations, newest first."""
    found = await service.engine.operations(
        states=state, kinds=kind, node_id=node_id, limit=limit, before=before
    )
    more = found[-1].id if len(found) == limit else None
    return schema.Operations(operations=[schema.Operation.of(each) for each in found], next=more)


@router.get("/operations/{operation_id}", tags=["operations"])
async def get_operation(service: Served, _who: Viewer, operation_id: OperationId) -> schema.OperationDetail:
    """One operation, with its history."""
    operation = await service.engine.operation(operation_id)
    lines = await service.engine.history(operation_id)
    return schema.OperationDetail(
        **schema.Operation.of(operation).model_dump(), history=[schema.StepRecord.of(line) for line in lines]
    )


@router.post("/operations/{operation_id}/cancel", tags=["operations"], status_code=202)
async def cancel_operation(service: Served, who: Operator, operation_id: OperationId) -> schema.Operation:
    """Have an operation cancelled; what it has done is taken back. Past its point of no return it is refused."""
    return schema.Operation.of(await service.engine.cancel(operation_id, actor=who.name))


_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events, each with its sequence as `id` and a line of history as JSON.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/operations/{operation_id}/events", tags=["operations"], responses=_STREAM)
async def follow_operation(
    service: Served, _who: Viewer, operation_id: OperationId, request: Request
) -> StreamingResponse:
    """Follow one operation by server-sent events, until it is over."""
    await service.engine.operation(operation_id)
    stream = events.of_operation(service, operation_id, _after(request), _gone(request))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/events", tags=["operations"], responses=_STREAM)
async def follow_all(service: Served, _who: Viewer, request: Request) -> StreamingResponse:
    """Follow all operations by server-sent events: from now on, or from `Last-Event-ID` on."""
    after = _after(request)
    if not request.headers.get("last-event-id"):
        newest = await service.engine.operations(limit=1)
        lines = await service.engine.history(newest[0].id) if newest else []
        after = max((line.sequence for line in lines), default=0)
    stream = events.of_all(service, after, _gone(request))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/plan", tags=["plan"])
async def plan(
    service: Served,
    _who: Viewer,
    body: Annotated[
        schema.PlanRequest,
        Body(
            openapi_examples={
                "terminate": {"value": {"kind": "terminate", "node_id": schema.NODE}},
                "scale": {"value": {"kind": "scale", "mode": "fixed", "count": 4}},
            }
        ),
    ],
) -> schema.Plan:
    """What a change would do, found out without doing anything."""
    if isinstance(body, schema.PlanScale):
        return await _plan_scale(service, body)
    return schema.Plan.of(await service.engine.plan(_request(body)), body.kind)


@router.get("/decisions", tags=["scale"])
async def list_decisions(service: Served, _who: Viewer, limit: Limit = 100) -> schema.Decisions:
    """What the controller decided and why, newest first."""
    found = await service.controller.decisions(limit)
    return schema.Decisions(decisions=[schema.Decision.of(each) for each in found])


@router.get("/orphans", tags=["garbage"])
async def list_orphans(service: Served, _who: Viewer) -> schema.Orphans:
    """Machines that nobody knows: what garbage collection would end, as a dry run."""
    return schema.Orphans(orphans=[schema.Orphan.of(each) for each in await service.controller.orphans()])


@router.post("/orphans/{node_id:path}/collect", tags=["garbage"], status_code=202, responses=ACCEPTED)
async def collect_orphan(
    service: Served, who: Admin, key: Key, node_id: NodeId, response: Response
) -> schema.Operation:
    """End one orphan; anything else is refused."""
    return await _submit(service, domain.CollectNode(node_id=node_id), who.name, "", key, response)


@router.get("/audit", tags=["audit"])
async def list_audit(
    service: Served,
    _who: Admin,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, description="Older than this sequence.")] = None,
) -> schema.Audit:
    """Who did what with what result, newest first."""
    found = await service.journal.audits(limit, before)
    return schema.Audit(entries=[schema.AuditEntry.of(each) for each in found])


async def _submit(
    service: Service, request: domain.Request, actor: str, reason: str, key: str, response: Response
) -> schema.Operation:
    operation = await service.engine.submit(request, actor=actor, reason=reason, idempotency_key=key)
    response.headers["Location"] = f"{PREFIX}/operations/{operation.id}"
    return schema.Operation.of(operation)


def _core_needs_admin(who: Operator, *, core: bool) -> None:
    if core and who.role < Role.ADMIN:
        detail = f"a core node needs ADMIN, and the key {who.name} is {who.role.name}"
        raise ProblemError(403, "role", "That role is not enough", detail)


def _termination(node_id: str, wanted: schema.TerminateNode) -> domain.Request:
    if wanted.core:
        if wanted.force or wanted.replace:
            detail = (
                "force and replace are for elastic nodes; a core node is drained, and made anew by its owner"
            )
            fault = {"in": "body", "path": "core", "message": detail}
            raise ProblemError(422, "invalid-request", "The request has a fault", detail, errors=[fault])
        return domain.RemoveCoreNode(node_id=node_id, allow_leader=wanted.allow_leader)
    return domain.RemoveNode(node_id=node_id, force=wanted.force, replace=wanted.replace)


def _request(
    body: schema.PlanCreate | schema.PlanTerminate | schema.PlanDrain | schema.PlanOther | schema.PlanDns,
) -> domain.Request:
    match body:
        case schema.PlanCreate():
            return domain.CreateNode(zone=body.zone, size=body.size, spot=body.spot, tags=body.tags)
        case schema.PlanTerminate():
            return _termination(body.node_id, body)
        case schema.PlanDrain():
            return domain.DrainNode(node_id=body.node_id, allow_core=body.core)
        case schema.PlanDns():
            return domain.UpdateDns(record=body.record.record())
    kinds: dict[str, type[domain.NodeRequest]] = {
        "activate": domain.ActivateNode,
        "register": domain.RegisterTarget,
        "deregister": domain.DeregisterTarget,
        "collect": domain.CollectNode,
    }
    return kinds[body.kind](node_id=body.node_id)


def _wanted(body: schema.SetScale) -> int | None:
    """The number that is asked for; None for mode auto."""
    if (body.mode == "fixed") is (body.count is not None):
        return body.count
    message = "is missing: mode fixed needs it" if body.mode == "fixed" else "has no place in mode auto"
    fault = {"in": "body", "path": "count", "message": message}
    raise ProblemError(422, "invalid-request", "The request has a fault", f"count: {message}", errors=[fault])


async def _scale(service: Service) -> schema.Scale:
    desired = await service.engine.desired()
    last = service.controller.last or next(iter(await service.controller.decisions(1)), None)
    return schema.Scale(
        mode=desired.mode.value,
        count=desired.count,
        minimum=desired.minimum,
        maximum=desired.maximum,
        set_by=desired.set_by,
        set_at=desired.set_at,
        core=service.settings.core_nodes,
        desired=last.desired if last else None,
        actual=last.actual if last else None,
        serving=last.serving if last else None,
        reason=last.reason if last else "nothing has been decided yet",
        managed=service.settings.managed,
    )


async def _plan_scale(service: Service, body: schema.PlanScale) -> schema.Plan:
    count = _wanted(body)
    bounds = await service.engine.desired()
    if count is not None and not bounds.minimum <= count <= bounds.maximum:
        finding = f"there may be {bounds.minimum} to {bounds.maximum} elastic nodes, got {count}"
        return schema.Plan(kind="scale", node_id="", allowed=False, findings=[finding], steps=[])
    decision = await service.controller.preview(count)
    steps = [f"create {decision.create} node{'' if decision.create == 1 else 's'}"] if decision.create else []
    steps += [f"remove {removal.node_id}: {removal.reason}" for removal in decision.remove]
    return schema.Plan(
        kind="scale", node_id="", allowed=True, findings=[decision.reason, *decision.holds], steps=steps
    )


def _gone(request: Request) -> Callable[[], Awaitable[bool]]:
    """Whether a stream has nobody to go to: the client has gone, or the service ends."""

    async def gone() -> bool:
        return request.app.state.ending or await request.is_disconnected()

    return gone


def _after(request: Request) -> int:
    """The sequence that a client has seen; 0 for none, or for what is no number."""
    text = request.headers.get("last-event-id", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else 0


_DIGITS: Final = 19
