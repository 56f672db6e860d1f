"""The order of the queue as one number, small first: confirmed harm, then what is past 80 % of its clock by due time,
then the score. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from careline.cases.models import Case
from careline.cases.priority import priority_of

_CLASS: Final = 10**15
_NOTHING_DUE: Final = 10**14
_SCORE: Final = 10**11
SOON_PERCENT: Final = 80


def queue_key(case: Case, now: datetime) -> int:
    """Class (0 harm, 1 soon or late, 2 the rest), then due time in ms, or 100 - score and the longest wait. Rises
    along the queue.
    """
    if case.is_harm:
        return _due_ms(case)
    if case.due_at is not None and (case.clock_percent >= SOON_PERCENT or case.due_at <= now):
        return _CLASS + _due_ms(case)
    waits_since = case.waiting_since or case.last_at
    return 2 * _CLASS + (100 - case.priority) * _SCORE + int(waits_since.timestamp())


def _due_ms(case: Case) -> int:
    if case.due_at is None:
        return _NOTHING_DUE + int(case.last_at.timestamp())
    return int(case.due_at.timestamp() * 1000)


def rank(case: Case, now: datetime) -> None:
    """Score the case and place it in the queue again, from its own columns."""
    reasons = priority_of(case)
    case.priority = min(100, sum(points for _, points in reasons))
    case.priority_reasons = [[code, points] for code, points in reasons]
    case.queue_key = queue_key(case, now)
