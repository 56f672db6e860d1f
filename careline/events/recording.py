"""`unit_of_work`: the only write transaction in the product. It numbers its events just before commit and wakes the hub after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from careline.events import hub
from careline.events.kinds import KINDS
from careline.events.models import Event, EventCounter
from careline.kit import clock
from careline.kit.bulk import insert_rows, new_row


class UnitOfWork:
    """Collects the events of one transaction. Rows are locked in this order: persons, cases, the rest, the counter last."""

    def __init__(self) -> None:
        self._events: dict[int, list[Event]] = defaultdict(list)

    def record_event(
        self,
        workspace_id: int,
        kind: str,
        *,
        audience: str = "workspace",
        facts: dict[str, Any] | None = None,
        **ids: int | None,
    ) -> None:
        """Append an event. `kind` is one of events.kinds.KINDS; `ids` are the id columns and `version` of Event. Never pass text."""
        if kind not in KINDS:
            raise KeyError(f"undocumented event kind {kind!r}: add it to events/kinds.py and docs/events.md")
        self._events[workspace_id].append(
            new_row(
                Event,
                workspace_id=workspace_id,
                kind=kind,
                audience=audience,
                facts=facts or {},
                at=clock.now(),
                **ids,
            )
        )

    def _number(self) -> None:
        fresh: list[Event] = []
        for workspace_id in sorted(self._events):
            batch = self._events[workspace_id]
            last = _advance(workspace_id, len(batch))
            for offset, event in enumerate(batch):
                event.n = last - len(batch) + 1 + offset
            fresh.extend(batch)
            transaction.on_commit(lambda workspace_id=workspace_id, last=last: hub.wake(workspace_id, last))  # type: ignore[misc] # bound defaults
        if fresh:
            insert_rows(fresh)


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """One transaction: rows, their events and the events' numbers commit together or not at all. Never nest, never await inside."""
    if _is_nested():
        raise RuntimeError("units of work do not nest: pass the UnitOfWork down")
    work = UnitOfWork()
    with transaction.atomic():
        yield work
        work._number()  # the last lock of the transaction


def _advance(workspace_id: int, by: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_eventcounter (workspace_id, n) VALUES (%s, %s)"
            " ON CONFLICT (workspace_id) DO UPDATE SET n = events_eventcounter.n + excluded.n RETURNING n",
            [workspace_id, by],
        )
        return int(cursor.fetchone()[0])


def last_number(workspace_id: int) -> int:
    """The newest number of a workspace: 0 before its first event. One statement."""
    return (
        EventCounter.objects.filter(workspace_id=workspace_id)
        .annotate(last=F("n"))
        .values_list("last", flat=True)
        .first()
        or 0
    )


def _is_nested() -> bool:
    """Django's TestCase wraps each test in transactions of its own and marks those; any other block is a transaction already begun."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
