"""The audit log, the desired number, decisions and cool-offs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import asdict, frozen
from sqlalchemy import Connection, delete, insert, select, update

from aether_infra.runtime.journal import schema
from aether_infra.runtime.journal.store import Fence, Store
from aether_infra.runtime.operations import AuditEntry
from aether_infra.runtime.policy.model import Decision, Removal

DESIRED = "desired"
"""Name of the setting that holds the fixed number of elastic nodes."""
TARGET = "target"
"""Name of the setting that holds the number that the controller has decided last."""
KEPT = timedelta(days=30)
"""How long decisions are kept."""


@frozen
class AuditLine:
    """A line for the audit log; see `operations.AuditEntry`."""

    actor: str
    action: str
    subject: str
    result: str
    detail: str = ""


@frozen(kw_only=True)
class Change:
    """How the number of nodes that there shall be moves."""

    by: int
    fewest: int
    most: int


@frozen(kw_only=True)
class Setting:
    """Something that has been set."""

    value: int | None
    set_by: str
    set_at: datetime


@frozen(kw_only=True)
class CoolOffRecord:
    """A zone and size without room."""

    zone: str
    """Empty for wherever the manager had chosen."""
    size: str
    """Empty for the launch template's."""
    until: datetime
    """Until when it is left alone, UTC."""
    reason: str
    """What the cloud said."""


class Records:
    """What is only ever added to, or is one value."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def audit(self, now: datetime, line: AuditLine) -> None:
        """Add a line to the audit log."""
        await self._store.write(lambda connection: write_audit(connection, now, line))

    async def audits(self, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Lines of the audit log, newest first.

        Args:
            limit: most of them.
            before: only lines of smaller numbers; None for the newest.
        """

        def work(connection: Connection) -> list[AuditEntry]:
            table = schema.audit.c
            asked = select(schema.audit).order_by(table.sequence.desc()).limit(limit)
            if before is not None:
                asked = asked.where(table.sequence < before)
            return [AuditEntry(**row._mapping) for row in connection.execute(asked)]  # noqa: SLF001 - public in SQLAlchemy

        return await self._store.read(work)

    async def desired(self) -> Setting | None:
        """The fixed number that was set last; None if there never was one."""
        return await self._store.read(lambda connection: _setting(connection, DESIRED))

    async def set_desired(self, count: int | None, actor: str, now: datetime) -> None:
        """Set the fixed number; None for none."""

        def work(connection: Connection) -> None:
            _write_setting(connection, DESIRED, count, actor, now)
            said = "auto" if count is None else str(count)
            write_audit(connection, now, AuditLine(actor, "set desired", DESIRED, "accepted", said))

        await self._store.write(work)

    async def set_target(self, before: int | None, count: int, now: datetime, fence: Fence) -> bool:
        """Write down the number that the controller has decided, unless somebody has moved it since it was read.

        Returns:
            Whether nobody has: otherwise the decision was made of what is not so any more.

        Raises:
            Fenced: somebody else leads.
        """

        def work(connection: Connection) -> bool:
            if read_number(connection, TARGET) != before:
                return False
            if count != before:
                _write_setting(connection, TARGET, count, "controller", now)
            return True

        return await self._store.write(work, fence)

    async def decide(self, decision: Decision, fence: Fence) -> None:
        """Keep a decision; those that are too old go.

        Raises:
            Fenced: somebody else leads.
        """

        def work(connection: Connection) -> None:
            connection.execute(
                insert(schema.decisions).values(
                    at=decision.at,
                    desired=decision.desired,
                    actual=decision.actual,
                    serving=decision.serving,
                    load=decision.load,
                    create=decision.create,
                    remove=[
                        {"node_id": each.node_id, "reason": each.reason, "force": each.force}
                        for each in decision.remove
                    ],
                    reason=decision.reason,
                    holds=list(decision.holds),
                )
            )
            connection.execute(delete(schema.decisions).where(schema.decisions.c.at < decision.at - KEPT))

        await self._store.write(work, fence)

    async def decisions(self, limit: int = 100, since: datetime | None = None) -> list[Decision]:
        """Decisions, newest first.

        Args:
            limit: most of them.
            since: only later ones, UTC.
        """

        def work(connection: Connection) -> list[Decision]:
            table = schema.decisions.c
            asked = select(schema.decisions).order_by(table.sequence.desc()).limit(limit)
            if since is not None:
                asked = asked.where(table.at >= since)
            return [
                Decision(
                    at=row.at,
                    desired=row.desired,
                    actual=row.actual,
                    serving=row.serving,
                    load=row.load,
                    create=row.create,
                    remove=tuple(Removal(**each) for each in row.remove),
                    reason=row.reason,
                    holds=tuple(row.holds),
                )
                for row in connection.execute(asked)
            ]

        return await self._store.read(work)

    async def cool_off(self, record: CoolOffRecord, fence: Fence) -> None:
        """Remember that there is no room.

        Raises:
            Fenced: somebody else leads.
        """

        def work(connection: Connection) -> None:
            table = schema.cool_offs
            key = (table.c.zone == record.zone) & (table.c.size == record.size)
            connection.execute(delete(table).where(key))
            connection.execute(
                insert(table).values(
                    zone=record.zone, size=record.size, until=record.until, reason=record.reason
                )
            )

        await self._store.write(work, fence)

    async def cool_offs(self, now: datetime) -> Sequence[CoolOffRecord]:
        """What is still left alone."""

        def work(connection: Connection) -> list[CoolOffRecord]:
            table = schema.cool_offs
            rows = connection.execute(select(table).where(table.c.until > now).order_by(table.c.zone))
            return [
                CoolOffRecord(zone=row.zone, size=row.size, until=row.until, reason=row.reason)
                for row in rows
            ]

        return await self._store.read(work)


def write_audit(connection: Connection, now: datetime, line: AuditLine) -> None:
    """Add a line to the audit log, in the transaction of what it tells of."""
    connection.execute(insert(schema.audit).values(at=now, **asdict(line)))


def move_numbers(connection: Connection, change: Change, actor: str, now: datetime) -> None:
    """Move the number of nodes that there shall be, by whoever's decision, in the transaction of what moves it."""
    for name in (DESIRED, TARGET):
        setting = _setting(connection, name)
        if setting is not None and setting.value is not None:
            moved = max(change.fewest, min(change.most, setting.value + change.by))
            _write_setting(connection, name, moved, actor, now)


def read_number(connection: Connection, name: str) -> int | None:
    """A setting's number; None where there is none."""
    setting = _setting(connection, name)
    return setting.value if setting else None


def _setting(connection: Connection, name: str) -> Setting | None:
    row = connection.execute(select(schema.settings).where(schema.settings.c.name == name)).first()
    return None if row is None else Setting(value=row.value, set_by=row.set_by, set_at=row.set_at)


def _write_setting(connection: Connection, name: str, value: int | None, actor: str, now: datetime) -> None:
    values = {"value": value, "set_by": actor, "set_at": now}
    changed = connection.execute(
        update(schema.settings).where(schema.settings.c.name == name).values(**values)
    )
    if not changed.rowcount:
        connection.execute(insert(schema.settings).values(name=name, **values))
