"""The journal: all of its parts over one database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from attrs import frozen
from sqlalchemy import text

from aether_infra.runtime.clock import Calendar, SystemCalendar
from aether_infra.runtime.journal.lease import Leases
from aether_infra.runtime.journal.operations import Operations
from aether_infra.runtime.journal.records import DESIRED, TARGET, AuditLine, Records, read_number
from aether_infra.runtime.journal.roster import Known, Roster, read_roster
from aether_infra.runtime.journal.rows import read_open
from aether_infra.runtime.journal.store import Runner, Store
from aether_infra.runtime.operations import AuditEntry, Operation

LOOK_SECONDS = 1.0
"""How often it is looked whether another process has written something."""


@frozen(kw_only=True)
class Snapshot:
    """What a decision is made of."""

    operations: tuple[Operation, ...]
    """Those that are open."""
    roster: Mapping[str, Known]
    """Nodes that we know."""
    fixed: int | None
    """The number that a person has set; None for none."""
    target: int | None
    """The number that the controller has decided last; None for none yet."""


class Journal:
    """What was intended, and what must not be forgotten.

    Args:
        store: the database.
        calendar: where time comes from.
    """

    def __init__(self, store: Store, calendar: Calendar | None = None) -> None:
        self._store = store
        self._calendar = calendar or SystemCalendar()
        self.operations = Operations(store)
        self.roster = Roster(store)
        self.leases = Leases(store)
        self.records = Records(store)

    @classmethod
    async def open(cls, url: str, calendar: Calendar | None = None, runner: Runner | None = None) -> Journal:
        """Open a journal, and make its tables if there are none.

        Args:
            url: the database; see `Store.open`.
            calendar: where time comes from.
            runner: what runs blocking calls; default: threads.

        Raises:
            ConfigError: the URL is none, or of another database, or the journal is of another version.
            MissingExtraError: PostgreSQL's driver is not installed.
            JournalUnavailable: it cannot be opened.
        """
        store: Store = await (runner or asyncio.to_thread)(lambda: Store.open(url, runner))
        return cls(store, calendar)

    async def snapshot(self) -> Snapshot:
        """What a decision is made of, as of one moment."""
        return await self._store.read(
            lambda connection: Snapshot(
                operations=tuple(read_open(connection)),
                roster=read_roster(connection),
                fixed=read_number(connection, DESIRED),
                target=read_number(connection, TARGET),
            )
        )

    async def audit(self, actor: str, action: str, subject: str, result: str, detail: str = "") -> None:
        """Add a line to the audit log.

        Args:
            actor: who.
            action: what.
            subject: about what.
            result: how it went.
            detail: more about it.
        """
        line = AuditLine(actor, action, subject, result, detail)
        await self.records.audit(self._calendar.utc(), line)

    async def audits(self, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Lines of the audit log, newest first; see `Records.audits`."""
        return await self.records.audits(limit, before)

    async def ping(self) -> None:
        """Make sure that the database answers.

        Raises:
            JournalUnavailable: it does not.
        """
        await self._store.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def wait_for_news(self, after: int, seconds: float) -> bool:
        """Wait until there is a line of history with a greater number, of any process.

        Args:
            after: the number.
            seconds: how long at the most.

        Returns:
            Whether there is one.
        """
        deadline = self._calendar.now() + seconds
        while True:
            news = self._store.news
            if await self.operations.latest() > after:
                return True
            left = deadline - self._calendar.now()
            if left <= 0:
                return False
            await self.nap(min(LOOK_SECONDS, left), news)

    async def nap(self, seconds: float, news: asyncio.Event | None = None) -> None:
        """Sleep, but not past the moment in which this process writes something.

        Args:
            seconds: how long.
            news: what was `news` before the last look; default: of now.
        """
        event = news or self._store.news
        waiting = [
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._calendar.sleep(seconds)),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    @property
    def news(self) -> asyncio.Event:
        """Set when this process writes next."""
        return self._store.news

    async def close(self) -> None:
        """Give back connections; nothing else may be called afterwards."""
        await self._store.close()
