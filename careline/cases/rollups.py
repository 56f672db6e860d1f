"""Hourly counts, added up in one statement by whoever does the counted work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from careline.kit import ids

COUNTS: Final = ("received", "answered", "opened", "closed", "first_answers", "first_answers_in_time")
Row = tuple[int, datetime, int, int, dict[str, int]]
"""(workspace, start of the hour, channel, agent or 0, counts to add)"""


def add_counts(rows: Sequence[Row]) -> None:
    """Add counts, in the caller's unit of work. Rows are sorted, so that batches that overlap cannot deadlock. One
    statement.
    """
    if not rows:
        return
    values: list[Any] = []
    for workspace_id, hour_at, channel_id, agent_id, counts in sorted(rows, key=lambda row: row[:4]):
        stamp = connection.ops.adapt_datetimefield_value(hour_at)
        values += [ids.new_id(), workspace_id, stamp, channel_id, agent_id, *(counts.get(name, 0) for name in COUNTS)]
    columns = ", ".join(COUNTS)
    marks = ", ".join([f"({', '.join(['%s'] * (5 + len(COUNTS)))})"] * len(rows))
    sums = ", ".join(f"{name} = cases_rolluphour.{name} + excluded.{name}" for name in COUNTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO cases_rolluphour (id, workspace_id, hour_at, channel_id, agent_id, {columns}) VALUES {marks}"  # noqa: S608 - our own names
            f" ON CONFLICT (workspace_id, hour_at, channel_id, agent_id) DO UPDATE SET {sums}",
            values,
        )


def hour_of(at: datetime) -> datetime:
    """The start of its hour."""
    return at.replace(minute=0, second=0, microsecond=0)
