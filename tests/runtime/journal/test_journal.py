"""The journal, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from aether_infra.config import ConfigError
from aether_infra.core.tags import NodeRole
from aether_infra.errors import MissingExtraError
from aether_infra.runtime.journal.journal import Journal
from aether_infra.runtime.journal.operations import Query
from aether_infra.runtime.journal.records import Change, CoolOffRecord
from aether_infra.runtime.journal.roster import Known, Origin
from aether_infra.runtime.journal.rows import Draft, Line
from aether_infra.runtime.journal.store import Fence, JournalUnavailable
from aether_infra.runtime.operations import Happening, OperationKind, OperationState
from aether_infra.runtime.policy.model import Decision, Removal
from aether_infra.runtime.refusals import Busy, Fenced, KeyReused, OutOfBounds, TooLate, UnknownOperation

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def play(url: str, story: Callable[[Journal], Awaitable[None]]) -> None:
    """Play with an open journal, in real threads."""

    async def main() -> None:
        journal = await Journal.open(url)
        try:
            await story(journal)
        finally:
            await journal.close()

    asyncio.run(main())


def draft(number: int = 1, **given: Any) -> Draft:
    usual: dict[str, Any] = {
        "id": f"op-{number}",
        "kind": OperationKind.REMOVE,
        "request": {"node_id": f"i-{number}"},
        "actor": "ann",
        "node_id": f"i-{number}",
        "claims": (f"node i-{number}",),
    }
    return Draft(**usual | given)


async def leader(journal: Journal, name: str = "one") -> Fence:
    fence = await journal.leases.take(name, await journal.leases.look(), NOW)
    assert fence is not None
    return fence


def test_what_is_written_is_there_after_a_restart(url: str) -> None:
    async def first(journal: Journal) -> None:
        fence = await leader(journal)
        operation = await journal.operations.submit(draft(reason="too old"), NOW, since=NOW)
        moved = await journal.operations.advance(
            operation,
            NOW + timedelta(seconds=1),
            fence,
            lines=[Line(happening=Happening.STARTED, step="preflight")],
            state=OperationState.RUNNING,
            step="preflight",
            facts={"address": "10.0.0.1", "registered": True},
        )
        assert moved.step_since == NOW + timedelta(seconds=1)

    async def second(journal: Journal) -> None:
        (operation,) = await journal.operations.open()
        assert operation.state is OperationState.RUNNING
        assert (operation.step, operation.reason, operation.created_at) == ("preflight", "too old", NOW)
        assert operation.facts == {"address": "10.0.0.1", "registered": True}
        lines = await journal.operations.history(operation.id)
        assert [(line.happening, line.step, line.text) for line in lines] == [
            (Happening.SUBMITTED, "", "too old"),
            (Happening.STARTED, "preflight", ""),
        ]
        (entry,) = await journal.audits()
        assert (entry.actor, entry.action, entry.subject) == ("ann", "submit remove", "op-1")

    play(url, first)
    play(url, second)


def test_keys_claims_and_guards_in_one(url: str) -> None:
    async def story(journal: Journal) -> None:
        operations = journal.operations
        first = await operations.submit(draft(idempotency_key="k"), NOW, since=NOW)
        again = await operations.submit(
            draft(2, idempotency_key="k", request={"node_id": "i-1"}), NOW, since=NOW
        )
        assert again == first
        with pytest.raises(KeyReused):
            await operations.submit(draft(2, idempotency_key="k"), NOW, since=NOW)
        with pytest.raises(Busy, match=r"node i-1 is taken by op-1 \(remove, pending\)"):
            await operations.submit(draft(3, claims=("node i-3", "node i-1")), NOW, since=NOW)
        with pytest.raises(UnknownOperation):
            await operations.get("op-3")

        def guard(found: Any) -> None:
            raise OutOfBounds(f"{len(found)} are there")

        with pytest.raises(OutOfBounds, match="1 are there"):
            await operations.submit(draft(4), NOW, since=NOW, guard=guard)
        fence = await leader(journal)
        await operations.advance(first, NOW, fence, state=OperationState.SUCCEEDED)
        freed = await operations.submit(draft(5, claims=("node i-1",)), NOW, since=NOW)
        assert not freed.over

    play(url, story)


def test_many_ask_at_once_and_one_gets_it(url: str) -> None:
    async def story(journal: Journal) -> None:
        results = await asyncio.gather(
            *(journal.operations.submit(draft(n, claims=("core",)), NOW, since=NOW) for n in range(1, 13)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Busy) for each in results) == 11
        assert len(await journal.operations.open()) == 1

    play(url, story)


def test_two_processes_write_and_numbers_never_overtake(url: str) -> None:
    async def main() -> None:
        one, two = await asyncio.gather(Journal.open(url), Journal.open(url))
        seen: list[int] = []

        async def write(journal: Journal, base: int) -> None:
            for n in range(10):
                await journal.operations.submit(draft(base + n), NOW, since=NOW)

        async def read() -> None:
            while len(seen) < 20:
                lines = await one.operations.happenings(seen[-1] if seen else 0, 3)
                seen.extend(line.sequence for line in lines)

        await asyncio.wait_for(asyncio.gather(write(one, 0), write(two, 100), read()), 30)
        assert len(set(seen)) == 20
        assert seen == sorted(seen), "whoever reads on misses nothing"
        assert [line.sequence for line in await two.operations.happenings()] == seen
        await asyncio.gather(one.close(), two.close())

    asyncio.run(main())


def test_a_leader_whose_term_is_over_writes_nothing_more(url: str) -> None:
    async def story(journal: Journal) -> None:
        old = await leader(journal, "one")
        operation = await journal.operations.submit(draft(), NOW, since=NOW)
        new = await leader(journal, "two")
        assert new.term == old.term + 1
        for write in (
            journal.operations.advance(operation, NOW, old, state=OperationState.SUCCEEDED),
            journal.operations.submit(draft(2), NOW, since=NOW, fence=old),
            journal.roster.write((), ("i-1",), old),
            journal.records.set_target(None, 3, NOW, old),
            journal.leases.renew(old, NOW),
            journal.leases.give_up(old, NOW),
        ):
            with pytest.raises(Fenced, match=f"term {old.term} is over: it is term {new.term} now"):
                await write
        assert (await journal.operations.get("op-1")).state is OperationState.PENDING
        await journal.leases.give_up(new, NOW)
        with pytest.raises(Fenced):
            await journal.operations.advance(operation, NOW, new, state=OperationState.SUCCEEDED)

    play(url, story)


def test_only_one_takes_a_lease_that_several_have_seen(url: str) -> None:
    async def story(journal: Journal) -> None:
        seen = await journal.leases.look()
        assert seen is None
        taken = await asyncio.gather(*(journal.leases.take(f"p{n}", seen, NOW) for n in range(6)))
        assert sum(fence is not None for fence in taken) == 1
        seen = await journal.leases.look()
        (fence,) = [each for each in taken if each]
        await journal.leases.renew(fence, NOW)
        assert await journal.leases.take("late", seen, NOW) is None, "it has shown life meanwhile"

    play(url, story)


def test_cancelling(url: str) -> None:
    async def story(journal: Journal) -> None:
        operation = await journal.operations.submit(draft(), NOW, since=NOW)
        with pytest.raises(TooLate, match="no way"):
            await journal.operations.cancel("op-1", "bob", NOW, lambda _: "no way")
        assert (await journal.operations.cancel("op-1", "bob", NOW, lambda _: "")).cancel_requested
        fence = await leader(journal)
        same = await journal.operations.advance(
            operation, NOW, fence, unless_cancelled=True, state=OperationState.RUNNING, step="x"
        )
        assert (same.state, same.step) == (OperationState.PENDING, "")
        over = await journal.operations.advance(operation, NOW, fence, state=OperationState.CANCELLED)
        assert over.finished_at == NOW
        with pytest.raises(TooLate, match="op-1 has cancelled already"):
            await journal.operations.cancel("op-1", "bob", NOW, lambda _: "")
        again = await journal.operations.advance(over, NOW, fence, state=OperationState.FAILED)
        assert again.state is OperationState.CANCELLED, "what is over stays so"

    play(url, story)


def test_finding(url: str) -> None:
    async def story(journal: Journal) -> None:
        for n in range(1, 6):
            kind = OperationKind.CREATE if n % 2 else OperationKind.REMOVE
            moment = NOW + timedelta(seconds=n // 2)
            await journal.operations.submit(draft(n, kind=kind, token=f"t{n}"), moment, since=NOW)
        find = journal.operations.find
        assert [each.id for each in await find(Query(limit=3))] == ["op-5", "op-4", "op-3"]
        assert [each.id for each in await find(Query(before="op-4"))] == ["op-3", "op-2", "op-1"]
        assert [each.id for each in await find(Query(kinds=[OperationKind.REMOVE]))] == ["op-4", "op-2"]
        assert [each.id for each in await find(Query(node_id="i-3"))] == ["op-3"]
        assert await find(Query(states=[OperationState.FAILED])) == []
        assert {*await journal.operations.tokens(["t2", "t9", ""])} == {"t2"}
        with pytest.raises(UnknownOperation):
            await find(Query(before="op-9"))

    play(url, story)


def test_numbers_move_with_what_people_do(url: str) -> None:
    async def story(journal: Journal) -> None:
        fence = await leader(journal)
        records = journal.records
        assert (await journal.snapshot()).target is None
        assert await records.set_target(None, 3, NOW, fence)
        await records.set_desired(2, "ann", NOW)
        down = Change(by=-1, fewest=2, most=9)
        await journal.operations.submit(draft(1, change=down), NOW, since=NOW)
        known = await journal.snapshot()
        assert (known.fixed, known.target) == (2, 2), "not below the fewest"
        assert not await records.set_target(3, 5, NOW, fence), "somebody has moved it since it was read"
        await records.set_desired(None, "ann", NOW)
        assert (await journal.snapshot()).fixed is None
        setting = await records.desired()
        assert setting is not None
        assert (setting.value, setting.set_by) == (None, "ann")

    play(url, story)


def test_the_roster(url: str) -> None:
    async def story(journal: Journal) -> None:
        fence = await leader(journal)
        known = Known(
            node_id="i-1", role=NodeRole.WORKER, origin=Origin.CREATED, first_seen_at=NOW, on_duty_at=NOW
        )
        await journal.roster.write([known], (), fence)
        await journal.roster.hold("i-1", NodeRole.WORKER, NOW, fence, held=True)
        await journal.roster.hold("i-2", NodeRole.CORE, NOW, fence, held=True)
        await journal.roster.write([known], (), fence)
        roster = await journal.roster.all()
        assert roster["i-1"].held, "what was seen before does not undo it"
        assert roster["i-2"].role is NodeRole.CORE
        many = [
            Known(node_id=f"m-{n}", role=NodeRole.WORKER, origin=Origin.ADOPTED, first_seen_at=NOW)
            for n in range(1200)
        ]
        await journal.roster.write(many, ("i-1",), fence)
        assert len(await journal.roster.all()) == 1201

    play(url, story)


def test_decisions_cool_offs_and_the_audit(url: str) -> None:
    async def story(journal: Journal) -> None:
        fence = await leader(journal)
        removal = Removal(node_id="i-1", reason="idle")
        decision = Decision(
            at=NOW, desired=2, actual=3, serving=3, load=0.1, remove=(removal,), reason="r", holds=("h",)
        )
        old = Decision(at=NOW - timedelta(days=40), desired=1, actual=1, serving=1, load=None, reason="old")
        for each in (old, decision):
            await journal.records.decide(each, fence)
        assert await journal.records.decisions() == [decision], "those that are too old are gone"
        record = CoolOffRecord(zone="a", size="", until=NOW + timedelta(seconds=60), reason="no room")
        await journal.records.cool_off(record, fence)
        await journal.records.cool_off(record, fence)
        assert list(await journal.records.cool_offs(NOW)) == [record]
        assert list(await journal.records.cool_offs(NOW + timedelta(seconds=61))) == []
        for n in range(5):
            await journal.audit("ann", "look", f"i-{n}", "accepted")
        entries = await journal.audits(3)
        assert [entry.subject for entry in entries] == ["i-4", "i-3", "i-2"]
        assert [entry.subject for entry in await journal.audits(9, entries[-1].sequence)] == ["i-1", "i-0"]

    play(url, story)


def test_news_wake_whoever_waits(url: str) -> None:
    async def story(journal: Journal) -> None:
        waiting = asyncio.create_task(journal.wait_for_news(0, 20))
        await asyncio.sleep(0.01)
        await journal.operations.submit(draft(), NOW, since=NOW)
        assert await asyncio.wait_for(waiting, 5)
        assert not await journal.wait_for_news(10_000, 0.01)

    play(url, story)


def test_a_journal_of_another_version_is_left_alone(url: str) -> None:
    async def story(journal: Journal) -> None:
        await journal.ping()

    play(url, story)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '99'"))
    engine.dispose()
    with pytest.raises(ConfigError, match="is of version 99, and this program knows version 1"):
        play(url, story)


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        ("journal.db", ConfigError, "is no database URL .*such as sqlite:///journal.db"),
        ("mysql://ann:secret@host/x", ConfigError, 'must be of sqlite or postgresql, got "mysql"'),
        ("sqlite:////none/such/folder/j.db", JournalUnavailable, "no such file or directory"),
        ("postgresql://ann:secret@/x?host=/none/such", JournalUnavailable, "ann:\\*\\*\\*@"),
    ],
)
def test_a_journal_that_cannot_be_opened(bad: str, kind: type[Exception], match: str) -> None:
    with pytest.raises(kind, match=match) as raised:
        asyncio.run(Journal.open(bad))
    assert "secret" not in str(raised.value)


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aether-infra\[runtime-postgresql\]'"):
        asyncio.run(Journal.open("postgresql://host/x"))


def test_the_file_is_nobody_elses_and_survives_the_power(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def story(journal: Journal) -> None:
        await journal.ping()
        pragmas = await journal._store.read(  # noqa: SLF001 - what SQLite has been told
            lambda connection: [
                connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous")
            ]
        )
        assert pragmas == ["wal", 2], "write-ahead log, FULL"

    play(f"sqlite:///{path}", story)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
