"""The digest: leases partitions of the journal, takes rows in order, and turns each batch into messages and cases in one unit of work.

Exactly once in effect: the rows are marked done in the transaction that writes their messages. A crash leaves them new; what crashes the process
again and again is tried alone and then laid aside as a dead letter. A batch that fails halves until the poison row stands alone.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Final

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from prometheus_client import Counter, Gauge

from careline.cases.clocks import policies_of
from careline.channels import registry
from careline.clocks import leases
from careline.events.recording import unit_of_work
from careline.intake import channel_facts, digest_wake
from careline.intake.batch import Batch
from careline.intake.journal import PARTITIONS, Journal
from careline.intake.models import JournalRow
from careline.intake.steps.case import case
from careline.intake.steps.changes import WAITS_FOR, changes
from careline.intake.steps.counters import counters
from careline.intake.steps.dedupe import dedupe
from careline.intake.steps.echo import echo
from careline.intake.steps.identify import identify
from careline.intake.steps.keep import keep
from careline.intake.steps.normalise import normalise
from careline.intake.steps.thread import thread
from careline.kit import clock, crashing
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of
from careline.threads.personal import find_places
from careline.triage.language import detect_language

BATCH_ROWS: Final = 200
# Rows that were being digested when a process died are suspects: they go in small company, then alone, and after this many deaths not at all.
# With five, one innocent row of 7,000 was laid aside in a run of 100 kills: a suspect goes first, so the next kill inside the digest meets it again.
SUSPECT_BATCH: Final = {0: BATCH_ROWS, 1: 16}
MOST_DEATHS: Final = 8
LEASE_S: Final = 10.0
POLL_S: Final = 0.5
STEPS: Final = (dedupe, echo, identify, thread, case, keep, changes, counters)
DIGESTED = Counter("careline_digested_total", "Journal rows digested.", ["outcome"])
BACKLOG = Gauge("careline_journal_new", "Journal rows waiting to be digested (counted up to the mark).")
_log = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker has taken over while we were busy: nothing of this batch may be committed."""


def warm_up() -> None:
    """Load what the first message would wait for: the networks, the tables of languages and of telephone numbers."""
    registry.networks()
    detect_language("Where is my suitcase?")
    find_places("Call me: +34 612 345 678")


class Digest:
    """One per worker process."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._fences: dict[str, int] = {}
        self._renewed_s = -LEASE_S
        self._counted_s = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop; then the partitions are given back."""
        warm_up()
        while not stopping.is_set():
            refresh_connections()
            try:
                busy = self.round()
            except Exception as error:  # the worker loop: the database may be away for a while
                _log.error("digest_failed", error=place_of(error))
                connection.close()
                busy = False
                stopping.wait(0.5)
            if not busy:
                digest_wake.wait(POLL_S)
        leases.give_back([*self._fences, f"worker:{leases.OWNER}"])

    def round(self) -> bool:
        """Digest one batch. Returns whether there was anything."""
        self._renew()
        rows = _take(sorted(int(name.removeprefix("partition:")) for name in self._fences))
        self._count_backlog()
        if rows:
            try:
                digest_rows(rows, self._fences)
            except (OperationalError, LeaseLost):
                _forgive(rows)
                raise
        return bool(rows)

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_s < LEASE_S / 3:
            return
        self._renewed_s = time.monotonic()
        self._fences = leases.take(_fair_share(self._fences), lasts_s=LEASE_S)
        _rearm_waiting()

    def _count_backlog(self) -> None:
        if time.monotonic() - self._counted_s < 1.0:
            return
        self._counted_s = time.monotonic()
        waiting = JournalRow.objects.filter(state=JournalRow.NEW)[:100_000].count()
        BACKLOG.set(waiting)
        if self._journal is not None:
            self._journal.undigested = waiting


def _fair_share(held: dict[str, int]) -> list[str]:
    """Partitions to renew and to ask for: as many as fall to each living worker. On SQLite there is only this one."""
    names = [f"partition:{number}" for number in range(PARTITIONS)]
    if connection.vendor == "sqlite":
        return names
    leases.take([f"worker:{leases.OWNER}"], lasts_s=LEASE_S)
    share = -(-PARTITIONS // max(1, leases.count_alive("worker:")))
    kept = sorted(held)[:share]
    leases.give_back([name for name in held if name not in kept])
    return [*kept, *leases.free([name for name in names if name not in held])[: share - len(kept)]]


def digest_pending(limit: int = 1_000_000) -> int:
    """Digest everything that is new, in this thread, without leases: for demos, commands and tests. Returns how many rows."""
    total = 0
    while total < limit and (rows := _take(list(range(PARTITIONS)))):
        digest_rows(rows, {})
        total += len(rows)
    return total


def wake() -> None:
    """There is something to digest."""
    digest_wake.wake()


def _take(partitions: list[int]) -> list[JournalRow]:
    """The oldest rows, as many as may go together; their attempt is committed before anything is done with them."""
    if not partitions:
        return []
    new = JournalRow.objects.filter(state=JournalRow.NEW, partition__in=partitions).order_by("id")
    rows = list(new[:BATCH_ROWS])
    if not rows:
        return []
    deaths = rows[0].attempts
    if deaths >= MOST_DEATHS:
        _lay_aside(rows[:1], "crashed", "The process died each time this delivery was being digested.")
        return _take(partitions)
    together = [row for row in rows if row.attempts == deaths][: SUSPECT_BATCH.get(deaths, 1)]
    if rows[0].attempts == 0:
        first_suspect = next((index for index, row in enumerate(rows) if row.attempts), len(rows))
        together = rows[:first_suspect]
    with transaction.atomic():
        JournalRow.objects.filter(id__in=[row.id for row in together]).update(attempts=F("attempts") + 1)
    crashing.pass_point("digest.attempt_committed")
    return together


def _forgive(rows: list[JournalRow]) -> None:
    """A deadlock or a lost lease is nobody's death: the rows are as innocent as before."""
    still_new = JournalRow.objects.filter(id__in=[row.id for row in rows], state=JournalRow.NEW, attempts__gt=0)
    still_new.update(attempts=F("attempts") - 1)


def _lay_aside(rows: list[JournalRow], reason: str, detail: str) -> None:
    with unit_of_work() as work:
        JournalRow.objects.filter(id__in=[row.id for row in rows]).update(
            state=JournalRow.DEAD, reason=reason, detail=detail[:300]
        )
        for row in rows:
            work.record_event(
                row.workspace_id, "channel.dead_letter", channel_id=row.channel_id, facts={"what": reason}
            )
    DIGESTED.labels("dead").inc(len(rows))


def digest_rows(rows: list[JournalRow], fences: dict[str, int]) -> None:
    """One batch, halving until what fails stands alone. Raises only for an absent database or a lost lease."""
    try:
        _digest_together(rows, fences)
    except (OperationalError, InterfaceError, LeaseLost):
        raise
    except Exception as error:  # the worker loop: any fault of a step must cost one row at most
        if len(rows) == 1:
            _log.error("row_failed", row=rows[0].id, channel=rows[0].channel_id, error=place_of(error))
            _lay_aside(rows, "failed", place_of(error))
            return
        middle = len(rows) // 2
        digest_rows(rows[:middle], fences)
        digest_rows(rows[middle:], fences)


def _digest_together(rows: list[JournalRow], fences: dict[str, int]) -> None:
    channels = channel_facts.load({row.channel_id for row in rows})
    batch = Batch(now=clock.now(), rows=rows)
    normalise(batch, channels)
    held = {name: fences[name] for row in rows if (name := f"partition:{row.partition}") in fences}
    with unit_of_work() as work:
        if held and not leases.check_held(held):
            raise LeaseLost
        batch.work = work
        batch.policies = {
            workspace_id: policies_of(workspace_id) for workspace_id in sorted({row.workspace_id for row in rows})
        }
        for step in STEPS:
            step(batch)
        _mark_rows(batch)
        crashing.pass_point("digest.before_commit")
    crashing.pass_point("digest.after_commit")
    DIGESTED.labels("done").inc(len(rows) - len(batch.dead))
    DIGESTED.labels("dead").inc(len(batch.dead))


def _mark_rows(batch: Batch) -> None:
    """What became of each row, and an event for each dead letter. One statement for the messages, one for everything else."""
    message_of = batch.about | {item.row.id: item.message.id for item in batch.said if item.message is not None}
    became = {
        row_id: message_id
        for row_id, message_id in message_of.items()
        if row_id not in batch.dead and row_id not in batch.waits
    }
    others: list[tuple[int, str, str, int]] = []
    for row in batch.rows:
        if row.id in batch.dead:
            reason, detail = batch.dead[row.id]
            others.append((JournalRow.DEAD, reason[:40], detail[:300], row.id))
            batch.work.record_event(
                row.workspace_id, "channel.dead_letter", channel_id=row.channel_id, facts={"what": reason}
            )
        elif row.id not in became:
            others.append(
                (JournalRow.DONE, "waits" if row.id in batch.waits else batch.reasons.get(row.id, ""), "", row.id)
            )
    _update_rows(became, others, str(connection.ops.adapt_datetimefield_value(batch.now)))
    late = [row_id for row_id, reason in batch.reasons.items() if reason == "deleted_by_author"]
    if batch.silenced or late:
        spoken = Q(message_id__in=batch.silenced) | Q(id__in=late)
        JournalRow.objects.filter(spoken).update(raw=b"", purged_at=batch.now)


# The pairs go as one text: with a placeholder for each, psycopg spent longer looking for them than the database on the rows.
_PAIRS = {
    "sqlite": "SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.m') AS message_id FROM json_each({})",
    "postgresql": "SELECT id, m AS message_id FROM json_to_recordset({}) AS pair(id bigint, m bigint)",
}
_BECAME = {
    vendor: "UPDATE journal SET state = 1, digested_at = %s, message_id = became.message_id, reason = '', detail = ''"  # noqa: S608
    f" FROM ({pairs.format('%s')}) AS became WHERE journal.id = became.id"
    for vendor, pairs in _PAIRS.items()
}


def _update_rows(became: dict[int, int], others: list[tuple[int, str, str, int]], stamp: str) -> None:
    with connection.cursor() as cursor:
        if became:
            pairs = msgspec.json.encode(
                [{"id": row_id, "m": message_id} for row_id, message_id in became.items()]
            ).decode()
            cursor.execute(_BECAME[connection.vendor], [stamp, pairs])
        if others:
            cursor.executemany(
                "UPDATE journal SET state = %s, reason = %s, detail = %s, digested_at = %s WHERE id = %s",
                [(state, reason, detail, stamp, row_id) for state, reason, detail, row_id in others],
            )


def _rearm_waiting() -> None:
    """Changes that came before their message get another look."""
    waiting = JournalRow.objects.filter(
        reason="waits", state=JournalRow.DONE, received_at__gt=clock.now() - WAITS_FOR - timedelta(minutes=1)
    )
    waiting.update(state=JournalRow.NEW, attempts=0, reason="")
