"""Verdicts reach their cases: in the unit of work that keeps them, each case takes what its messages say, is ranked anew and shown.

A case that needs no answer leaves the queue only where nobody touched it, nothing risky stands, and the words were public; it stays a
case, one key brings it back, and some are drawn at random for a person to judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from careline.cases.applying import APPLIED_COLUMNS, close
from careline.cases.changing import CaseChange, changes_of, hours_of_calendar
from careline.cases.clocks import AnswerPolicy, case_clocks, clock_name, owe_answer, policies_of
from careline.cases.counting import count, counted
from careline.cases.models import Case, CaseAct, SetAside
from careline.cases.queries.answering import surface_of
from careline.cases.queue import rank
from careline.cases.signs import LASTING, stands, with_verdict
from careline.cases.snapshots import take_snapshot
from careline.channels.access import channels_by_id
from careline.channels.models import Channel
from careline.clocks.setting import set_clocks
from careline.events.recording import UnitOfWork
from careline.kit.bulk import insert_rows
from careline.threads.models import Message
from careline.triage.models import TriageSettings
from careline.triage.protocol import Verdict
from careline.triage.telling import JudgedMessage, on_verdicts

JUDGED_COLUMNS: Final = (*APPLIED_COLUMNS, "kind", "topic_id", "sentiment_first", "sentiment_now", "signs")
_AUDIT_OF: Final = 10_000


@on_verdicts
def follow_verdicts(work: UnitOfWork, workspace_id: int, judged: Sequence[JudgedMessage]) -> None:
    """Inside a unit of work. Six statements, and those of each case that is set aside."""
    by_case: dict[int, list[JudgedMessage]] = defaultdict(list)
    for one in judged:
        if one.message.case_id is not None and one.judged.verdicts:
            by_case[one.message.case_id].append(one)
    if not by_case:
        return
    wanted = Case.objects.select_for_update(of=("self",)).filter(workspace_id=workspace_id, id__in=by_case)
    cases = [case for case in wanted.order_by("id") if case.merged_into_id is None]
    changes = changes_of(work, cases, None)
    _take(workspace_id, changes, by_case)
    _set_aside(workspace_id, changes, by_case)


def _take(workspace_id: int, changes: Sequence[CaseChange], by_case: dict[int, list[JudgedMessage]]) -> None:
    policies = policies_of(workspace_id)
    channels = channels_by_id([change.case.channel_id for change in changes])
    for change in changes:
        case = change.case
        for one in sorted(by_case[case.id], key=lambda one: (one.message.at, one.message.id)):
            take_verdicts(case, one.message, one.judged.verdicts)
        channel = channels.get(case.channel_id)
        if channel is not None and case.kind != change.before["kind"]:
            _set_clock(case, channel, policies, change.now)
        rank(case, change.now)
        case.version += 1
    insert_rows([change.case for change in changes], unique=("id",), update=JUDGED_COLUMNS)
    _arm(
        [change for change in changes if take_snapshot(change.case, ("due_at",))["due_at"] != change.before["due_at"]],
        channels,
    )
    for change in changes:
        change.record("case.changed", what="judged")
        for one in by_case[change.case.id]:
            change.record("message.judged", message_id=one.message.id)


def _arm(moved: Sequence[CaseChange], channels: dict[int, Channel]) -> None:
    hours = {change.case.id: hours_of_calendar(channels[change.case.channel_id].calendar) for change in moved}
    set_clocks(one for change in moved for one in case_clocks(change.case, hours[change.case.id]))


def take_verdicts(case: Case, message: Message, verdicts: Sequence[Verdict]) -> None:
    """What one message says of its case: signs, kind, topic, sentiment. Words from before we listened say nothing of today."""
    if message.is_history or message.automatic:
        return
    for verdict in verdicts:
        case.signs = with_verdict(case.signs, verdict, message.id)
        if verdict.name == "sentiment" and verdict.number is not None:
            case.sentiment_first = verdict.number if case.sentiment_first is None else case.sentiment_first
            case.sentiment_now = verdict.number
        if verdict.name == "topic" and verdict.value.isdigit() and not stands(case.signs, "topic"):
            case.topic_id = int(verdict.value)
    case.kind = str(case.signs["kind"]["value"]) if stands(case.signs, "kind") else ""


def _set_clock(case: Case, channel: Channel, policies: dict[str, AnswerPolicy], now: datetime) -> None:
    """A question or a compliment in public has more time than a complaint; what is owed is counted anew from when they wrote."""
    surface = surface_of(channel, case.surface)
    if case.waiting_since is None or case.state == "done" or surface is None:
        return
    owe_answer(case, policies[clock_name(surface.clock, case.kind)], hours_of_calendar(channel.calendar), now)


def _set_aside(workspace_id: int, changes: Sequence[CaseChange], by_case: dict[int, list[JudgedMessage]]) -> None:
    wanted = [change for change in changes if may_be_set_aside(change.case)]
    if not wanted:
        return
    settings = TriageSettings.objects.filter(workspace_id=workspace_id).first() or TriageSettings()
    if not settings.sets_aside:
        return
    touched = set(
        CaseAct.objects.filter(case_id__in=[change.case.id for change in wanted], agent_id__isnull=False).values_list(
            "case_id", flat=True
        )
    )
    for change in wanted:
        newest = max((one.message for one in by_case[change.case.id]), key=lambda one: (one.at, one.id))
        sign = change.case.signs["needs_answer"]
        if change.case.id not in touched and float(sign["confidence"]) >= settings.set_aside_from and newest.is_public:
            set_case_aside(change, newest, float(sign["confidence"]), settings.audit_percent)


def may_be_set_aside(case: Case) -> bool:
    """Open, nobody's, never answered, heard once, and nothing risky stands."""
    sign = case.signs.get("needs_answer")
    return (
        case.state == "open"
        and case.assignee_id is None
        and case.answered_version == 0
        and case.message_count == 1
        and case.reopen_count == 0
        and not case.is_harm
        and sign is not None
        and sign["value"] == "no"
        and sign["state"] == "proposed"
        and not any(stands(case.signs, name) for name in LASTING)
        and case.kind in {"", "noise"}
    )


def set_case_aside(change: CaseChange, message: Message, confidence: float, audit_percent: float) -> None:
    """Done, no answer needed, by a verdict: undoable like any closing. Seven statements."""
    close(change.case, "no_answer_needed", change.now)
    act_id = change.save("set_aside")
    count([counted(change.case, "closed", change.now)])
    row = SetAside(
        case_id=change.case.id,
        workspace_id=change.case.workspace_id,
        message_id=message.id,
        confidence=confidence,
        act_id=act_id,
        is_audit=is_drawn(change.case.id, audit_percent),
        at=change.now,
    )
    insert_rows([row], unique=("case_id",), update=("message_id", "confidence", "act_id", "is_audit", "at"))


def is_drawn(case_id: int, percent: float) -> bool:
    """Whether chance draws this case for the audit: the same on every node and after a crash."""
    return (case_id * 2_654_435_761 >> 7) % _AUDIT_OF < percent * _AUDIT_OF / 100
