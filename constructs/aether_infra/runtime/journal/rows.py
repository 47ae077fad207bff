"""Operations, claims and history as rows: what is read and written within one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, insert, or_, select

from aether_infra.runtime.journal import schema
from aether_infra.runtime.journal.records import Change
from aether_infra.runtime.operations import Happening, Operation, OperationKind, OperationState, StepRecord
from aether_infra.runtime.refusals import Busy, KeyReused, UnknownOperation

OPEN = tuple(state.value for state in OperationState if not state.over)
"""States of operations that are not over."""


@frozen(kw_only=True)
class Draft:
    """An operation to be written down."""

    id: str
    kind: OperationKind
    request: Mapping[str, Any]
    actor: str
    reason: str = ""
    node_id: str = ""
    zone: str = ""
    token: str = ""
    idempotency_key: str = ""
    claims: tuple[str, ...] = ()
    """What it has for itself until it is over."""
    change: Change | None = None
    """How the number of nodes that there shall be moves with it; None for not at all."""

    @property
    def fingerprint(self) -> str:
        """The same for the same request."""
        text = json.dumps([self.kind.value, self.request], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@frozen(kw_only=True)
class Line:
    """A line to be added to an operation's history."""

    happening: Happening
    step: str = ""
    text: str = ""


def read_open(connection: Connection) -> list[Operation]:
    """Every operation that is not over, oldest first."""
    table = schema.operations.c
    rows = connection.execute(
        select(schema.operations).where(table.state.in_(OPEN)).order_by(table.created_at, table.id)
    )
    return [as_operation(row) for row in rows]


def read_operation(connection: Connection, operation_id: str) -> Operation:
    """One operation.

    Raises:
        UnknownOperation: there is none of that id.
    """
    row = connection.execute(select(schema.operations).where(schema.operations.c.id == operation_id)).first()
    if row is None:
        raise UnknownOperation(operation_id)
    return as_operation(row)


def read_by_key(connection: Connection, draft: Draft) -> Operation | None:
    """The operation that was asked for with the same key; None for none.

    Raises:
        KeyReused: it was another request.
    """
    if not draft.idempotency_key:
        return None
    table = schema.operations.c
    row = connection.execute(
        select(schema.operations).where(
            table.actor == draft.actor, table.idempotency_key == draft.idempotency_key
        )
    ).first()
    if row is None:
        return None
    if row.fingerprint != draft.fingerprint:
        raise KeyReused(draft.idempotency_key, row.id)
    return as_operation(row)


def read_recent(connection: Connection, since: datetime) -> list[Operation]:
    """Operations that are open, or were over no longer ago than a moment."""
    table = schema.operations.c
    rows = connection.execute(
        select(schema.operations).where(or_(table.state.in_(OPEN), table.updated_at >= since))
    )
    return [as_operation(row) for row in rows]


def write_claims(connection: Connection, operation_id: str, subjects: Collection[str]) -> None:
    """Take what an operation wants for itself, besides what it has already.

    Raises:
        Busy: another one has one of them.
    """
    held = read_claims(connection, operation_id, subjects)
    for subject in subjects:
        if subject not in held:
            connection.execute(insert(schema.claims).values(subject=subject, operation_id=operation_id))


def read_claims(connection: Connection, operation_id: str, subjects: Collection[str]) -> set[str]:
    """Those of the claims that the operation has already.

    Raises:
        Busy: another one has one of them.
    """
    if not subjects:
        return set()
    table = schema.claims.c
    rows = connection.execute(select(schema.claims).where(table.subject.in_(list(subjects))))
    held = {row.subject: row.operation_id for row in rows}
    for subject, holder in held.items():
        if holder != operation_id:
            other = read_operation(connection, holder)
            raise Busy(f"{subject} is taken by {holder} ({other.kind}, {other.step or other.state})", holder)
    return set(held)


def write_lines(connection: Connection, operation_id: str, now: datetime, lines: Sequence[Line]) -> None:
    """Add lines to the history of an operation."""
    if lines:
        connection.execute(
            insert(schema.events),
            [
                {
                    "operation_id": operation_id,
                    "at": now,
                    "happening": line.happening.value,
                    "step": line.step,
                    "text": line.text,
                }
                for line in lines
            ],
        )


def as_operation(row: Row[Any]) -> Operation:
    """A row as an operation."""
    return Operation(
        id=row.id,
        kind=OperationKind(row.kind),
        state=OperationState(row.state),
        step=row.step,
        step_since=row.step_since,
        node_id=row.node_id,
        zone=row.zone,
        token=row.token,
        desired=row.desired,
        request=row.request,
        facts=row.facts,
        actor=row.actor,
        reason=row.reason,
        idempotency_key=row.idempotency_key or "",
        error=row.error,
        attempts=row.attempts,
        cancel_requested=row.cancel_requested,
        not_before=row.not_before,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
    )


def as_record(row: Row[Any]) -> StepRecord:
    """A row as a line of history."""
    return StepRecord(
        sequence=row.sequence,
        operation_id=row.operation_id,
        at=row.at,
        happening=Happening(row.happening),
        step=row.step,
        text=row.text,
    )
