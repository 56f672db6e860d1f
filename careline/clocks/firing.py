"""The timer: sleeps until the next due time, claims what is due and calls each kind's handler in the claim's own unit of work, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from careline.clocks.models import Clock
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of

Handler = Callable[[UnitOfWork, Clock], None]
_handlers: dict[str, Handler] = {}
_wake = threading.Event()
_log = structlog.get_logger()
LONGEST_SLEEP_S = 0.5
BATCH = 50


def on(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of clock. It runs inside a unit of work and must be quick; slow work is enqueued."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def nudge_after_commit(due_at: datetime) -> None:
    """Wake this process's timer when the new due time is near."""
    if due_at <= clock.now() + timedelta(seconds=LONGEST_SLEEP_S * 2):
        transaction.on_commit(_wake.set)


def fire_due(limit: int = BATCH) -> int:
    """Fire what is due now, each clock in its own transaction with the mark that it fired. Returns how many fired.

    The row is claimed with SKIP LOCKED (on SQLite by the write lock), so with several nodes each clock fires once; a crash before commit
    leaves it due, and whatever its handler wrote is rolled back with it.
    """
    fired = 0
    due_ids = list(
        Clock.objects.filter(fired_at__isnull=True, due_at__lte=clock.now())
        .order_by("due_at")
        .values_list("id", flat=True)[:limit]
    )
    for clock_id in due_ids:
        fired += _fire_one(clock_id)
    return fired


def _fire_one(clock_id: int) -> int:
    try:
        with unit_of_work() as work:
            claimed = (
                Clock.objects.select_for_update(skip_locked=True)
                .filter(id=clock_id, fired_at__isnull=True, due_at__lte=clock.now())
                .first()
            )
            if claimed is None:
                return 0
            Clock.objects.filter(id=clock_id).update(fired_at=clock.now())
            _handle(work, claimed)
            return 1
    except Exception as error:  # a broken handler must not stop other clocks; this one is tried again in a minute
        _log.error("clock_failed", clock=clock_id, error=place_of(error))
        Clock.objects.filter(id=clock_id, fired_at__isnull=True).update(due_at=clock.now() + timedelta(minutes=1))
        return 0


def _handle(work: UnitOfWork, claimed: Clock) -> None:
    handler = _handlers.get(claimed.kind)
    if handler is None:
        _log.error("clock_without_handler", clock=claimed.id, kind=claimed.kind)
        return
    handler(work, claimed)


def run_timer(stopping: threading.Event) -> None:
    """Fire until told to stop. One thread per worker process; a database that is away for a while costs that while only."""
    while not stopping.is_set():
        refresh_connections()
        try:
            pause_s = _sleep_s() if fire_due() < BATCH else 0.0
        except Exception as error:  # the worker loop
            _log.error("timer_failed", error=place_of(error))
            connection.close()
            pause_s = LONGEST_SLEEP_S
        if pause_s:
            _wake.wait(pause_s)
            _wake.clear()


def _sleep_s() -> float:
    next_due = Clock.objects.filter(fired_at__isnull=True).order_by("due_at").values_list("due_at", flat=True).first()
    if next_due is None:
        return LONGEST_SLEEP_S
    return max(0.005, min(LONGEST_SLEEP_S, (next_due - clock.now()).total_seconds()))
