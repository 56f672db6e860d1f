"""The journal: durable before it answers, whole or not at all, at least once, full rather than forgetful. Invariant 1: raw first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.base import Part
from careline.channels.models import Channel
from careline.conftest import Air
from careline.errors import Unavailable
from careline.intake import journal as journal_module
from careline.intake.journal import BATCH_ROWS, PARTITIONS, Cursor, Journal, NewRow, partition_of, row_of, write_rows
from careline.intake.models import JournalRow

pytestmark = pytest.mark.django_db
AIR = 11


def rows_of(*keys: str, channel_id: int = 5) -> list[NewRow]:
    return [NewRow(AIR, channel_id, key, "t1", f"raw {key}".encode()) for key in keys]


def write_waiting(journal: Journal) -> None:
    """What the writer's thread does, in this one."""
    while journal._queue:
        journal._write(journal._take())


def kept() -> list[str]:
    return list(JournalRow.objects.order_by("id").values_list("event_key", flat=True))


def test_invariant_1_raw_first_nobody_is_answered_before_the_rows_are_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = Journal(mark=100)
    done = journal.submit(rows_of("a", "b"))
    seen: list[tuple[bool, list[str]]] = []
    plain = journal_module.write_rows

    def watch(rows: list[NewRow], cursors: dict[int, dict[str, object]]) -> None:
        seen.append((done.done(), kept()))
        plain(rows, cursors)
        seen.append((done.done(), kept()))

    monkeypatch.setattr(journal_module, "write_rows", watch)
    write_waiting(journal)
    assert seen == [(False, []), (False, ["a", "b"])]
    assert done.result(timeout=0) == 2
    assert [bytes(row.raw) for row in JournalRow.objects.order_by("id")] == [b"raw a", b"raw b"]


def test_what_queued_meanwhile_goes_together_in_one_transaction() -> None:
    journal = Journal(mark=10_000)
    waiters = [journal.submit(rows_of(f"e{number}")) for number in range(40)]
    with CaptureQueriesContext(connection) as asked:
        write_waiting(journal)
    assert len(asked) <= 3
    assert [one.result(timeout=0) for one in waiters] == [1] * 40
    assert kept() == [f"e{number}" for number in range(40)]


def test_a_batch_ends_before_its_limit_and_one_that_is_larger_goes_alone() -> None:
    journal = Journal(mark=100_000)
    for size in (BATCH_ROWS - 1, 1, 1, BATCH_ROWS + 100, 5):
        journal.submit(rows_of(*(f"{size}-{number}" for number in range(size))))
    sizes = []
    while journal._queue:
        taken = journal._take()
        sizes.append(sum(len(batch) for batch, _, _ in taken))
    assert sizes == [BATCH_ROWS, 1, BATCH_ROWS + 100, 5]
    assert journal._queued_rows == 0


def test_the_same_event_twice_is_kept_once_and_answered_twice() -> None:
    journal = Journal(mark=100)
    first, again = journal.submit(rows_of("a")), journal.submit(rows_of("a", "b"))
    write_waiting(journal)
    assert (first.result(timeout=0), again.result(timeout=0)) == (1, 2)
    assert kept() == ["a", "b"]
    write_rows(rows_of("a", channel_id=6))
    assert kept() == ["a", "b", "a"]


def test_a_cursor_commits_with_its_rows_or_not_at_all(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(point: str) -> None:
        if point == "journal.before_commit":
            raise OperationalError("the disk is full")

    journal = Journal(mark=100)
    with monkeypatch.context() as patched:
        patched.setattr(journal_module.crashing, "pass_point", fail)
        patched.setattr(journal_module.connection, "close", lambda: None)
        done = journal.submit(rows_of("a", channel_id=air.channel.id), Cursor(air.channel.id, {"uid": 7}))
        write_waiting(journal)
    with pytest.raises(Unavailable):
        done.result(timeout=0)
    assert (kept(), Channel.objects.get(id=air.channel.id).cursor) == ([], {})
    journal.submit(rows_of("a", channel_id=air.channel.id), Cursor(air.channel.id, {"uid": 7, "name": "ñ"}))
    write_waiting(journal)
    channel = Channel.objects.get(id=air.channel.id)
    assert (kept(), channel.cursor, channel.last_contact_at is not None) == (["a"], {"uid": 7, "name": "ñ"}, True)


def test_over_its_mark_it_refuses_platforms_but_never_a_reader() -> None:
    journal = Journal(mark=3)
    journal.submit(rows_of("a", "b", "c"))
    with pytest.raises(Unavailable) as full:
        journal.submit(rows_of("d"))
    assert (full.value.code, full.value.status) == ("journal_full", 503)
    journal.submit(rows_of("e"), Cursor(1, {}))
    write_waiting(journal)
    journal.undigested = 3
    with pytest.raises(Unavailable):
        journal.submit(rows_of("d"))
    journal.undigested = 0
    journal.submit(rows_of("d"))
    write_waiting(journal)
    assert kept() == ["a", "b", "c", "e", "d"]


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that refuses any transaction with the row `poison` in it."""
    plain = journal_module.write_rows

    def write(rows: list[NewRow], cursors: dict[int, dict[str, object]]) -> None:
        if any(row.event_key == "poison" for row in rows):
            raise DataError("value out of range")
        plain(rows, cursors)

    monkeypatch.setattr(journal_module, "write_rows", write)
    monkeypatch.setattr(journal_module.connection, "close", lambda: None)
    yield


def test_a_delivery_that_cannot_be_stored_does_not_cost_its_neighbours_their_answer(poisoned: None) -> None:
    journal = Journal(mark=100)
    waiters = [journal.submit(rows_of(*keys)) for keys in (("a",), ("poison", "x"), ("b",))]
    write_waiting(journal)
    assert [_outcome(one) for one in waiters] == [1, "journal_failed", 1]
    assert kept() == ["a", "b"]


def test_an_absent_database_is_tried_once_and_everybody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def away(rows: list[NewRow], cursors: dict[int, dict[str, object]]) -> None:
        tried.append(len(rows))
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(journal_module, "write_rows", away)
    monkeypatch.setattr(journal_module.connection, "close", lambda: None)
    journal = Journal(mark=100)
    waiters = [journal.submit(rows_of(key)) for key in "abc"]
    write_waiting(journal)
    assert ([_outcome(one) for one in waiters], tried) == (["journal_failed"] * 3, [3])


def _outcome(done: Future[int]) -> int | str:
    error = done.exception(timeout=0)
    return error.code if isinstance(error, Unavailable) else done.result()


def test_an_event_loop_is_answered_in_its_own_thread() -> None:
    async def main() -> tuple[int, str]:
        journal = Journal(mark=1)
        waiting = asyncio.create_task(journal.put(rows_of("a")))
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: journal_module._tell([(done, 1) for _, _, done in journal._take()])
        )
        journal.undigested = 1
        try:
            await journal.put(rows_of("b"))
        except Unavailable as full:
            return await waiting, full.code
        return await waiting, ""

    assert asyncio.run(main()) == (1, "journal_full")


def test_a_waiter_that_went_away_is_no_error() -> None:
    async def main() -> None:
        journal = Journal(mark=10)
        waiting = asyncio.create_task(journal.put(rows_of("a")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        journal_module._tell([(done, 1) for _, _, done in journal._take()])
        await asyncio.sleep(0)

    asyncio.run(main())
    assert kept() == []


def test_a_stopping_journal_takes_nothing_new() -> None:
    journal = Journal(mark=10)
    journal.stop()
    with pytest.raises(Unavailable) as refused:
        journal.submit(rows_of("a"))
    assert refused.value.code == "stopping"
    assert journal._take() == []


@given(st.text(st.characters(), max_size=500))
def test_any_key_of_a_platform_can_be_stored_and_is_told_apart(key: str) -> None:
    row = row_of(AIR, 5, Part("x", key, key, b""))
    assert len(row.event_key) <= 300
    assert "\0" not in row.event_key
    row.event_key.encode()
    assert 0 <= partition_of(5, row.order_key) < PARTITIONS


def test_long_keys_with_the_same_beginning_are_different_events() -> None:
    first, second = (row_of(AIR, 5, Part("x", "k" * 400 + ending, "t", b"")).event_key for ending in "ab")
    assert first != second and len(first) <= 300
    assert row_of(AIR, 5, Part("x", "k" * 300, "t", b"")).event_key == "k" * 300


def test_a_half_surrogate_and_a_nul_are_stored_as_something_a_database_takes() -> None:
    write_rows([row_of(AIR, 5, Part("x", "a\0b\ud800", "t\0\udfff", b"\0"))])
    assert kept() == ["ab\\ud800"]


def test_a_thread_stays_in_its_partition_and_threads_are_spread() -> None:
    assert partition_of(5, "t1") == partition_of(5, "t1")
    assert len({partition_of(5, f"t{number}") for number in range(2000)}) == PARTITIONS
    assert {partition_of(channel, "t1") for channel in range(50)} != {partition_of(0, "t1")}
