"""Set, move and stop clocks, inside the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from careline.clocks import firing
from careline.clocks.models import Clock
from careline.kit.bulk import insert_rows, new_row


def due(
    workspace_id: int,
    kind: str,
    subject_id: int,
    due_at: datetime,
    *,
    name: str = "",
    facts: dict[str, Any] | None = None,
) -> Clock:
    """A clock to be saved by `set_clocks`."""
    return new_row(
        Clock, workspace_id=workspace_id, kind=kind, subject_id=subject_id, name=name, due_at=due_at, facts=facts or {}
    )


def set_clocks(clocks: Iterable[Clock]) -> None:
    """Save clocks; one with the same (kind, subject, name) is moved and armed again. One statement, and a nudge to the timer after commit."""
    latest = {(one.kind, one.subject_id, one.name): one for one in clocks}
    if not latest:
        return
    insert_rows(
        [latest[key] for key in sorted(latest)],
        unique=("kind", "subject_id", "name"),
        update=("due_at", "fired_at", "facts", "workspace_id"),
    )
    firing.nudge_after_commit(min(one.due_at for one in latest.values()))


def stop_clocks(kind: str, subject_ids: Iterable[int], *, name: str | None = None) -> None:
    """Disarm clocks that have not fired. One statement."""
    armed = Clock.objects.filter(kind=kind, subject_id__in=list(subject_ids), fired_at__isnull=True)
    (armed if name is None else armed.filter(name=name)).delete()
