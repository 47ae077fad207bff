"""Puts together what the cloud, the load balancer, Aether and the journal say of each node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.client import Aether, Membership
from aether_infra.runtime.aether.errors import AetherError
from aether_infra.runtime.aether.shapes import Load
from aether_infra.runtime.engine.steps import Context
from aether_infra.runtime.journal.journal import Snapshot
from aether_infra.runtime.journal.roster import Known, Origin
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import NodeInstance, NodeState, Target
from aether_infra.runtime.observation import Lifecycle, NodeView, Observation, Phase, Thresholds
from aether_infra.runtime.operations import Operation, OperationKind, OperationState
from aether_infra.runtime.policy.model import Policy

FORGET_SECONDS = 600.0
"""How long a node that the cloud does not list any more is remembered: lists lag behind."""
IDENTIFIED_AT_ONCE = 20
"""Nodes that are asked for their id at the same time."""
ORPHAN_SECONDS = 900.0
"""How old a machine must be that nobody knows, before it is an orphan; default 15 minutes, far longer than a crash
between a creation and its record takes to be taken up again. Karpenter waits 30 s, and asks the cloud only:
https://github.com/aws/karpenter-provider-aws (as of 2026-08)."""
ENDS = frozenset(
    {OperationKind.REMOVE, OperationKind.REMOVE_CORE, OperationKind.COLLECT, OperationKind.DRAIN}
)
"""Kinds of operation after which a node does not serve."""


@frozen(kw_only=True)
class Sight:
    """What everybody has said, before it is put together."""

    at: datetime
    """UTC."""
    nodes: Mapping[str, NodeInstance]
    targets: Mapping[str, Target]
    membership: Membership | None
    """None where nobody answers."""
    problem: str = ""
    """Why nobody answers."""
    loads: Mapping[str, Load] = field(factory=dict)
    calls_per_second: float | None = None
    thresholds: Thresholds = field(factory=Thresholds)
    identities: Mapping[str, str] = field(factory=dict)
    """Aether's id by the cloud's, of those that were asked just now."""
    known: Snapshot
    """What the journal says."""
    creations: Mapping[str, Operation]
    """By token, of the machines that have one."""


@frozen(kw_only=True)
class Seen:
    """What comes of it."""

    observation: Observation
    changed: tuple[Known, ...]
    """What has to be remembered of nodes from now on."""
    gone: tuple[str, ...]
    """Nodes to be forgotten."""
    target: int | None
    """The number that was decided last, as of the same moment; None for none yet."""


@frozen(kw_only=True)
class Bounds:
    """Of the cluster, and how long what may take."""

    core: int
    minimum: int
    maximum: int
    adopt_all: bool
    """Whether the cloud brings nodes by itself, so that whatever is there is ours."""
    policy: Policy


class Observer:
    """Looks at the cluster.

    Args:
        context: what to look with.
        policy: how long nodes may take.
    """

    def __init__(self, context: Context, policy: Policy) -> None:
        self._context = context
        self._policy = policy

    async def look(self) -> Seen:
        """Look now.

        Raises:
            CloudError: the cloud cannot be asked.
            JournalUnavailable: the journal cannot be read.
        """
        context = self._context
        journal = context.journal
        # the journal first: what it does not know yet may be in the list, and never the other way round
        known = await journal.snapshot()
        nodes, targets = await asyncio.gather(context.look.nodes(), context.look.targets())
        tokens = [node.token for node in nodes.values() if node.token and node.id not in known.roster]
        creations = await journal.operations.tokens(tokens)
        sight = Sight(
            at=context.calendar.utc(),
            nodes=nodes,
            targets=targets,
            membership=None,
            known=known,
            creations=creations,
        )
        try:
            membership = await context.look.membership(0)
            loads, thresholds, calls = await asyncio.gather(
                context.aether.loads(), context.aether.thresholds(), context.aether.calls_per_second()
            )
            sight = evolve(
                sight, membership=membership, loads=loads, thresholds=thresholds, calls_per_second=calls
            )
            sight = evolve(sight, identities=await identify(context.aether, sight))
        except AetherError as error:
            sight = evolve(sight, problem=str(error))
        settings = context.settings
        bounds = Bounds(
            core=settings.core_nodes,
            minimum=settings.elastic_minimum,
            maximum=settings.elastic_maximum,
            adopt_all=context.manager.kind is Kind.REPLICAS,
            policy=self._policy,
        )
        return assemble(sight, bounds)


async def identify(aether: Aether, sight: Sight) -> dict[str, str]:
    """Ask nodes for their id whose id is not known, or is none of Aether's any more (a node that has started anew)."""
    members = sight.membership.members if sight.membership else {}
    room = asyncio.Semaphore(IDENTIFIED_AT_ONCE)

    async def ask(node: NodeInstance) -> tuple[str, str]:
        async with room:
            return node.id, await aether.identify(node.address)

    asked = [
        ask(node)
        for node in sight.nodes.values()
        if node.state is NodeState.RUNNING and node.address and _aether_id(node, sight) not in members
    ]
    return {node_id: identity for node_id, identity in await asyncio.gather(*asked) if identity}


def assemble(sight: Sight, bounds: Bounds) -> Seen:
    """Put together what everybody has said.

    Args:
        sight: what they have said.
        bounds: of the cluster.
    """
    by_node = {operation.node_id: operation for operation in sight.known.operations if operation.node_id}
    by_token = {operation.token: operation for operation in sight.known.operations if operation.token}
    views: list[NodeView] = []
    changed: list[Known] = []
    for node in sight.nodes.values():
        if node.state is NodeState.TERMINATED:
            continue
        operation = by_node.get(node.id) or (by_token.get(node.token) if node.token else None)
        known = _remembered(node, sight, bounds)
        if known is not None and known != sight.known.roster.get(node.id):
            changed.append(known)
        views.append(_view(node, known, operation, sight, bounds))
    hidden, lost, gone = _unlisted(sight)
    views += hidden
    changed += lost
    views.sort(key=lambda view: (view.created_at or sight.at, view.id))
    tokens = {node.token for node in sight.nodes.values() if node.token}
    coming = sum(
        1
        for operation in sight.known.operations
        if operation.kind is OperationKind.CREATE
        and operation.state is not OperationState.UNDOING
        and operation.node_id not in sight.nodes
        and operation.token not in tokens
    )
    membership = sight.membership
    observation = Observation(
        at=sight.at,
        nodes=tuple(views),
        coming=coming,
        core=bounds.core,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        fixed=sight.known.fixed,
        reachable=membership is not None,
        quorum=membership.quorum if membership else None,
        leader_id=membership.leader_id if membership else "",
        calls_per_second=sight.calls_per_second,
        thresholds=sight.thresholds,
        problem=sight.problem,
    )
    return Seen(observation=observation, changed=tuple(changed), gone=tuple(gone), target=sight.known.target)


def _aether_id(node: NodeInstance, sight: Sight) -> str:
    """Aether's id of a node: of a core node its tag, of another what it has said."""
    if node.node_id:
        return node.node_id
    known = sight.known.roster.get(node.id)
    return sight.identities.get(node.id) or (known.aether_id if known else "")


def _serves(aether_id: str, sight: Sight) -> bool:
    return bool(aether_id) and sight.membership is not None and sight.membership.on_duty(aether_id)


def _remembered(node: NodeInstance, sight: Sight, bounds: Bounds) -> Known | None:
    """What is to be remembered of a node; None while we do not know it."""
    aether_id = _aether_id(node, sight)
    serves = _serves(aether_id, sight)
    known = sight.known.roster.get(node.id)
    if known is None:
        creation = sight.creations.get(node.token) if node.token else None
        ours = creation is not None and creation.state is OperationState.SUCCEEDED
        if not (serves or ours or bounds.adopt_all or node.role is NodeRole.CORE):
            return None
        known = Known(
            node_id=node.id,
            role=node.role,
            origin=Origin.CREATED if ours else Origin.ADOPTED,
            first_seen_at=min(sight.at, node.created_at or sight.at),
        )
    known = evolve(known, aether_id=aether_id or known.aether_id)
    if serves:
        return evolve(known, on_duty_at=known.on_duty_at or sight.at, lost_at=None)
    if known.on_duty_at is not None and known.lost_at is None and sight.membership is not None:
        return evolve(known, lost_at=sight.at)
    return known


def _view(
    node: NodeInstance, known: Known | None, operation: Operation | None, sight: Sight, bounds: Bounds
) -> NodeView:
    aether_id = _aether_id(node, sight)
    member = sight.membership.members.get(aether_id) if sight.membership else None
    born = node.created_at or (known.first_seen_at if known else sight.at)
    target, load = sight.targets.get(node.id), sight.loads.get(aether_id, Load())
    lost = (sight.at - known.lost_at).total_seconds() if known and known.lost_at else 0.0
    view = NodeView(
        id=node.id,
        role=node.role,
        phase=Phase.BOOTING,
        state=node.state,
        aether_id=aether_id,
        lifecycle=member.lifecycle if member else None,
        leader=bool(aether_id) and sight.membership is not None and aether_id == sight.membership.leader_id,
        votes=member is not None and member.role is NodeRole.CORE,
        zone=node.zone,
        size=node.size,
        address=node.address,
        name=node.name,
        token=node.token,
        spot=node.spot,
        target=target.health if target else None,
        cpu=load.cpu,
        heap=load.heap,
        created_at=node.created_at,
        age_seconds=max(0.0, (sight.at - born).total_seconds()),
        lost_seconds=max(0.0, lost),
        interruption_at=node.interruption_at,
        operation_id=operation.id if operation else "",
    )
    return evolve(view, phase=_phase(view, known, operation, sight, bounds))


def _phase(
    view: NodeView, known: Known | None, operation: Operation | None, sight: Sight, bounds: Bounds
) -> Phase:
    undone = operation is not None and (
        operation.kind is OperationKind.CREATE and operation.state is OperationState.UNDOING
    )
    ending = operation is not None and operation.kind in ENDS
    if view.state is NodeState.STOPPING or ending or undone:
        return Phase.LEAVING
    activating = operation is not None and operation.kind is OperationKind.ACTIVATE
    if known is not None and known.held and not activating:
        return Phase.HELD
    if _serves(view.aether_id, sight):
        return Phase.SERVING
    if activating:
        return Phase.BOOTING
    if view.lifecycle in {Lifecycle.DRAINING, Lifecycle.DECOMMISSIONED, Lifecycle.SHUTTING_DOWN}:
        return Phase.LEAVING
    creating = operation is not None and operation.kind is OperationKind.CREATE
    return _absent(view, known, bounds, excused=creating or sight.membership is None)


def _absent(view: NodeView, known: Known | None, bounds: Bounds, *, excused: bool) -> Phase:
    """What a node is that Aether does not know as one of its own."""
    if known is not None and known.on_duty_at is not None:
        return Phase.DEAD if view.lost_seconds >= bounds.policy.lost_seconds else Phase.LOST
    overdue = view.age_seconds >= (ORPHAN_SECONDS if known is None else bounds.policy.boot_seconds)
    if excused or not overdue:
        return Phase.BOOTING
    return Phase.ORPHAN if known is None else Phase.DEAD


def _unlisted(sight: Sight) -> tuple[list[NodeView], list[Known], list[str]]:
    """Nodes that we know and that the cloud does not list: those that serve all the same, and those that are over."""
    views: list[NodeView] = []
    changed: list[Known] = []
    gone: list[str] = []
    for known in sight.known.roster.values():
        node = sight.nodes.get(known.node_id)
        if node is not None:
            if node.state is NodeState.TERMINATED:
                gone.append(known.node_id)
            continue
        if _serves(known.aether_id, sight):
            views.append(
                NodeView(
                    id=known.node_id,
                    role=known.role,
                    phase=Phase.SERVING,
                    state=NodeState.RUNNING,
                    aether_id=known.aether_id,
                    lifecycle=Lifecycle.ON_DUTY,
                    created_at=known.first_seen_at,
                    cpu=sight.loads.get(known.aether_id, Load()).cpu,
                )
            )
        elif known.lost_at is None:
            changed.append(evolve(known, lost_at=sight.at))
        elif sight.at - known.lost_at >= timedelta(seconds=FORGET_SECONDS):
            gone.append(known.node_id)
    return views, changed, gone
