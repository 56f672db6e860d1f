"""Follows the log of every workspace, has new words judged outside any transaction, and keeps the verdicts, exactly once in effect.

The place in the log moves in the transaction that keeps the verdicts; a crash between judges again and overwrites. When judging is slow or
the child is away, nothing waits but the verdicts: cases are open and answered meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from django.db import connection
from prometheus_client import Counter, Gauge

from careline.clocks import leases
from careline.events import hub
from careline.events.feed import events_after
from careline.events.models import EventCounter
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.kit.bulk import insert_rows, new_row
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of
from careline.threads.models import Message
from careline.triage.asking import asked_of, judgement_of, messages_to_judge
from careline.triage.calling import Child, ChildFailed
from careline.triage.endpoints import endpoint_of, spent_row, spent_today
from careline.triage.heads_in_use import HeadsInUse
from careline.triage.learning import learn_due
from careline.triage.looking_back import has_learned_topics, messages_without_topic, tell_topics
from careline.triage.models import Judgement, TriageCursor, TriageSettings
from careline.triage.protocol import Asked, Judged
from careline.triage.second_opinion import PROMPT_VERSION, SecondOpinion
from careline.triage.telling import JudgedMessage, tell
from careline.triage.watching.counting import count_judged
from careline.triage.watching.watcher import Watcher

BATCH_EVENTS: Final = 128
LEASE: Final = "triage"
LEASE_S: Final = 10.0
POLL_S: Final = 1.0
PAUSE_AFTER_FAILURE_S: Final = 2.0
HEARD: Final = ("message.received", "message.edited")
JUDGED_COLUMNS: Final = ("verdicts", "personal", "vector", "signature", "engine", "message_version", "at")
JUDGED = Counter("careline_triage_judged_total", "Messages judged.", ["outcome"])
BEHIND = Gauge("careline_triage_behind_seconds", "Age of the oldest message without verdicts.")
_log = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker judges now: nothing of this batch may be kept."""


class Triage:
    """One per worker process; the lease lets one at a time judge."""

    def __init__(self, child: Child | None = None, second: SecondOpinion | None = None) -> None:
        self.child = child or Child()
        self._heads = HeadsInUse(self.child)
        self._second = second or SecondOpinion()
        self._watcher = Watcher()
        self._cursors: dict[int, int] = {}
        self._fences: dict[str, int] = {}
        self._renewed_s = -LEASE_S
        self._wake = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        leave = hub.subscribe(lambda workspace_id, n: self._wake.set())
        try:
            while not stopping.is_set():
                refresh_connections()
                if not self._round_or_pause(stopping):
                    self._wake.wait(POLL_S)
                    self._wake.clear()
        finally:
            leave()
            leases.give_back([LEASE])

    def stop(self) -> None:
        """From another thread: end the child, so that a long question does not hold up the house's closing."""
        self.child.close()
        self._wake.set()

    def _round_or_pause(self, stopping: threading.Event) -> bool:
        try:
            return self.round()
        except Exception as error:  # the worker loop: the database or the child may be away for a while
            self._cursors.clear()
            if not stopping.is_set():
                _log.error("triage_failed", error=place_of(error))
                connection.close()
                stopping.wait(PAUSE_AFTER_FAILURE_S)
            return False

    def round(self) -> bool:
        """Judge one batch of each workspace that has something new, then learn what is due. Returns whether there was anything."""
        if not self._holds_lease():
            self._cursors.clear()
            return False
        behind = self._behind()
        if not behind:
            BEHIND.set(0)
        found = [workspace_id for workspace_id in behind if self._catch_up(workspace_id)]
        self._watcher.look(found, self._fences)
        return learn_due(self.child, clock.now()) or bool(found)

    def _holds_lease(self) -> bool:
        if time.monotonic() - self._renewed_s >= LEASE_S / 3:
            self._renewed_s = time.monotonic()
            self._fences = leases.take([LEASE], lasts_s=LEASE_S)
        return bool(self._fences)

    def _behind(self) -> list[int]:
        if not self._cursors:
            self._cursors = dict(TriageCursor.objects.values_list("workspace_id", "n"))
        newest = EventCounter.objects.order_by("workspace_id").values_list("workspace_id", "n")
        off = set(TriageSettings.objects.filter(is_on=False).values_list("workspace_id", flat=True))
        return [one for one, n in newest if n > self._cursors.get(one, 0) and one not in off]

    def _catch_up(self, workspace_id: int) -> bool:
        events = events_after(workspace_id, self._cursors.get(workspace_id, 0), BATCH_EVENTS)
        if not events:
            # The log was emptied beneath us (retention): go on from its end.
            self._cursors[workspace_id] = EventCounter.objects.values_list("n", flat=True).get(
                workspace_id=workspace_id
            )
            return False
        heard = [event for event in events if event.kind in HEARD and event.message_id]
        if heard:
            BEHIND.set(max(0.0, (clock.now() - heard[0].at).total_seconds()))
            messages = messages_to_judge(workspace_id, [event.message_id for event in heard if event.message_id])
            self._judge_and_keep(workspace_id, messages, events[-1].n)
        if has_learned_topics(events):
            self._look_back(workspace_id, events[-1].n)
        self._cursors[workspace_id] = events[-1].n
        return True

    def _judge_and_keep(self, workspace_id: int, messages: Sequence[Message], n: int) -> None:
        self._heads.bring(workspace_id)
        asked = asked_of(workspace_id, messages)
        found = {one.id: (one, engine) for part, engine in self._judge(asked) for one in part}
        budget = self._ask_model(workspace_id, asked, found)
        keep(workspace_id, messages, found, n, self._fences, budget)

    def _look_back(self, workspace_id: int, n: int) -> None:
        """Topics for older words, a batch a unit of work. The last one moves the place in the log, so that a crash begins anew."""
        self._heads.bring(workspace_id)
        messages = messages_without_topic(workspace_id, clock.now())
        for start in range(0, len(messages), BATCH_EVENTS):
            asked = asked_of(workspace_id, messages[start : start + BATCH_EVENTS])
            found = [one for part, _engine in self._judge(asked) for one in part]
            with unit_of_work() as work:
                tell_topics(work, workspace_id, found)
                check_lease(self._fences)
        with unit_of_work():
            move_cursor(workspace_id, n, clock.now())
            check_lease(self._fences)

    def _ask_model(
        self, workspace_id: int, asked: Sequence[Asked], found: dict[int, tuple[Judged, str]]
    ) -> dict[str, object] | None:
        """Put a language model's second opinion into `found`, where the workspace chose one. Returns what to keep of the day's budget."""
        settings = TriageSettings.objects.filter(workspace_id=workspace_id).first()
        endpoint = endpoint_of(settings) if settings else None
        if settings is None or endpoint is None or not asked:
            return None
        spent = spent_today(settings, clock.now())
        judged, now_spent = self._second.improve(endpoint, asked, [found[one.id][0] for one in asked], spent)
        if now_spent == spent:
            return None
        for one in judged:
            if one != found[one.id][0]:
                found[one.id] = (one, f"{found[one.id][1]}+{endpoint.model}:p{PROMPT_VERSION}")
        return {**settings.llm, "spent": spent_row(now_spent, clock.now())}

    def _judge(self, asked: Sequence[Asked]) -> list[tuple[list[Judged], str]]:
        """Judge, in halves where the child fails, until the one text that it cannot bear stands alone."""
        if not asked:
            return []
        try:
            judged, engine = self.child.judge(asked)
            JUDGED.labels("judged").inc(len(judged))
            return [(judged, engine)]
        except ChildFailed as failed:
            if failed.code == "closed":
                raise
            self._heads.forget()
            # A child that cannot even start raises here: that is no fault of a text, and everything is tried again.
            self.child.judge(())
            if len(asked) == 1:
                _log.warning("text_not_judged", message_id=asked[0].id, error=failed.code)
                JUDGED.labels("failed").inc()
                return [([Judged(asked[0].id, ())], "failed")]
            half = len(asked) // 2
            return [*self._judge(asked[:half]), *self._judge(asked[half:])]


def keep(
    workspace_id: int,
    messages: Sequence[Message],
    found: dict[int, tuple[Judged, str]],
    n: int,
    fences: dict[str, int],
    budget: dict[str, object] | None = None,
) -> None:
    """One unit of work: cases follow, judgements are kept, the place in the log moves."""
    now = clock.now()
    with unit_of_work() as work:
        standing = {one.id: one for one in messages_to_judge(workspace_id, [message.id for message in messages])}
        known = [JudgedMessage(standing[key], judged) for key, (judged, _) in found.items() if key in standing]
        tell(work, workspace_id, known)
        count_judged(workspace_id, known)
        rows = [judgement_of(one, found[one.message.id][1], now) for one in known]
        insert_rows(rows, unique=("message_id",), update=JUDGED_COLUMNS)
        move_cursor(workspace_id, n, now)
        if budget is not None:
            TriageSettings.objects.filter(workspace_id=workspace_id).update(llm=budget)
        check_lease(fences)


def move_cursor(workspace_id: int, n: int, now: datetime) -> None:
    """Everything up to event `n` is done. One statement."""
    cursor = new_row(TriageCursor, workspace_id=workspace_id, n=n, at=now)
    insert_rows([cursor], unique=("workspace_id",), update=("n", "at"))


def check_lease(fences: dict[str, int]) -> None:
    """Raises LeaseLost, which takes the unit of work back. One statement."""
    if fences and not leases.check_held(fences):
        raise LeaseLost


def judge_pending(child: Child) -> int:
    """Judge everything that is new, in this thread, without a lease: for demos, commands and tests. Returns how many messages have verdicts now."""
    triage = Triage(child)
    triage._holds_lease = lambda: True  # type: ignore[method-assign] # alone by the caller's word
    while triage.round():
        pass
    return Judgement.objects.count()
