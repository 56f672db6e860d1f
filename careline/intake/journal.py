"""The journal's only writer: whatever queued while the last commit ran goes in one durable transaction, then its senders are answered.

Guarantee: when a Future from `submit` is done, its rows (and the reader's cursor that came with them) are on disk. At least once: a row already there
is left alone. Group commit is not optional: one by one the same rows ran 20 times slower, 150 times with a 5 ms disk (reference/stack.md, 2026-11-21).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from careline.channels.base import Part
from careline.errors import Unavailable
from careline.intake import digest_wake
from careline.intake.models import JournalRow
from careline.kit import clock, crashing, ids
from careline.kit.bulk import as_hex, rows_as_json
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of

PARTITIONS = 64
BATCH_ROWS = 512
BACKLOG_EVERY_S = 1.0
_COLUMNS = (
    "id, workspace_id, channel_id, event_key, order_key, partition, raw, state, attempts, reason, detail, received_at"
)
_NAMES = tuple(_COLUMNS.split(", "))
_ROWS = {
    "sqlite": f"VALUES ({', '.join(['%s'] * len(_NAMES))})",
    "postgresql": f"SELECT {_COLUMNS} FROM json_populate_recordset(NULL::journal, %s)",  # noqa: S608 - fixed names
}
_INSERT = {
    vendor: f"INSERT INTO journal ({_COLUMNS}) {rows} ON CONFLICT (channel_id, event_key) DO NOTHING"
    for vendor, rows in _ROWS.items()
}
_log = structlog.get_logger()


class NewRow(msgspec.Struct, frozen=True):
    """One event to be kept. `state` and `reason` are set for what is already known to be undigestible."""

    workspace_id: int
    channel_id: int
    event_key: str
    order_key: str
    raw: bytes
    state: int = 0
    reason: str = ""


class Cursor(msgspec.Struct, frozen=True):
    """A reader's position, committed together with the rows it read."""

    channel_id: int
    value: dict[str, object]


def row_of(workspace_id: int, channel_id: int, part: Part) -> NewRow:
    """A journal row from a part; over-long keys are kept unique by their end being a checksum."""
    return NewRow(workspace_id, channel_id, _key(part.platform_event_id), _key(part.order_key), part.raw)


def _key(text: str) -> str:
    # No database takes a NUL or half a surrogate pair, and a customer may have chosen these words.
    plain = text.replace("\0", "").encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= 300 else f"{plain[:280]}#{hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()}"


def partition_of(channel_id: int, order_key: str) -> int:
    """The same thread of the same channel always falls in the same partition, on any node."""
    return zlib.crc32(f"{channel_id}|{order_key}".encode()) % PARTITIONS


Waiter = Future[int] | asyncio.Future[int]
Entry = tuple[Sequence[NewRow], Cursor | None, Waiter]


class Journal:
    """Batches rows from any thread into durable transactions of one writer thread."""

    def __init__(self, *, mark: int | None = None) -> None:
        self._queue: deque[Entry] = deque()
        self.mark = settings.JOURNAL_MARK if mark is None else mark
        self._waiting = threading.Condition()
        self._queued_rows = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.undigested = 0

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        with self._waiting:
            self._stopping = True
            self._waiting.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout=30)

    def submit(self, rows: Iterable[NewRow], cursor: Cursor | None = None) -> Future[int]:
        """Queue rows, from any thread. The Future gives how many were handed to the database. Raises Unavailable above the mark: the platform will repeat."""
        done: Future[int] = Future()
        self._queue_up(list(rows), cursor, done)
        return done

    async def put(self, rows: Iterable[NewRow]) -> int:
        """The same for an event loop: all waiters of a batch are woken by one call into their loop, not each by its own."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue_up(list(rows), None, done)
        return await done

    def _queue_up(self, batch: list[NewRow], cursor: Cursor | None, done: Waiter) -> None:
        with self._waiting:
            if self._stopping:
                raise Unavailable("stopping", "Careline is stopping. Try again in a few seconds.")
            if cursor is None and self._queued_rows + self.undigested >= self.mark:
                raise Unavailable("journal_full", "Too much is waiting to be digested. Try again in a few seconds.")
            self._queue.append((batch, cursor, done))
            self._queued_rows += len(batch)
            self._waiting.notify()

    def _run(self) -> None:
        while True:
            taken = self._take()
            if not taken:
                connection.close()
                return
            self._write(taken)

    def _take(self) -> list[Entry]:
        with self._waiting:
            while not self._queue and not self._stopping:
                self._waiting.wait()
            taken: list[Entry] = []
            size = 0
            while self._queue and (not taken or size + len(self._queue[0][0]) <= BATCH_ROWS):
                entry = self._queue.popleft()
                taken.append(entry)
                size += len(entry[0])
            self._queued_rows -= size
            return taken

    def _write(self, taken: list[Entry]) -> None:
        rows = [row for batch, _, _ in taken for row in batch]
        cursors = {cursor.channel_id: cursor.value for _, cursor, _ in taken if cursor is not None}
        try:
            write_rows(rows, cursors)
        except Exception as error:  # the worker loop: without this thread nothing would be kept any more
            _log.error("journal_write_failed", rows=len(rows), error=place_of(error))
            connection.close()
            is_database_away = isinstance(error, OperationalError | InterfaceError)
            if len(taken) == 1 or is_database_away:
                _tell([(done, None) for _, _, done in taken])
                return
            for entry in taken:  # one delivery that cannot be stored must not cost its neighbours their 200
                self._write([entry])
            return
        _tell([(done, len(batch)) for batch, _, done in taken])
        digest_wake.wake()


def watch_backlog(journal: Journal, stopping: threading.Event) -> None:
    """For a process without a digest of its own: count what the workers have still to do, so that its mark holds. Until told to stop."""
    while not stopping.wait(BACKLOG_EVERY_S):
        refresh_connections()
        journal.undigested = JournalRow.objects.filter(state=JournalRow.NEW)[: journal.mark + 1].count()


def _tell(outcomes: list[tuple[Waiter, int | None]]) -> None:
    """Answer the senders; None means that nothing was stored."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, int | None]]] = {}
    here: list[tuple[Waiter, int | None]] = []
    for outcome in outcomes:
        waiter = outcome[0]
        (by_loop.setdefault(waiter.get_loop(), []) if isinstance(waiter, asyncio.Future) else here).append(outcome)
    _settle(here)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # a loop that closed meanwhile has nobody waiting
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(outcomes: list[tuple[Waiter, int | None]]) -> None:
    for waiter, count in outcomes:
        if waiter.done():
            continue
        if count is None:
            waiter.set_exception(
                Unavailable("journal_failed", "The message could not be stored. Try again in a few seconds.")
            )
        else:
            waiter.set_result(count)


def write_rows(rows: Sequence[NewRow], cursors: dict[int, dict[str, object]] | None = None) -> None:
    """Commit rows and cursors in one transaction. One statement a batch of rows, one for each cursor."""
    now = clock.now()
    stamp: Any = connection.ops.adapt_datetimefield_value(now)
    is_text = connection.vendor == "postgresql"
    values = [
        (
            ids.new_id(),
            row.workspace_id,
            row.channel_id,
            row.event_key,
            row.order_key,
            partition_of(row.channel_id, row.order_key),
            as_hex(row.raw) if is_text else row.raw,
            row.state,
            0,
            row.reason,
            "",
            stamp,
        )
        for row in rows
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        if values and is_text:
            cursor.execute(_INSERT["postgresql"], [rows_as_json(_NAMES, values)])
        elif values:
            cursor.executemany(_INSERT["sqlite"], values)
        for channel_id, value in (cursors or {}).items():
            cursor.execute(
                "UPDATE channels_channel SET cursor = %s, last_contact_at = %s WHERE id = %s",
                [msgspec.json.encode(value).decode(), stamp, channel_id],
            )
        crashing.pass_point("journal.before_commit")
    crashing.pass_point("journal.after_commit")
