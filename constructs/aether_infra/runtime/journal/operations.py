"""Operations as the database holds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from aether_infra.runtime.journal import schema
from aether_infra.runtime.journal.records import AuditLine, move_numbers, write_audit
from aether_infra.runtime.journal.rows import (
    Draft,
    Line,
    as_operation,
    as_record,
    read_by_key,
    read_claims,
    read_open,
    read_operation,
    read_recent,
    write_claims,
    write_lines,
)
from aether_infra.runtime.journal.store import Fence, Store
from aether_infra.runtime.operations import (
    Happening,
    Operation,
    OperationKind,
    OperationState,
    Request,
    StepRecord,
)
from aether_infra.runtime.refusals import TooLate

Guard = Callable[[Sequence[Operation]], None]
"""Looks at operations, in the moment of writing, and raises a Refusal."""


@frozen(kw_only=True)
class Query:
    """Which operations."""

    states: Collection[OperationState] | None = None
    """In these states; None for any."""
    kinds: Collection[OperationKind] | None = None
    """Of these kinds; None for any."""
    node_id: str = ""
    """About this node; empty for any."""
    before: str = ""
    """Older than the operation of this id; empty for the newest."""
    limit: int = field(default=100)
    """Most of them."""


class Operations:
    """Writes operations down, moves them on, and finds them again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def submit(
        self,
        draft: Draft,
        now: datetime,
        *,
        since: datetime,
        guard: Guard | None = None,
        fence: Fence | None = None,
    ) -> Operation:
        """Write an operation down before anything of it is tried. The same idempotency key gives the first one back.

        Args:
            draft: the operation.
            now: UTC.
            since: `guard` also sees operations that were over no longer ago than this moment, UTC.
            guard: called with the operations that are open, in the same transaction; raises to refuse.
            fence: for the controller's own.

        Raises:
            KeyReused: the key came with another request.
            Busy: another operation has what this one needs for itself.
            Refusal: the guard's.
        """

        def work(connection: Connection) -> Operation:
            known = read_by_key(connection, draft)
            if known is not None:
                return known
            if guard is not None:
                guard(read_recent(connection, since))
            write_claims(connection, draft.id, draft.claims)
            connection.execute(
                insert(schema.operations).values(
                    id=draft.id,
                    kind=draft.kind.value,
                    state=OperationState.PENDING.value,
                    step="",
                    step_since=now,
                    node_id=draft.node_id,
                    zone=draft.zone,
                    token=draft.token,
                    desired=None,
                    request=dict(draft.request),
                    facts={},
                    actor=draft.actor,
                    reason=draft.reason,
                    idempotency_key=draft.idempotency_key or None,
                    fingerprint=draft.fingerprint,
                    error="",
                    attempts=0,
                    cancel_requested=False,
                    not_before=None,
                    created_at=now,
                    updated_at=now,
                    finished_at=None,
                )
            )
            if draft.change is not None:
                move_numbers(connection, draft.change, draft.actor, now)
            write_lines(connection, draft.id, now, [Line(happening=Happening.SUBMITTED, text=draft.reason)])
            detail = " ".join(part for part in (draft.node_id, draft.reason) if part)
            line = AuditLine(draft.actor, f"submit {draft.kind}", draft.id, "accepted", detail)
            write_audit(connection, now, line)
            return read_operation(connection, draft.id)

        return await self._store.write(work, fence)

    async def advance(
        self,
        operation: Operation,
        now: datetime,
        fence: Fence,
        *,
        lines: Sequence[Line] = (),
        claims: Collection[str] = (),
        unless_cancelled: bool = False,
        **changes: Any,
    ) -> Operation:
        """Move an operation on: what comes next is written before it is tried.

        Args:
            operation: as it was read last.
            now: UTC.
            fence: the leader's term.
            lines: added to its history.
            claims: what it has for itself from now on, besides what it has already.
            unless_cancelled: if somebody wants it cancelled by now, nothing is changed.
            changes: columns.

        Returns:
            The operation as it is now.

        Raises:
            Busy: another operation has what it claims; nothing is changed.
        """

        def work(connection: Connection) -> Operation:
            current = read_operation(connection, operation.id)
            if current.over or (unless_cancelled and current.cancel_requested):
                return current
            write_claims(connection, operation.id, claims)
            values = {**changes, "updated_at": now}
            if "step" in changes and changes["step"] != current.step:
                values |= {"step_since": now, "attempts": changes.get("attempts", 0)}
            state = changes.get("state", current.state)
            if state.over:
                values["finished_at"] = now
                connection.execute(delete(schema.claims).where(schema.claims.c.operation_id == operation.id))
                error = changes.get("error", "")
                line = AuditLine(current.actor, current.kind.value, operation.id, state.value, error)
                write_audit(connection, now, line)
            connection.execute(
                update(schema.operations).where(schema.operations.c.id == operation.id).values(**values)
            )
            write_lines(connection, operation.id, now, lines)
            return read_operation(connection, operation.id)

        return await self._store.write(work, fence)

    async def cancel(
        self, operation_id: str, actor: str, now: datetime, refuse: Callable[[Operation], str]
    ) -> Operation:
        """Ask for an operation to be cancelled; the leader does so.

        Args:
            operation_id: which.
            actor: who asks.
            now: UTC.
            refuse: why it cannot be cancelled where it is; empty if it can.

        Raises:
            UnknownOperation: there is none of that id.
            TooLate: it is over, or past its point of no return.
        """

        def work(connection: Connection) -> Operation:
            current = read_operation(connection, operation_id)
            reason = f"{operation_id} has {current.state} already" if current.over else refuse(current)
            if reason:
                raise TooLate(reason)
            if not current.cancel_requested:
                connection.execute(
                    update(schema.operations)
                    .where(schema.operations.c.id == operation_id)
                    .values(cancel_requested=True, updated_at=now)
                )
                write_lines(
                    connection, operation_id, now, [Line(happening=Happening.CANCEL, text=f"by {actor}")]
                )
                write_audit(connection, now, AuditLine(actor, "cancel", operation_id, "accepted"))
            return read_operation(connection, operation_id)

        return await self._store.write(work)

    async def get(self, operation_id: str) -> Operation:
        """One operation.

        Raises:
            UnknownOperation: there is none of that id.
        """
        return await self._store.read(lambda connection: read_operation(connection, operation_id))

    async def find(self, query: Query) -> list[Operation]:
        """Operations, newest first.

        Raises:
            UnknownOperation: `before` is none.
        """

        def work(connection: Connection) -> list[Operation]:
            table = schema.operations.c
            asked = select(schema.operations).order_by(table.created_at.desc(), table.id.desc())
            if query.states is not None:
                asked = asked.where(table.state.in_([state.value for state in query.states]))
            if query.kinds is not None:
                asked = asked.where(table.kind.in_([kind.value for kind in query.kinds]))
            if query.node_id:
                asked = asked.where(table.node_id == query.node_id)
            if query.before:
                mark = read_operation(connection, query.before)
                same = and_(table.created_at == mark.created_at, table.id < mark.id)
                asked = asked.where(or_(table.created_at < mark.created_at, same))
            return [as_operation(row) for row in connection.execute(asked.limit(query.limit))]

        return await self._store.read(work)

    async def open(self) -> list[Operation]:
        """Every operation that is not over, oldest first."""
        return await self._store.read(read_open)

    async def by_key(self, request: Request, actor: str, key: str) -> Operation | None:
        """The operation that an actor asked for with this key; None for none.

        Raises:
            KeyReused: it was another request.
        """
        draft = Draft(id="", kind=request.kind, request=request.plain(), actor=actor, idempotency_key=key)
        return await self._store.read(lambda connection: read_by_key(connection, draft))

    async def recent(self, since: datetime, claims: Collection[str] = ()) -> list[Operation]:
        """Operations that are open, or were over no longer ago than this moment.

        Args:
            since: the moment, UTC.
            claims: what somebody would like to have for itself.

        Raises:
            Busy: another operation has one of the claims.
        """

        def work(connection: Connection) -> list[Operation]:
            read_claims(connection, "", claims)
            return read_recent(connection, since)

        return await self._store.read(work)

    async def tokens(self, tokens: Collection[str]) -> dict[str, Operation]:
        """The creations of these tokens, by token."""

        def work(connection: Connection) -> dict[str, Operation]:
            table = schema.operations.c
            rows = connection.execute(
                select(schema.operations).where(table.token.in_(list(tokens)), table.token != "")
            )
            return {row.token: as_operation(row) for row in rows}

        return await self._store.read(work) if tokens else {}

    async def history(self, operation_id: str, after: int = 0) -> list[StepRecord]:
        """What happened to an operation, in order.

        Args:
            operation_id: which.
            after: only lines of greater numbers.

        Raises:
            UnknownOperation: there is none of that id.
        """

        def work(connection: Connection) -> list[StepRecord]:
            read_operation(connection, operation_id)
            table = schema.events.c
            rows = connection.execute(
                select(schema.events)
                .where(table.operation_id == operation_id, table.sequence > after)
                .order_by(table.sequence)
            )
            return [as_record(row) for row in rows]

        return await self._store.read(work)

    async def happenings(self, after: int = 0, limit: int = 1000) -> list[StepRecord]:
        """What happened to any operation, in order; whoever reads on from the last number misses nothing."""

        def work(connection: Connection) -> list[StepRecord]:
            table = schema.events.c
            rows = connection.execute(
                select(schema.events).where(table.sequence > after).order_by(table.sequence).limit(limit)
            )
            return [as_record(row) for row in rows]

        return await self._store.read(work)

    async def latest(self) -> int:
        """Number of the last line of any history; 0 for none."""

        def work(connection: Connection) -> int:
            found: int | None = connection.execute(select(func.max(schema.events.c.sequence))).scalar()
            return found or 0

        return await self._store.read(work)
