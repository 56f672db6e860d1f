"""What is done every minute: writing down what was deleted, purging what retention says, sweeping orphaned files, forgetting clocks that fired."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from careline.cases.models import Case
from careline.clocks import leases
from careline.clocks.models import Clock, Lease
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files import storing
from careline.intake.emptying import empty_messages
from careline.intake.graves import Graves
from careline.intake.models import JournalRow, RefusedDelivery
from careline.kit import clock, ids
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of
from careline.outbox.models import Attempt, ModerationAttempt
from careline.threads.models import Message
from careline.triage.models import Bucket
from careline.workspaces.models import Workspace

EVERY_S = 60.0
CHUNK = 2000
PURGED_AT_ONCE = 200
# A million messages a day make some 3,000 events a minute: one chunk a round would fall behind.
MOST_CHUNKS = 20
FIRED_CLOCKS_STAY = timedelta(days=7)
DEAD_LEASES_STAY = timedelta(days=1)
# A spike is judged by six earlier weeks and the hour before them (triage/watching/histories.py).
COUNTS_STAY = timedelta(weeks=9)
WALK_LASTS_S = 24 * 3600.0
QUIET_S = 3600.0
_quiet_until_s: dict[int, float] = {}
_log = structlog.get_logger()


def run_housekeeping(stopping: threading.Event) -> None:
    """Until told to stop; one process at a time does it."""
    graves = Graves(Path(settings.DATA_DIR))
    while not stopping.wait(EVERY_S):
        refresh_connections()
        try:
            if leases.take(["housekeeping"], lasts_s=EVERY_S * 3):
                keep_house()
                graves.follow()
        except Exception as error:  # the worker loop
            _log.error("housekeeping_failed", error=place_of(error))
            connection.close()


def keep_house() -> dict[str, int]:
    """One round. Returns counts of what was purged; each step in short transactions of its own."""
    now = clock.now()
    counts = {"files": storing.sweep_unreferenced(), "strays": storing.sweep_strays(_prefix_of_this_minute())}
    for workspace in Workspace.objects.all():
        for name, count in purge_workspace(workspace).items():
            counts[name] = counts.get(name, 0) + count
    week_ago = now - FIRED_CLOCKS_STAY
    counts["clocks"] = _delete(Clock.objects.filter(id__lt=_id_at(week_ago), fired_at__lt=week_ago))
    counts["leases"] = _delete(Lease.objects.filter(expires_at__lt=now - DEAD_LEASES_STAY))
    return counts


def _prefix_of_this_minute() -> str:
    """All 256 folders of files in turn, one a round."""
    return f"{int(clock.epoch_s() // EVERY_S) % 256:02x}"


def purge_workspace(workspace: Workspace) -> dict[str, int]:
    """Apply a workspace's retention days to messages, raw deliveries, events and sending logs."""
    now = clock.now()
    raw_until = now - timedelta(days=workspace.keep_raw_days)
    logs_until = now - timedelta(days=workspace.keep_sending_logs_days)
    events_until = now - timedelta(days=workspace.keep_events_days)
    return {
        "messages": _purge_messages(workspace),
        "raw": _purge_raw(workspace.id, raw_until),
        "refused": _delete(RefusedDelivery.objects.filter(workspace_id=workspace.id, at__lt=raw_until)),
        "counts": _delete(Bucket.objects.filter(workspace_id=workspace.id, began_at__lt=now - COUNTS_STAY)),
        "events": _delete(Event.objects.filter(workspace_id=workspace.id, at__lt=events_until)),
        # By id too: ids are made in order of time, and only they have an index.
        "attempts": _delete(
            Attempt.objects.filter(workspace_id=workspace.id, id__lt=_id_at(logs_until), ended_at__lt=logs_until)
        ),
        "moderation_attempts": _delete(
            ModerationAttempt.objects.filter(
                workspace_id=workspace.id, id__lt=_id_at(logs_until), ended_at__lt=logs_until
            )
        ),
    }


def _purge_raw(workspace_id: int, until: datetime) -> int:
    """Empty old deliveries. The row stays as the memory of its key: a platform that repeats it years later is still recognised.

    Goes on where the last round ended, for the emptied rows stay in the table; a new round from the beginning every day finds what was
    digested late.
    """
    purged = 0
    old = JournalRow.objects.filter(workspace_id=workspace_id, purged_at__isnull=True, state=JournalRow.DONE)
    for _ in range(MOST_CHUNKS):
        begin, end = _walked.position(workspace_id), _id_at(until)
        chosen = list(old.filter(id__gt=begin, id__lt=end).order_by("id").values_list("id", flat=True)[:CHUNK])
        JournalRow.objects.filter(id__in=chosen).update(raw=b"", purged_at=clock.now())
        purged += len(chosen)
        _walked.move(workspace_id, chosen[-1] if len(chosen) == CHUNK else max(begin, end - 1))
        if len(chosen) < CHUNK:
            break
    return purged


class _Walk:
    """How far each workspace's journal has been walked; forgotten after a day."""

    def __init__(self) -> None:
        self._positions: dict[int, tuple[float, int]] = {}

    def position(self, workspace_id: int) -> int:
        begun_s, position = self._positions.get(workspace_id, (0.0, 0))
        return position if clock.epoch_s() - begun_s < WALK_LASTS_S else 0

    def move(self, workspace_id: int, position: int) -> None:
        begun_s = self._positions.get(workspace_id, (0.0, 0))[0]
        is_new = clock.epoch_s() - begun_s >= WALK_LASTS_S
        self._positions[workspace_id] = (clock.epoch_s() if is_new else begun_s, position)


_walked = _Walk()


def _id_at(moment: datetime) -> int:
    return ids.id_at(int(moment.timestamp() * 1000))


def _purge_messages(workspace: Workspace) -> int:
    """Empty messages older than the workspace keeps them, in cases that are done: who and when stay, the words go.

    Those emptied before stay in the index that is walked, so after a round without a find the next one is an hour away.
    """
    if not workspace.keep_messages_days or clock.epoch_s() < _quiet_until_s.get(workspace.id, 0.0):
        return 0
    purged = 0
    for _ in range(MOST_CHUNKS):
        found = _purge_some_messages(workspace.id, clock.now() - timedelta(days=workspace.keep_messages_days))
        purged += found
        if found < PURGED_AT_ONCE:
            break
    if not purged:
        _quiet_until_s[workspace.id] = clock.epoch_s() + QUIET_S
    return purged


def _purge_some_messages(workspace_id: int, until: datetime) -> int:
    done = Case.objects.filter(workspace_id=workspace_id, state="done").values("id")
    old = Message.objects.filter(workspace_id=workspace_id, at__lt=until, deleted_at__isnull=True)
    chosen = list(old.filter(Q(case_id__in=done) | Q(case_id__isnull=True)).order_by("at")[:PURGED_AT_ONCE])
    if chosen:
        with unit_of_work() as work:
            empty_messages(work, chosen)
    return len(chosen)


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    for _ in range(MOST_CHUNKS):
        chosen = list(rows.values_list("pk", flat=True)[:CHUNK])
        rows.model._default_manager.filter(pk__in=chosen).delete()
        deleted += len(chosen)
        if len(chosen) < CHUNK:
            break
    return deleted
