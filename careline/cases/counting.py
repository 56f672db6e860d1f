"""What happened to cases, for the hourly figures: gathered by a verb, added up once at the end of its unit of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from careline.cases.models import Case
from careline.cases.rollups import add_counts, hour_of

Figure = Literal["received", "answered", "opened", "closed", "first_answers", "first_answers_in_time"]


@dataclass(frozen=True)
class Counted:
    """Something that happened once (or, with -1, was taken back)."""

    figure: Figure
    workspace_id: int
    channel_id: int
    at: datetime
    agent_id: int = 0
    by: int = 1


def counted(case: Case, figure: Figure, at: datetime, agent_id: int | None = None, by: int = 1) -> Counted:
    """A figure of a case's channel."""
    return Counted(figure, case.workspace_id, case.channel_id, at, agent_id or 0, by)


def count(happened: Iterable[Counted]) -> None:
    """Add to the hours' rows. One statement, none for nothing; the last of a unit of work before its events are
    numbered.
    """
    hours: dict[tuple[int, datetime, int, int], Counter[str]] = {}
    for one in happened:
        key = (one.workspace_id, hour_of(one.at), one.channel_id, one.agent_id)
        hours.setdefault(key, Counter())[one.figure] += one.by
    add_counts([(*key, dict(figures)) for key, figures in hours.items()])
