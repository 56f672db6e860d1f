"""What is done every minute: purging what retention says, sweeping orphaned files, forgetting clocks that fired."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from django.db import close_old_connections
from django.db.models import Q

from careline.cases.forgetting import refresh_cases
from careline.cases.models import Case
from careline.clocks import leases
from careline.clocks.models import Clock
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files import storing
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.outbox.models import Attempt
from careline.threads import editing
from careline.threads.models import Message
from careline.workspaces.models import Workspace

EVERY_S = 60.0
CHUNK = 2000
PURGED_AT_ONCE = 200
_log = structlog.get_logger()


def run_housekeeping(stopping: threading.Event) -> None:
    """Until told to stop; one process at a time does it."""
    while not stopping.wait(EVERY_S):
        close_old_connections()
        try:
            if leases.take(["housekeeping"], lasts_s=EVERY_S * 3):
                keep_house()
        except Exception as error:  # the worker loop
            _log.error("housekeeping_failed", error=type(error).__name__)


def keep_house() -> dict[str, int]:
    """One round. Returns counts of what was purged; each step in short transactions of its own."""
    counts = {"files": storing.sweep_unreferenced()}
    for workspace in Workspace.objects.all():
        for name, count in purge_workspace(workspace).items():
            counts[name] = counts.get(name, 0) + count
    counts["clocks"] = _delete(Clock.objects.filter(fired_at__lt=clock.now() - timedelta(days=7)))
    return counts


def purge_workspace(workspace: Workspace) -> dict[str, int]:
    """Apply a workspace's retention days to raw deliveries, events and sending logs."""
    now = clock.now()
    raw_until = now - timedelta(days=workspace.keep_raw_days)
    _purge_messages(workspace)
    old_raw = JournalRow.objects.filter(
        workspace_id=workspace.id, received_at__lt=raw_until, purged_at__isnull=True, state=JournalRow.DONE
    )
    raw_ids = list(old_raw.values_list("id", flat=True)[:CHUNK])
    # The row stays as the memory of its key: a platform that repeats it years later is still recognised.
    JournalRow.objects.filter(id__in=raw_ids).update(raw=b"", purged_at=now)
    return {
        "raw": len(raw_ids),
        "events": _delete(
            Event.objects.filter(workspace_id=workspace.id, at__lt=now - timedelta(days=workspace.keep_events_days))
        ),
        "attempts": _delete(
            Attempt.objects.filter(
                workspace_id=workspace.id, ended_at__lt=now - timedelta(days=workspace.keep_sending_logs_days)
            )
        ),
    }


def _purge_messages(workspace: Workspace) -> None:
    """Empty messages older than the workspace keeps them, in cases that are done: who and when stay, the words go."""
    if not workspace.keep_messages_days:
        return
    until = clock.now() - timedelta(days=workspace.keep_messages_days)
    done = Case.objects.filter(workspace_id=workspace.id, state="done").values("id")
    old = Message.objects.filter(workspace_id=workspace.id, at__lt=until, deleted_at__isnull=True)
    chosen = list(old.filter(Q(case_id__in=done) | Q(case_id__isnull=True)).order_by("at")[:PURGED_AT_ONCE])
    if not chosen:
        return
    with unit_of_work() as work:
        editing.purge_words(chosen, clock.now())
        refresh_cases(work, chosen)
        spoken = JournalRow.objects.filter(message_id__in=[message.id for message in chosen])
        spoken.update(raw=b"", purged_at=clock.now())


def _delete(rows) -> int:  # type: ignore[no-untyped-def] # a queryset of any model
    chosen = list(rows.values_list("pk", flat=True)[:CHUNK])
    rows.model.objects.filter(pk__in=chosen).delete()
    return len(chosen)
