"""Tables of the journal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

VERSION: Final = 1
"""Version of these tables; a journal of another one is not opened."""

metadata = MetaData()
"""All tables."""


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, also where the database knows no time zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As the database takes it."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """As Python takes it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _sequence() -> Column[Any]:
    """A number that rises with each row; SQLite counts by itself only where the type is INTEGER."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("sequence", kind, primary_key=True, autoincrement=True)


meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""The version of the tables."""

operations = Table(
    "operations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", String(64), nullable=False),
    Column("step_since", UtcTime, nullable=False),
    Column("node_id", String(512), nullable=False),
    Column("zone", String(128), nullable=False),
    Column("token", String(64), nullable=False),
    Column("desired", Integer),
    Column("request", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("idempotency_key", String(256)),
    Column("fingerprint", String(64), nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("not_before", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Index("operations_by_state", "state"),
    Index("operations_by_node", "node_id"),
    Index("operations_by_time", "created_at"),
    Index("operations_by_token", "token"),
    Index("operations_by_key", "actor", "idempotency_key", unique=True),
)
"""Each intended change, and where it is."""

claims = Table(
    "claims",
    metadata,
    Column("subject", String(640), primary_key=True),
    Column("operation_id", String(64), nullable=False, index=True),
)
"""What an operation that is not over has for itself: `node <id>`, `core`, `dns <name> <type>`. The primary key is what
makes two operations on one node impossible."""

events = Table(
    "events",
    metadata,
    _sequence(),
    Column("operation_id", String(64), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("happening", String(16), nullable=False),
    Column("step", String(64), nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""History of the operations; only ever added to."""

audit = Table(
    "audit",
    metadata,
    _sequence(),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("action", String(128), nullable=False),
    Column("subject", String(640), nullable=False),
    Column("result", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who did what, with which result; only ever added to."""

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON),
    Column("set_by", String(256), nullable=False),
    Column("set_at", UtcTime, nullable=False),
)
"""What a person has set: the desired number of nodes."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(256), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("renewals", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
)
"""Who leads. `term` rises with each new leader, `renewals` with each sign of life; `holder` is empty when given up."""

nodes = Table(
    "nodes",
    metadata,
    Column("node_id", String(512), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("aether_id", String(256), nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("on_duty_at", UtcTime),
    Column("lost_at", UtcTime),
    Column("held", Boolean, nullable=False),
)
"""Nodes that we know: created by us, or adopted."""

cool_offs = Table(
    "cool_offs",
    metadata,
    Column("zone", String(128), primary_key=True),
    Column("size", String(128), primary_key=True),
    Column("until", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Zones and sizes without room, until when they are left alone."""

decisions = Table(
    "decisions",
    metadata,
    _sequence(),
    Column("at", UtcTime, nullable=False, index=True),
    Column("desired", Integer, nullable=False),
    Column("actual", Integer, nullable=False),
    Column("serving", Integer, nullable=False),
    Column("load", Float),
    Column("create", Integer, nullable=False),
    Column("remove", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("holds", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""What the controller has decided, and why."""
