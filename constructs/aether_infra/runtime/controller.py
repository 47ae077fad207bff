"""The controller: looks, decides, and has the engine carry it out, again and again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from aether_infra.errors import AetherInfraError
from aether_infra.runtime.collector import Orphan, orphans
from aether_infra.runtime.engine.admission import CONTROLLER
from aether_infra.runtime.engine.engine import Engine
from aether_infra.runtime.engine.steps import Context
from aether_infra.runtime.journal.operations import Query
from aether_infra.runtime.journal.store import Fence
from aether_infra.runtime.observation import Observation
from aether_infra.runtime.observer import Observer, Seen
from aether_infra.runtime.operations import (
    CollectNode,
    CreateNode,
    Operation,
    OperationKind,
    OperationState,
    RegisterTarget,
    RemoveNode,
    Request,
)
from aether_infra.runtime.policy.decide import decide
from aether_infra.runtime.policy.model import Decision, Memory, Policy
from aether_infra.runtime.refusals import Fenced
from aether_infra.runtime.repairs import unregistered

log = logging.getLogger(__name__)

REMEMBERED = 200
"""Operations that the memory is made of; more than any cool-down reaches back."""


@frozen(kw_only=True)
class ControllerOptions:
    """How the controller goes about it."""

    tick_seconds: float = 10
    """From one decision to the next; default 10 (the cluster autoscaler's `--scan-interval`)."""
    collect: bool = False
    """Whether orphans are ended; otherwise they are only told."""
    kept_seconds: float = 60
    """A decision like the one before is written down after so long: enough for a curve over time."""


class Controller:
    """Keeps the number of elastic nodes right. Core nodes it never touches.

    Where Layer 1 has left the number to the cloud's own autoscaler (`managed` is false), it decides and tells, and does
    nothing: two owners would fight.

    Args:
        context: what it works with.
        engine: carries out what it decides.
        policy: when nodes come and go.
        options: how it goes about it.
    """

    def __init__(
        self, context: Context, engine: Engine, policy: Policy, options: ControllerOptions | None = None
    ) -> None:
        self._context = context
        self._engine = engine
        self._policy = policy
        self._options = options or ControllerOptions()
        self._observer = Observer(context, policy)
        self._memory: Memory | None = None
        self._kept: Decision | None = None
        self.latest: Observation | None = None
        """What was seen last by this process."""
        self.last: Decision | None = None
        """What was decided last by this process."""

    async def run(self, fence: Fence) -> None:
        """Decide again and again, until cancelled; no error but the end of leadership ends it.

        Raises:
            Fenced: another process leads.
        """
        self._memory = None  # another leader may have decided meanwhile
        while True:
            begun = self._context.calendar.now()
            try:
                await self.tick(fence)
            except Fenced:
                raise
            except AetherInfraError as error:
                log.warning("nothing decided: %s", error)
            except Exception:
                log.exception("nothing decided")
            spent = self._context.calendar.now() - begun
            await self._context.calendar.sleep(max(0.0, self._options.tick_seconds - spent))

    async def tick(self, fence: Fence) -> Decision:
        """Decide once, and have it carried out.

        Raises:
            Fenced: another process leads.
            AetherInfraError: the cloud or the journal cannot be asked.
        """
        seen = await self._observer.look()
        await self._context.journal.roster.write(seen.changed, seen.gone, fence)
        self.latest = seen.observation
        memory = await self._recall(seen)
        decision, self._memory = decide(seen.observation, memory, self._policy)
        records = self._context.journal.records
        idle = decision.quiet and decision.desired == seen.target
        if not idle and not await records.set_target(seen.target, decision.desired, decision.at, fence):
            # somebody has asked for something meanwhile: the next look takes it into account
            return decision
        if self._context.settings.managed:
            await self._carry_out(decision, fence)
            await self._register(seen.observation, {each.node_id for each in decision.remove}, fence)
            if self._options.collect:
                await self._collect(seen.observation, fence)
        else:
            reason = f"the number is the cloud's own autoscaler's; otherwise: {decision.reason}"
            decision = evolve(decision, create=0, remove=(), reason=reason)
        self.last = decision
        await self._keep(decision, fence)
        return decision

    async def observe(self) -> Observation:
        """Look now, on any replica, without deciding or remembering anything.

        Raises:
            CloudError: the cloud cannot be asked.
            JournalUnavailable: the journal cannot be read.
        """
        return (await self._observer.look()).observation

    async def preview(self, count: int | None) -> Decision:
        """What would be decided now if that number was set; None for what the policy would do.

        Raises:
            CloudError: the cloud cannot be asked.
        """
        seen = await self._observer.look()
        asked = evolve(seen.observation, fixed=count)
        decision, _ = decide(asked, await self._recall(seen), self._policy)
        return decision

    async def decisions(self, limit: int = 100, since: datetime | None = None) -> list[Decision]:
        """Decisions of whoever led, newest first; see `Records.decisions`."""
        return await self._context.journal.records.decisions(limit, since)

    async def orphans(self) -> list[Orphan]:
        """What garbage collection would end.

        Raises:
            CloudError: the cloud cannot be asked.
        """
        return orphans(await self.observe())

    async def _carry_out(self, decision: Decision, fence: Fence) -> None:
        for removal in decision.remove:
            request = RemoveNode(node_id=removal.node_id, force=removal.force)
            await self._submit(request, removal.reason, fence)
        for _ in range(decision.create):
            await self._submit(CreateNode(), decision.reason, fence)

    async def _register(self, seen: Observation, going: set[str], fence: Fence) -> None:
        """Put nodes behind the load balancer that belong there, unless somebody has taken them from it on purpose."""
        for node in unregistered(seen)[: self._policy.removals_at_once]:
            kinds = (OperationKind.DEREGISTER, OperationKind.REGISTER)
            query = Query(kinds=kinds, node_id=node.id, limit=1)
            last = await self._context.journal.operations.find(query)
            wanted = last and last[0].kind is OperationKind.DEREGISTER
            if node.id not in going and not wanted:
                reason = "on duty, and not behind the load balancer"
                await self._submit(RegisterTarget(node_id=node.id), reason, fence)

    async def _collect(self, seen: Observation, fence: Fence) -> None:
        for orphan in orphans(seen)[: self._policy.removals_at_once]:
            await self._submit(CollectNode(node_id=orphan.node_id), orphan.reason, fence)

    async def _submit(self, request: Request, reason: str, fence: Fence) -> None:
        try:
            await self._engine.submit(request, actor=CONTROLLER, reason=reason, fence=fence)
        except Fenced:
            raise
        except AetherInfraError as error:
            log.warning("%s %s: %s", request.kind, request.target, error)

    async def _keep(self, decision: Decision, fence: Fence) -> None:
        """Write a decision down, unless it is like the one before."""
        kept = self._kept
        age = timedelta(seconds=self._options.kept_seconds)
        if kept is not None and decision.at - kept.at < age and _alike(kept, decision):
            return
        await self._context.journal.records.decide(decision, fence)
        self._kept = decision

    async def _recall(self, seen: Seen) -> Memory:
        """The memory, with what operations have done meanwhile."""
        memory = evolve(self._memory or Memory(since=seen.observation.at), desired=seen.target)
        kinds = (OperationKind.CREATE, OperationKind.REMOVE, OperationKind.COLLECT)
        recent = await self._context.journal.operations.find(Query(kinds=kinds, limit=REMEMBERED))
        return remembering(memory, recent)


def remembering(memory: Memory, operations: Sequence[Operation]) -> Memory:
    """A memory with what operations have done.

    Args:
        memory: of before.
        operations: the latest, newest first.
    """
    creations = [each for each in operations if each.kind is OperationKind.CREATE]
    removals = [each for each in operations if each.kind is not OperationKind.CREATE]
    bad = OperationState.FAILED
    tried = sorted(
        (each for each in creations if each.over and each.actor == CONTROLLER), key=_end, reverse=True
    )
    tried = [each for each in tried if each.state is not OperationState.CANCELLED]
    failed: list[Operation] = []
    for each in tried:
        if each.state is not bad:
            break
        failed.append(each)
    return evolve(
        memory,
        added_at=_latest([each.created_at for each in creations if each.state is not bad]),
        removed_at=_latest([_end(each) for each in removals if each.state is OperationState.SUCCEEDED]),
        removal_failed_at=_latest([_end(each) for each in removals if each.state is bad]),
        creation_failed_at=_end(failed[0]) if failed else None,
        creation_failures=len(failed),
        creation_error=failed[0].error if failed else "",
        removal_failures={each.node_id: _end(each) for each in reversed(removals) if each.state is bad},
    )


def _end(operation: Operation) -> datetime:
    return operation.finished_at or operation.updated_at


def _latest(moments: Sequence[datetime]) -> datetime | None:
    return max(moments, default=None)


def _alike(one: Decision, other: Decision) -> bool:
    return (
        other.quiet
        and one.quiet
        and (one.desired, one.actual, one.serving) == (other.desired, other.actual, other.serving)
    )
