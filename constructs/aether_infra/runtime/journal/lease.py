"""The lease of the leader, as the database holds it."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, insert, select, update

from aether_infra.runtime.journal.schema import leases
from aether_infra.runtime.journal.store import LEADER, Fence, Store


@frozen(kw_only=True)
class Lease:
    """Who leads, or led."""

    holder: str
    """Name of the process; empty when it was given up."""
    term: int
    """Rises with each new leader."""
    renewals: int
    """Rises with each sign of life."""
    at: datetime
    """When it was renewed last, by the holder's clock: to be shown, not to be reckoned with."""


class Leases:
    """Takes, renews and gives up the leader's lease.

    No clock is compared with another machine's: whoever wants to lead watches `renewals` by its own clock, and takes
    over when it has stood still for long enough, if it still does in the moment of writing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def look(self) -> Lease | None:
        """The lease as it is; None where nobody has ever led."""
        return await self._store.read(_read)

    async def take(self, holder: str, seen: Lease | None, now: datetime) -> Fence | None:
        """Begin a new term.

        Args:
            holder: this process.
            seen: the lease as it was seen; it must still be just that.
            now: UTC.

        Returns:
            The fence of the new term; None if somebody else was quicker.
        """

        def work(connection: Connection) -> Fence | None:
            current = _read(connection)
            if current != seen:
                return None
            term = seen.term + 1 if seen else 1
            values = {"holder": holder, "term": term, "renewals": 0, "at": now}
            if seen is None:
                connection.execute(insert(leases).values(name=LEADER, **values))
            else:
                connection.execute(update(leases).where(leases.c.name == LEADER).values(**values))
            return Fence(term=term)

        return await self._store.write(work)

    async def renew(self, fence: Fence, now: datetime) -> None:
        """Give a sign of life.

        Raises:
            Fenced: somebody else leads.
        """

        def work(connection: Connection) -> None:
            connection.execute(
                update(leases).where(leases.c.name == LEADER).values(renewals=leases.c.renewals + 1, at=now)
            )

        await self._store.write(work, fence)

    async def give_up(self, fence: Fence, now: datetime) -> None:
        """End the term, so that somebody else may lead at once.

        Raises:
            Fenced: somebody else leads already.
        """

        def work(connection: Connection) -> None:
            connection.execute(update(leases).where(leases.c.name == LEADER).values(holder="", at=now))

        await self._store.write(work, fence)


def _read(connection: Connection) -> Lease | None:
    row = connection.execute(select(leases).where(leases.c.name == LEADER)).first()
    if row is None:
        return None
    return Lease(holder=row.holder, term=row.term, renewals=row.renewals, at=row.at)
