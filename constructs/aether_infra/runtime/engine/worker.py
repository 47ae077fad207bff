"""Walks one operation through its steps, and back again where it fails or is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from attrs import asdict, define, field

from aether_infra.errors import AetherInfraError
from aether_infra.runtime.aether.errors import AetherUnavailable
from aether_infra.runtime.engine.procedures import PROCEDURES
from aether_infra.runtime.engine.steps import (
    Context,
    Done,
    GaveUp,
    Procedure,
    Run,
    Step,
    Wait,
    Work,
    deadline,
)
from aether_infra.runtime.errors import Advice, CloudError
from aether_infra.runtime.journal.rows import Line
from aether_infra.runtime.journal.store import Fence, JournalUnavailable
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.operations import Happening, Operation, OperationState
from aether_infra.runtime.refusals import Busy, Fenced

log = logging.getLogger(__name__)

CANCELLED = "cancelled"
"""Fact: that the undoing is because somebody has wanted so, and not because a step has failed."""


@define(kw_only=True, eq=False)
class Worker:
    """One operation on its way.

    Every move is written down before what follows it is tried; whatever happens in between, the next worker does the
    step that is written down again. Raises `Fenced` and `JournalUnavailable`: then it must not go on.
    """

    context: Context
    fence: Fence
    operation: Operation
    turnstile: asyncio.Lock
    """Lets one change of the cloud's number through at a time."""
    leads: Callable[[], bool]
    """Whether this process is sure to lead."""
    cancelled: asyncio.Event = field(factory=asyncio.Event)
    """Set when somebody wants the operation cancelled."""
    _told: str = ""
    _turn_taken: bool = False

    @property
    def procedure(self) -> Procedure:
        """The steps."""
        return PROCEDURES[self.operation.kind]

    async def run(self) -> Operation:
        """Go on until the operation is over."""
        try:
            while not self.operation.over:
                if self.operation.state is OperationState.UNDOING:
                    await self._back()
                elif self._wanted_back():
                    await self._turn("cancelled", cancelled=True)
                elif not self.operation.step:
                    await self._begin()
                else:
                    await self._forth()
        finally:
            self._let_turn()
        return self.operation

    # forth

    async def _begin(self) -> None:
        first = self.procedure.steps[0].name
        await self._advance(
            Line(happening=Happening.STARTED, step=first),
            state=OperationState.RUNNING,
            step=first,
            unless_cancelled=True,
        )

    async def _forth(self) -> None:
        step = self.procedure.step(self.operation.step)
        try:
            outcome = await self._attempt(step, step.run, step.tries(self.context.options))
        except _Failed as failure:
            await self._failed(step, failure.reason)
            return
        if outcome is not None:
            await self._next(step, outcome)

    async def _next(self, step: Step, outcome: Done) -> None:
        """Write down that a step is done and that the next one begins, in one."""
        number = self.procedure.index(step.name) + 1
        happening = Happening.SKIPPED if outcome.skipped else Happening.DONE
        lines = [Line(happening=happening, step=step.name, text=outcome.text)]
        changes: dict[str, Any] = {
            **outcome.changes,
            "facts": {**self.operation.facts, **outcome.facts},
            "error": "",
            "attempts": 0,
            "not_before": None,
        }
        following = self.procedure.steps[number].name if number < len(self.procedure.steps) else ""
        if following:
            lines.append(Line(happening=Happening.STARTED, step=following))
            changes["step"] = following
        else:
            lines.append(Line(happening=Happening.ENDED, text="succeeded"))
            changes["state"] = OperationState.SUCCEEDED
        # past the point of no return nobody is asked any more
        revocable = bool(following) and self.procedure.cancellable(step.name)
        before = self.operation
        try:
            await self._advance(*lines, claims=outcome.claims, unless_cancelled=revocable, **changes)
        except Busy as error:
            await self._turn(str(error), **outcome.changes)
            return
        if self.operation.step == before.step and not self.operation.over:
            # cancelled in this very moment: what the step has found is needed on the way back
            await self._advance(*lines[:1], **outcome.changes, facts=changes["facts"])

    async def _failed(self, step: Step, reason: str) -> None:
        log.warning("%s: %s failed: %s", self.operation.id, step.name, reason)
        line = Line(happening=Happening.FAILED, step=step.name, text=reason)
        back = self.procedure.cancellable(step.name)
        if not back and step.revocable is not None:
            try:
                back = await step.revocable(self._work(step))
            except AetherInfraError as error:
                log.warning("%s: cannot tell whether there is a way back: %s", self.operation.id, error)
        if back:
            await self._turn(reason, line)
            return
        end = Line(happening=Happening.ENDED, text=f"failed, past its point of no return: {reason}")
        await self._advance(line, end, state=OperationState.FAILED, error=reason)

    # back

    async def _turn(self, reason: str, *lines: Line, cancelled: bool = False, **changes: Any) -> None:
        """Begin to take back what was done, from the current step on."""
        step = self.operation.step
        facts = {**self.operation.facts, CANCELLED: cancelled}
        await self._advance(
            *lines,
            Line(happening=Happening.UNDOING, step=step, text=reason),
            state=OperationState.UNDOING,
            step_since=self.context.calendar.utc(),
            error=reason,
            facts=facts,
            attempts=0,
            not_before=None,
            **changes,
        )

    async def _back(self) -> None:
        if not self.operation.step:
            await self._end()
            return
        number = self.procedure.index(self.operation.step)
        step = self.procedure.steps[number]
        line = None
        if step.undo is not None:
            try:
                outcome = await self._attempt(step, step.undo, self.context.options.final_tries)
                if outcome is None:
                    return
                happening = Happening.SKIPPED if outcome.skipped else Happening.UNDONE
                line = Line(happening=happening, step=step.name, text=outcome.text)
            except _Failed as failure:
                text = f"cannot be taken back: {failure.reason}"
                log.warning("%s: %s %s", self.operation.id, step.name, text)
                line = Line(happening=Happening.FAILED, step=step.name, text=text)
        lines = [line] if line else []
        facts = dict(self.operation.facts)
        if line is not None and line.happening is Happening.FAILED:
            facts["left"] = [*facts.get("left", ()), f"{step.name} {line.text}"]
        if number == 0:
            await self._advance(*lines, facts=facts, step="")
            return
        before = self.procedure.steps[number - 1]
        if before.undo is not None:
            lines.append(Line(happening=Happening.UNDOING, step=before.name))
        await self._advance(
            *lines,
            facts=facts,
            step=before.name,
            step_since=self.context.calendar.utc(),
            attempts=0,
            not_before=None,
        )

    async def _end(self) -> None:
        cancelled = bool(self.operation.facts.get(CANCELLED))
        left = "; ".join(self.operation.facts.get("left", ()))
        error = "; ".join(part for part in (self.operation.error, left) if part)
        state = OperationState.CANCELLED if cancelled and not left else OperationState.FAILED
        line = Line(happening=Happening.ENDED, text=f"{state}: {error}")
        await self._advance(line, state=state, error=error)

    # one step

    async def _attempt(self, step: Step, run: Run, tries: int) -> Done | None:
        """Try a step until it is done; None if the operation has been cancelled meanwhile.

        Raises:
            _Failed: for good.
        """
        undoing = self.operation.state is OperationState.UNDOING
        await self._take_turn(step)
        while True:
            if not undoing and self._wanted_back():
                return None
            await self._pause()
            if not self.leads():
                raise Fenced("the lease could not be renewed in time")
            work = self._work(step)
            try:
                outcome = await self._unless_cancelled(run(work))
            except (Fenced, JournalUnavailable):
                raise
            except Exception as error:  # noqa: BLE001 - whatever a step raises must not end the engine
                await self._missed(step, error, tries, late=work.late)
                continue
            if isinstance(outcome, Done):
                return outcome
            if outcome is not None:
                await self._wait(step, outcome)

    async def _take_turn(self, step: Step) -> None:
        """Wait until nobody else changes the cloud's number, or let others do so."""
        if step.exclusive and not self._turn_taken and self.context.manager.kind is Kind.REPLICAS:
            self._turn_taken = bool(await self._unless_cancelled(self.turnstile.acquire()))
        elif not step.exclusive:
            self._let_turn()

    def _let_turn(self) -> None:
        if self._turn_taken:
            self._turn_taken = False
            self.turnstile.release()

    async def _missed(self, step: Step, error: Exception, tries: int, *, late: bool) -> None:
        """Write down that a try has failed, and when the next one is due.

        Raises:
            _Failed: there is none.
        """
        undoing = self.operation.state is OperationState.UNDOING
        attempts = self.operation.attempts + 1
        reason = str(error) or type(error).__name__
        if not isinstance(error, AetherInfraError):
            log.error("%s: %s", self.operation.id, step.name, exc_info=error)
            reason = f"{type(error).__name__}: {reason}"
        if attempts >= tries or (not undoing and not _passes(error)) or (late and undoing):
            raise _Failed(reason) from error
        options = self.context.options
        bound = min(options.longest_seconds, options.base_seconds * 2.0 ** (attempts - 1))
        pause = bound * options.chance()
        if isinstance(error, CloudError) and error.retry_after_seconds is not None:
            pause = max(pause, error.retry_after_seconds)
        await self._advance(
            Line(happening=Happening.RETRYING, step=step.name, text=reason),
            attempts=attempts,
            error=self.operation.error if undoing else reason,
            not_before=self.context.calendar.utc() + timedelta(seconds=pause),
        )

    async def _pause(self) -> None:
        """Wait until the next try is due."""
        due = self.operation.not_before
        if due is not None:
            await self._sleep((due - self.context.calendar.utc()).total_seconds())

    async def _wait(self, step: Step, wait: Wait) -> None:
        lines = []
        if wait.text != self._told:
            self._told = wait.text
            lines.append(Line(happening=Happening.WAITING, step=step.name, text=wait.text))
        # the try has not failed: only those that fail in a row count
        again = {"attempts": 0, "not_before": None} if self.operation.attempts else {}
        if lines or again:
            await self._advance(*lines, **again)
        pause = self.context.options.poll_seconds if wait.seconds is None else wait.seconds
        due = deadline(step, self.operation, self.context.options)
        if due is not None:
            left = (due - self.context.calendar.utc()).total_seconds()
            pause = min(pause, left) if left > 0 else pause
        await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not past the moment in which somebody cancels."""
        if seconds > 0:
            await self._unless_cancelled(self.context.calendar.sleep(seconds))

    async def _unless_cancelled(self, doing: Awaitable[Any]) -> Any:
        """Do something, but break it off when somebody cancels and there is a way back; None then."""
        task = asyncio.ensure_future(doing)
        if self.operation.state is OperationState.UNDOING or not self._can_turn():
            return await task
        bell = asyncio.ensure_future(self.cancelled.wait())
        try:
            await asyncio.wait((task, bell), return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() else None
        finally:
            bell.cancel()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _work(self, step: Step) -> Work:
        due = deadline(step, self.operation, self.context.options)
        return Work(
            **asdict(self.context, recurse=False),
            operation=self.operation,
            fence=self.fence,
            late=due is not None and self.context.calendar.utc() >= due,
        )

    def _can_turn(self) -> bool:
        return self.procedure.cancellable(self.operation.step)

    def _wanted_back(self) -> bool:
        return (self.operation.cancel_requested or self.cancelled.is_set()) and self._can_turn()

    async def _advance(self, *lines: Line, **changes: Any) -> None:
        self.operation = await self.context.journal.operations.advance(
            self.operation, self.context.calendar.utc(), self.fence, lines=lines, **changes
        )


class _Failed(Exception):  # noqa: N818 - never leaves this module
    """A step has failed for good."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _passes(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, CloudError):
        return error.advice is Advice.RETRY
    if isinstance(error, GaveUp):
        return False
    # a fault of our own may pass as well, such as an answer that nobody has thought of
    return isinstance(error, AetherUnavailable) or not isinstance(error, AetherInfraError)
