"""Nodes that we know: those that we made, and those that were there before the journal and have been adopted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import asdict, frozen
from sqlalchemy import Connection, delete, insert, select, update

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.journal.schema import nodes
from aether_infra.runtime.journal.store import Fence, Store

BATCH = 500
"""Nodes in one statement: databases bound the number of its parameters."""


class Origin(StrEnum):
    """Why we know a node."""

    CREATED = "created"
    """By an operation of ours."""
    ADOPTED = "adopted"
    """It was on duty when we first saw it, or the cloud brought it by itself."""


@frozen(kw_only=True)
class Known:
    """What is remembered of a node."""

    node_id: str
    """The cloud's id."""
    role: NodeRole
    """What it is to the cluster."""
    origin: Origin
    """Why we know it."""
    aether_id: str = ""
    """Aether's id, once it is known: a node that is dead does not tell it any more."""
    first_seen_at: datetime
    """UTC."""
    on_duty_at: datetime | None = None
    """When it was first seen on duty, UTC; None for never."""
    lost_at: datetime | None = None
    """Since when it is not on duty although it was, UTC; None while it is."""
    held: bool = False
    """Drained on purpose, so that its machine is left."""


class Roster:
    """Writes down and finds what is remembered of nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> dict[str, Known]:
        """Every known node, by the cloud's id."""
        return await self._store.read(read_roster)

    async def get(self, node_id: str) -> Known | None:
        """What is remembered of a node; None for an unknown one."""
        return (await self.all()).get(node_id)

    async def write(self, changed: Iterable[Known], gone: Collection[str], fence: Fence) -> None:
        """Write nodes as they are now, except whether they are held, and forget those that are gone.

        Raises:
            Fenced: somebody else leads.
        """
        rows = [_row(each) for each in changed]
        over = [*gone, *(str(row["node_id"]) for row in rows)]

        def work(connection: Connection) -> None:
            held = set(connection.execute(select(nodes.c.node_id).where(nodes.c.held)).scalars())
            for row in rows:
                row["held"] = row["node_id"] in held
            for start in range(0, len(over), BATCH):
                connection.execute(delete(nodes).where(nodes.c.node_id.in_(over[start : start + BATCH])))
            if rows:
                connection.execute(insert(nodes), rows)

        if over:
            await self._store.write(work, fence)

    async def hold(self, node_id: str, role: NodeRole, now: datetime, fence: Fence, *, held: bool) -> None:
        """Write down whether a node is drained on purpose.

        Raises:
            Fenced: somebody else leads.
        """

        def work(connection: Connection) -> None:
            changed = connection.execute(update(nodes).where(nodes.c.node_id == node_id).values(held=held))
            if not changed.rowcount and held:
                new = Known(node_id=node_id, role=role, origin=Origin.ADOPTED, first_seen_at=now, held=True)
                connection.execute(insert(nodes).values(_row(new)))

        await self._store.write(work, fence)


def read_roster(connection: Connection) -> dict[str, Known]:
    """Every known node, by the cloud's id."""
    return {
        row.node_id: Known(
            node_id=row.node_id,
            role=NodeRole(row.role),
            origin=Origin(row.origin),
            aether_id=row.aether_id,
            first_seen_at=row.first_seen_at,
            on_duty_at=row.on_duty_at,
            lost_at=row.lost_at,
            held=row.held,
        )
        for row in connection.execute(select(nodes))
    }


def _row(known: Known) -> dict[str, Any]:
    return asdict(known) | {"origin": known.origin.value, "role": known.role.value}
