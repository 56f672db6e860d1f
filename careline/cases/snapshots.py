"""A case's columns as JSON, and back: what a CaseAct keeps of before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from careline.cases.models import Case
from careline.kit.clock import parse_iso

# What people decide: an undo is refused when one of these was changed again since.
DECIDED: Final = (
    "state", "waiting_reason", "outcome", "team_id", "assignee_id", "tags", "fields", "title", "is_harm", "language",
    "root_cause_id",
    "person_id", "merged_into_id", "follows_id", "snoozed_until",
)  # fmt: skip
# What follows from decisions: written back with them.
DERIVED: Final = (
    "last_agent_id", "person_name", "done_at", "unanswered_count", "waiting_since", "due_at", "due_kind",
    "due_span_s", "breach_at", "clock_percent", "first_answered_at", "first_answer_s", "first_answer_in_time",
    "reopen_count", "answered_version", "answered_by_id", "sentiment_now",
    "kind", "topic_id",
)  # fmt: skip
TRACKED: Final = DECIDED + DERIVED
_TIMES: Final = frozenset({"done_at", "snoozed_until", "waiting_since", "due_at", "breach_at", "first_answered_at"})


def take_snapshot(case: Case, columns: Iterable[str] = TRACKED) -> dict[str, object]:
    """The columns as JSON values."""
    return {column: _to_json(getattr(case, column)) for column in columns}


def write_back(case: Case, snapshot: Mapping[str, object]) -> None:
    """Set the columns of a snapshot; names that are no tracked columns are left alone."""
    for column, value in snapshot.items():
        if column in TRACKED:
            setattr(case, column, parse_iso(value) if column in _TIMES and isinstance(value, str) else value)


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """What of `before` is no longer so."""
    return {column: value for column, value in before.items() if after[column] != value}


def changed_since(case: Case, after: Mapping[str, object]) -> bool:
    """Whether something an act decided was decided again since."""
    present = take_snapshot(case, DECIDED)
    return any(column in present and present[column] != value for column, value in after.items())


def _to_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return list(value)
    return dict(value) if isinstance(value, dict) else value
