"""The database: SQLite in a file by default, PostgreSQL where several replicas share it.

SQLAlchemy's blocking engine in threads, rather than its asynchronous one: one code for both databases, and no further
driver. Writers come one after the other (`BEGIN IMMEDIATE`; an advisory lock on PostgreSQL), so that a check and the
write that it is for are one, and the numbers of events never overtake one another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attrs import frozen
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from aether_infra.errors import AetherInfraError, ConfigError, MissingExtraError, Problem
from aether_infra.runtime.journal import schema
from aether_infra.runtime.refusals import Fenced

T = TypeVar("T")

LEADER = "leader"
"""Name of the leader's lease."""
ADVISORY_LOCK = 0x4145_5448
"""Number of PostgreSQL's lock that writers take; any number that nothing else in the database uses."""
BUSY_SECONDS = 30
"""How long a writer waits for another process on SQLite."""
THREADS = 4
"""Calls to the database at the same time."""


class JournalUnavailable(AetherInfraError):  # noqa: N818 - as `CloudUnavailable`
    """The database cannot be reached, or fails. Nothing is begun that could not be written down."""


@frozen(kw_only=True)
class Fence:
    """Proof of leadership: what is written under it is refused once another term has begun."""

    term: int


class Runner(Protocol):
    """Runs what blocks."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run it, and give back what it returns or raise what it raises."""
        ...


class Store:
    """The database of a journal.

    Args:
        engine: SQLAlchemy's engine, its tables made.
        runner: what runs a blocking call; default: threads.
    """

    def __init__(self, engine: Engine, runner: Runner | None = None) -> None:
        self._engine = engine
        threads = 1 if isinstance(engine.pool, StaticPool) else THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="journal")
        self._runner = runner or self._in_thread
        self._news = asyncio.Event()

    @classmethod
    def open(cls, url: str, runner: Runner | None = None) -> Store:
        """Open a database and make its tables if there are none; blocks.

        Args:
            url: SQLAlchemy's, such as `sqlite:///journal.db` or `postgresql://user:password@host/name`.
            runner: see above.

        Raises:
            ConfigError: the URL is none, or of another database, or the journal is of another version.
            MissingExtraError: PostgreSQL's driver is not installed.
            JournalUnavailable: it cannot be opened.
        """
        engine = _engine(_parsed(url))
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                _lock(connection)
                _make_tables(connection)
        except DBAPIError as error:
            engine.dispose()
            raise JournalUnavailable(f"the journal {_shown(engine)}: {_reason(error)}") from error
        except ConfigError:
            engine.dispose()
            raise
        return cls(engine, runner)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read in one transaction, as of one moment.

        Raises:
            JournalUnavailable: the database fails.
        """

        def run() -> T:
            connecting = self._engine.connect()
            if self._engine.dialect.name == "postgresql":
                # all of it as of one moment, as SQLite does by itself
                connecting = connecting.execution_options(isolation_level="REPEATABLE READ")
            with connecting as connection, connection.begin():
                return work(connection)

        return await self._run(run)

    async def write(self, work: Callable[[Connection], T], fence: Fence | None = None) -> T:
        """Write in one transaction, which is on disk when this returns; whole or not at all.

        Args:
            work: reads and writes; must not keep the connection.
            fence: the leader's term, for what only the leader may write.

        Raises:
            Fenced: another leader's term has begun.
            JournalUnavailable: the database fails; it may have been written all the same.
        """

        def run() -> T:
            connecting = self._engine.connect().execution_options(writes=True)
            with connecting as connection, connection.begin():
                _lock(connection)
                if fence is not None:
                    _check(connection, fence)
                return work(connection)

        result = await self._run(run)
        news, self._news = self._news, asyncio.Event()
        news.set()
        return result

    @property
    def news(self) -> asyncio.Event:
        """Set when this process writes next; what other processes write is not noticed."""
        return self._news

    async def close(self) -> None:
        """Close all connections."""
        await self._runner(self._engine.dispose)
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._runner(work)
        except DBAPIError as error:
            raise JournalUnavailable(f"the journal {_shown(self._engine)}: {_reason(error)}") from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # what was given may hold a password: it is not repeated
        problem = Problem(
            path="journal",
            message="is no database URL",
            hint="such as sqlite:///journal.db or postgresql://user:password@host/name",
        )
        raise ConfigError([problem], "--journal") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql" and parsed.drivername != "postgresql+psycopg":
        return parsed.set(drivername="postgresql+psycopg")
    if kind not in {"sqlite", "postgresql"}:
        message = f'must be of sqlite or postgresql, got "{kind}"'
        raise ConfigError([Problem(path="journal", message=message)], "--journal")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        arguments = {"connect_timeout": BUSY_SECONDS, "client_encoding": "utf8"}
        return create_engine(url, pool_size=THREADS, pool_pre_ping=True, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise MissingExtraError("runtime-postgresql", error.name or "psycopg") from error
    except (ArgumentError, NoSuchModuleError, InvalidRequestError) as error:
        raise ConfigError([Problem(path="journal", message=str(error).lower())], "--journal") from None


def _sqlite(url: URL) -> Engine:
    arguments: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    if url.database in {None, "", ":memory:"}:
        arguments["poolclass"] = StaticPool
    else:
        _private(Path(str(url.database)))
    engine = create_engine(url, **arguments)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # transactions begin where we say so, and not where the driver guesses:
        # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable (as of 2026-11)
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # in WAL mode, NORMAL may lose the last commits with the power: https://sqlite.org/pragma.html#pragma_synchronous
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _private(path: Path) -> None:
    """Make the file, for nobody else to read: it says who did what."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise JournalUnavailable(
            f"the journal {path} cannot be opened: {(error.strerror or str(error)).lower()}"
        ) from error


def _lock(connection: Connection) -> None:
    """Let writers come one after the other; SQLite does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})


def _check(connection: Connection, fence: Fence) -> None:
    leases = schema.leases.c
    row = connection.execute(select(leases.term, leases.holder).where(leases.name == LEADER)).first()
    if row is None or row.term != fence.term or not row.holder:
        now = f"term {row.term}" if row else "nobody's"
        raise Fenced(f"term {fence.term} is over: it is {now} now")


def _make_tables(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    found = connection.execute(
        select(schema.meta.c.value).where(schema.meta.c.name == "version")
    ).scalar_one_or_none()
    if found is None:
        connection.execute(insert(schema.meta).values(name="version", value=str(schema.VERSION)))
    elif found != str(schema.VERSION):
        message = f"is of version {found}, and this program knows version {schema.VERSION}"
        hint = "use the program that wrote it, or a journal of its own"
        raise ConfigError([Problem(path="journal", message=message, hint=hint)], "--journal")


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())
