"""The engine: takes requests from anybody, and carries operations out while this process leads."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from attrs import frozen

from aether_infra.runtime.engine.admission import Admission, cancellable, says
from aether_infra.runtime.engine.procedures import PROCEDURES
from aether_infra.runtime.engine.steps import Context
from aether_infra.runtime.engine.worker import Worker
from aether_infra.runtime.errors import CloudError
from aether_infra.runtime.journal.operations import Query
from aether_infra.runtime.journal.store import Fence, JournalUnavailable
from aether_infra.runtime.operations import (
    Desired,
    Mode,
    Operation,
    OperationKind,
    OperationState,
    Plan,
    Request,
    StepRecord,
)
from aether_infra.runtime.refusals import Fenced, OutOfBounds, Refusal, TooLate

log = logging.getLogger(__name__)

JOURNAL_SECONDS = 5.0
"""How long to wait before a journal that failed is asked again."""
BREATH_SECONDS = 0.05
"""Between two looks at what has been written, at least."""


@frozen(kw_only=True)
class Running:
    """An operation that is being worked on."""

    worker: Worker
    task: asyncio.Task[Operation]


class Engine:
    """Takes requests, and carries operations out.

    Requests may be given to any replica: they are written into the journal, and the leader finds them there.

    Args:
        context: what it works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._admission = Admission(context)
        self._running: dict[str, Running] = {}

    # requests, on any replica

    async def submit(
        self,
        request: Request,
        *,
        actor: str,
        reason: str = "",
        idempotency_key: str = "",
        fence: Fence | None = None,
    ) -> Operation:
        """Take a request: check it and write it down. It is carried out in the background.

        The same key with the same request, by the same actor, gives the operation of the first time back, also when it
        is over.

        Args:
            request: what is wanted.
            actor: who wants it.
            reason: why.
            idempotency_key: makes it safe to ask twice; empty for none.
            fence: for the controller's own.

        Raises:
            NotFound: there is no such node.
            Refused: it would do harm; the message has the numbers.
            OutOfBounds: there would be too many nodes.
            Busy: another operation has the node, or the core.
            KeyReused: the key came with another request before.
            CloudError: the cloud cannot be asked.
        """
        journal, now = self._context.journal, self._context.calendar.utc
        try:
            if idempotency_key:
                known = await journal.operations.by_key(request, actor, idempotency_key)
                if known is not None:
                    return known
            admitted = await self._admission.check(request, actor, reason, idempotency_key)
            return await journal.operations.submit(
                admitted.draft, now(), since=admitted.since, guard=admitted.guard, fence=fence
            )
        except (Refusal, CloudError) as error:
            if not isinstance(error, Fenced):
                subject = request.target or request.kind.value
                await journal.audit(actor, f"submit {request.kind}", subject, "refused", str(error))
            raise

    async def plan(self, request: Request) -> Plan:
        """Find out what a request would do, without doing anything.

        Args:
            request: what would be wanted.
        """
        steps = says(request)
        node = request.target
        try:
            admitted = await self._admission.check(request, "plan", "", "")
            recent = await self._context.journal.operations.recent(admitted.since, admitted.draft.claims)
            if admitted.guard is not None:
                admitted.guard(recent)
        except (Refusal, CloudError) as error:
            return Plan(kind=request.kind, node_id=node, steps=steps, allowed=False, findings=(str(error),))
        return Plan(kind=request.kind, node_id=node, steps=steps, allowed=True, findings=admitted.findings)

    async def cancel(self, operation_id: str, *, actor: str) -> Operation:
        """Have an operation cancelled; what it has done is taken back in the background.

        Raises:
            UnknownOperation: there is none of that id.
            TooLate: it is over, or past its point of no return.
        """
        journal, now = self._context.journal, self._context.calendar.utc()
        try:
            return await journal.operations.cancel(operation_id, actor, now, cancellable)
        except TooLate as error:
            await journal.audit(actor, "cancel", operation_id, "refused", str(error))
            raise

    async def desired(self) -> Desired:
        """How many elastic nodes there shall be, by whose decision."""
        setting = await self._context.journal.records.desired()
        count = setting.value if setting else None
        return Desired(
            mode=Mode.AUTO if count is None else Mode.FIXED,
            count=count,
            minimum=self._context.settings.elastic_minimum,
            maximum=self._context.settings.elastic_maximum,
            set_by=setting.set_by if setting else "",
            set_at=setting.set_at if setting else None,
        )

    async def set_desired(self, count: int | None, *, actor: str) -> Desired:
        """Set how many elastic nodes there shall be; the controller brings it about.

        Args:
            count: the number; None to leave it to the policy.
            actor: who wants it.

        Raises:
            OutOfBounds: it is not between the fewest and the most.
        """
        settings = self._context.settings
        fewest, most = settings.elastic_minimum, settings.elastic_maximum
        if count is not None and not fewest <= count <= most:
            message = (
                f"there may be {fewest} to {most} elastic nodes (min_nodes {settings.min_nodes} and max_nodes "
                f"{settings.max_nodes}, less {settings.core_nodes} core nodes), got {count}"
            )
            await self._context.journal.audit(actor, "set desired", "desired", "refused", message)
            raise OutOfBounds(message)
        await self._context.journal.records.set_desired(count, actor, self._context.calendar.utc())
        return await self.desired()

    # what is written down

    async def operation(self, operation_id: str) -> Operation:
        """One operation.

        Raises:
            UnknownOperation: there is none of that id.
        """
        return await self._context.journal.operations.get(operation_id)

    async def operations(
        self,
        *,
        states: Collection[OperationState] | None = None,
        kinds: Collection[OperationKind] | None = None,
        node_id: str = "",
        limit: int = 100,
        before: str = "",
    ) -> list[Operation]:
        """Operations, newest first.

        Args:
            states: in these states; None for any.
            kinds: of these kinds; None for any.
            node_id: about this node; empty for any.
            limit: most of them.
            before: older than the operation of this id; empty for the newest.

        Raises:
            UnknownOperation: `before` is none.
        """
        query = Query(states=states, kinds=kinds, node_id=node_id, limit=limit, before=before)
        return await self._context.journal.operations.find(query)

    async def history(self, operation_id: str, after: int = 0) -> list[StepRecord]:
        """What happened to an operation, in order; see `Operations.history`."""
        return await self._context.journal.operations.history(operation_id, after)

    async def happenings(self, after: int = 0, limit: int = 1000) -> list[StepRecord]:
        """What happened to any operation, in order; see `Operations.happenings`."""
        return await self._context.journal.operations.happenings(after, limit)

    async def wait_for_news(self, after: int, seconds: float) -> bool:
        """Wait until something has happened to any operation; see `Journal.wait_for_news`."""
        return await self._context.journal.wait_for_news(after, seconds)

    # carrying out, on the leader

    async def lead(self, fence: Fence, leads: Callable[[], bool] = lambda: True) -> None:
        """Carry operations out, those that others have begun first, until cancelled.

        Args:
            fence: the leader's term.
            leads: whether this process is sure to lead.

        Raises:
            Fenced: it does not any more.
        """
        turnstile = asyncio.Lock()
        journal = self._context.journal
        try:
            while True:
                if not leads():
                    raise Fenced("the lease could not be renewed in time")
                news = journal.news
                try:
                    found = await journal.operations.open()
                except JournalUnavailable as error:
                    log.warning("%s", error)
                    await self._context.calendar.sleep(JOURNAL_SECONDS)
                    continue
                self._reap()
                self._ring(found)
                for operation in self._due(found):
                    worker = Worker(
                        context=self._context,
                        fence=fence,
                        operation=operation,
                        turnstile=turnstile,
                        leads=leads,
                    )
                    task = asyncio.create_task(self._work(worker), name=operation.id)
                    self._running[operation.id] = Running(worker=worker, task=task)
                await journal.nap(self._context.options.look_seconds, news)
                # a hundred operations write thousands of times: not each time is looked again
                await self._context.calendar.sleep(BREATH_SECONDS)
        finally:
            tasks = [running.task for running in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._running.clear()

    @property
    def busy(self) -> int:
        """How many operations are being worked on in this process."""
        return len(self._running)

    async def _work(self, worker: Worker) -> Operation:
        try:
            return await worker.run()
        except JournalUnavailable as error:
            # it is taken up again from what is written down, once the journal answers
            log.warning("%s: %s", worker.operation.id, error)
            await self._context.calendar.sleep(JOURNAL_SECONDS)
            return worker.operation

    def _reap(self) -> None:
        """Forget workers that are through.

        Raises:
            Fenced: one of them has found out that this process does not lead any more.
        """
        for operation_id, running in list(self._running.items()):
            if running.task.done():
                del self._running[operation_id]
                with suppress(asyncio.CancelledError):
                    error = running.task.exception()
                    if isinstance(error, Fenced):
                        raise error
                    if error is not None:
                        log.error("%s: its worker died", operation_id, exc_info=error)

    def _ring(self, found: Sequence[Operation]) -> None:
        """Tell workers what somebody else has written: that their operation shall be cancelled."""
        for operation in found:
            running = self._running.get(operation.id)
            if operation.cancel_requested and running is not None:
                running.worker.cancelled.set()

    def _due(self, found: Sequence[Operation]) -> list[Operation]:
        """Operations to begin with now: those that had begun before a crash first, then the oldest."""
        options = self._context.options
        bounds = {
            "creations": options.creations,
            "removals": options.removals,
            "others": options.others,
        }
        taken = Counter(PROCEDURES[running.worker.operation.kind].group for running in self._running.values())
        due = []
        for operation in sorted(found, key=_order):
            group = PROCEDURES[operation.kind].group
            if operation.id not in self._running and taken[group] < bounds[group]:
                taken[group] += 1
                due.append(operation)
        return due


def _order(operation: Operation) -> tuple[bool, bool, bool, object, str]:
    """First those that were about to change the cloud's number, then those that had begun, then by age."""
    step = operation.step
    exclusive = bool(step) and PROCEDURES[operation.kind].step(step).exclusive
    settled = operation.desired is not None
    begun = operation.state is not OperationState.PENDING
    return (not exclusive, not settled, not begun, operation.created_at, operation.id)
