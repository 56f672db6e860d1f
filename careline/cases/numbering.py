"""Numbers of cases: taken after existing cases are locked and before the event counter."""

from __future__ import annotations

from django.db import connection


def take_numbers(workspace_id: int, count: int = 1) -> list[int]:
    """The next `count` numbers of a workspace, in the caller's unit of work. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_casenumber (workspace_id, n) VALUES (%s, %s)"
            " ON CONFLICT (workspace_id) DO UPDATE SET n = cases_casenumber.n + excluded.n RETURNING n",
            [workspace_id, count],
        )
        last = int(cursor.fetchone()[0])
    return list(range(last - count + 1, last + 1))
