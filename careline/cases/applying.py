"""What a message does to its case row, without a query: the digest runs these over hundreds of rows and saves them in
one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from careline.cases.clocks import AnswerPolicy, owe_answer, owe_nothing
from careline.cases.models import Case
from careline.cases.queue import rank
from careline.channels.capabilities import Surface
from careline.kit.bulk import new_row
from careline.people.models import Person
from careline.workspaces.calendars import ALWAYS, OpenHours, open_seconds_between

LAST_TEXT_CHARS: Final = 200
# What the functions of this module may change: the `fields` of the digest's bulk_update.
APPLIED_COLUMNS: Final = (
    "state", "waiting_reason", "outcome", "team_id", "assignee_id", "last_agent_id", "language", "is_public", "reach",
    "person_name", "last_text", "last_direction", "last_at", "last_inbound_at", "message_count", "unanswered_count",
    "priority", "priority_reasons", "queue_key", "waiting_since", "due_at", "due_kind", "due_span_s", "breach_at",
    "clock_percent", "first_answered_at", "first_answer_s", "first_answer_in_time", "done_at", "snoozed_until",
    "reopen_count", "heard_version", "answered_version", "answered_by_id", "version",
)  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """One inbound message as its case sees it. `wakes` is False for automatic mail, history and blocked people:
    counted, owed nothing.

    `assignee_is_away`: the case goes back to its team and the last agent is kept.
    """

    text: str
    at: datetime
    language: str = ""
    is_public: bool = False
    reach: int = 0
    wakes: bool = True
    assignee_is_away: bool = False


def begin_case(  # noqa: PLR0913 - a case row has these origins, all by name
    *,
    workspace_id: int,
    number: int,
    person: Person,
    channel_id: int,
    network: str,
    surface: Surface,
    team_id: int | None,
    is_simulated: bool,
    now: datetime,
    title: str = "",
    follows_id: int | None = None,
    done_as: str = "",
) -> Case:
    """A new case, not saved. `done_as` an outcome: born done (history, spam, automatic mail)."""
    return new_row(
        Case,
        workspace_id=workspace_id,
        number=number,
        person=person,
        person_name=person.name,
        language=person.language,
        channel_id=channel_id,
        network=network,
        surface=surface.name,
        is_public=surface.is_public,
        is_simulated=is_simulated,
        team_id=team_id,
        title=title[:200],
        follows_id=follows_id,
        opened_at=now,
        last_at=now,
        state="done" if done_as else "open",
        outcome=done_as,
        done_at=now if done_as else None,
    )


def apply_inbound(case: Case, heard: Heard, policy: AnswerPolicy, hours: OpenHours, now: datetime) -> None:
    """Count the message; unless it wakes nobody, reopen the case and start the clock that its customer is owed an
    answer by.
    """
    case.version += 1
    case.message_count += 1
    case.is_public = case.is_public or heard.is_public
    case.reach = max(case.reach, heard.reach)
    case.language = case.language or heard.language
    if case.message_count == 1 or heard.at >= case.last_at:
        case.last_text, case.last_direction, case.last_at = heard.text[:LAST_TEXT_CHARS], "inbound", heard.at
    case.last_inbound_at = max(case.last_inbound_at or heard.at, heard.at)
    if heard.wakes:
        _wake(case, heard, policy, hours, now)
    rank(case, now)


def _wake(case: Case, heard: Heard, policy: AnswerPolicy, hours: OpenHours, now: datetime) -> None:
    case.heard_version = case.version
    case.unanswered_count += 1
    if case.state != "open":
        case.reopen_count += 1 if case.state == "done" else 0
        reopen(case)
    if heard.assignee_is_away:
        release(case)
    case.waiting_since = min(case.waiting_since or heard.at, heard.at)
    owe_answer(case, policy, hours, now)


def reopen(case: Case) -> None:
    """Back to open: no reason, no outcome, no alarm."""
    case.state, case.waiting_reason, case.outcome = "open", "", ""
    case.done_at = case.snoozed_until = None


def release(case: Case) -> None:
    """Back to the team, the last agent kept."""
    case.last_agent_id = case.assignee_id or case.last_agent_id
    case.assignee_id = None


def apply_outbound(case: Case, *, text: str, at: datetime, agent_id: int | None, hours: OpenHours = ALWAYS) -> None:
    """Count an answer of ours (also one made in the platform's own app, `agent_id` None): what was owed is answered,
    the clock stops.
    """
    case.version += 1
    case.message_count += 1
    case.answered_version, case.answered_by_id = case.version, agent_id
    if at >= case.last_at or case.message_count == 1:
        case.last_text, case.last_direction, case.last_at = text[:LAST_TEXT_CHARS], "outbound", at
    if case.first_answered_at is None and case.last_inbound_at is not None:
        _answer_first(case, at, hours)
    if case.waiting_since is None or at >= case.waiting_since:
        case.unanswered_count = 0
        owe_nothing(case)
    rank(case, at)


def _answer_first(case: Case, at: datetime, hours: OpenHours) -> None:
    asked_at = case.waiting_since or case.opened_at
    case.first_answered_at = at
    case.first_answer_s = int(open_seconds_between(asked_at, at, hours))
    case.first_answer_in_time = case.due_at is None or at <= case.due_at


def close(case: Case, outcome: str, now: datetime) -> None:
    """Done: nothing is owed any more."""
    case.state, case.waiting_reason, case.outcome = "done", "", outcome
    case.done_at, case.snoozed_until, case.unanswered_count = now, None, 0
    owe_nothing(case)
    rank(case, now)
