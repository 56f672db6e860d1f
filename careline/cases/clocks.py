"""How soon an answer is owed: the default table of PRODUCT.md, a workspace's own policies, and the step clocks of a
case. Pure but for `policies_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from careline.cases.models import Case, ClockPolicy
from careline.clocks import setting
from careline.clocks.models import Clock
from careline.workspaces.calendars import ALWAYS, OpenHours, add_open_time, open_seconds_between

STEP_KIND: Final = "case.step"
BREACH_KIND: Final = "case.breach"
SNOOZE_KIND: Final = "case.snooze"
STEPS: Final = (25, 50, 80, 100)
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True)
class AnswerPolicy:
    """Open-time seconds: the first human answer's target and breach, and the next answer's."""

    first_target_s: int
    first_breach_s: int
    next_s: int


@dataclass(frozen=True)
class AnswerDue:
    """When an answer is due and when its clock is broken; `span_s` is the promised open time, seconds."""

    due_at: datetime
    breach_at: datetime
    span_s: int


DEFAULTS: Final[dict[str, AnswerPolicy]] = {
    "public": AnswerPolicy(15 * _MINUTE, _HOUR, 30 * _MINUTE),
    "private": AnswerPolicy(15 * _MINUTE, _HOUR, 15 * _MINUTE),
    "webchat": AnswerPolicy(40, 2 * _MINUTE, _MINUTE),
    "email": AnswerPolicy(_HOUR, 4 * _HOUR, 4 * _HOUR),
    "log": AnswerPolicy(_HOUR, 4 * _HOUR, 4 * _HOUR),
    "review": AnswerPolicy(24 * _HOUR, 72 * _HOUR, 24 * _HOUR),
    "question": AnswerPolicy(_HOUR, 4 * _HOUR, 2 * _HOUR),
    "compliment": AnswerPolicy(4 * _HOUR, 24 * _HOUR, 24 * _HOUR),
}
# In public the kind decides (PRODUCT.md, Defaults); without a verdict a word in public counts as a complaint.
BY_KIND: Final = {"public": {"question": "question", "compliment": "compliment"}}
# Harm waits for no office hours: 5 / 15 minutes at any hour, then 10 (PRODUCT.md, Defaults).
HARM: Final = AnswerPolicy(5 * _MINUTE, 15 * _MINUTE, 10 * _MINUTE)


def policies_of(workspace_id: int) -> dict[str, AnswerPolicy]:
    """Every clock name with the workspace's policy or the default. One statement."""
    own = ClockPolicy.objects.filter(workspace_id=workspace_id).values_list(
        "name", "first_target_s", "first_breach_s", "next_s"
    )
    return {**DEFAULTS, **{name: AnswerPolicy(first, breach, following) for name, first, breach, following in own}}


def clock_name(surface_clock: str, kind: str) -> str:
    """The policy that a case of this kind follows on a surface."""
    return BY_KIND.get(surface_clock, {}).get(kind, surface_clock)


def answer_due(policy: AnswerPolicy, hours: OpenHours, waiting_since: datetime, is_first: bool) -> AnswerDue:
    """Due and breach of the answer owed since `waiting_since`, counted in open hours. A next answer breaches when it
    is due.
    """
    target_s = policy.first_target_s if is_first else policy.next_s
    due_at = add_open_time(waiting_since, target_s, hours)
    breach_at = add_open_time(waiting_since, policy.first_breach_s, hours) if is_first else due_at
    return AnswerDue(due_at, max(due_at, breach_at), target_s)


def percent_passed(case: Case, hours: OpenHours, now: datetime) -> int:
    """The last of the steps 25, 50, 80, 100 that the case's clock has passed; 0 before the first and where nothing is
    owed.
    """
    if case.waiting_since is None or case.due_at is None or not case.due_span_s:
        return 0
    if now >= case.due_at:
        return 100
    passed_s = open_seconds_between(case.waiting_since, now, hours)
    return max((step for step in STEPS if passed_s * 100 >= step * case.due_span_s), default=0)


def next_step_at(case: Case, hours: OpenHours, percent: int) -> tuple[int, datetime] | None:
    """The step after `percent` and its moment; None after the last."""
    if case.waiting_since is None or case.due_at is None:
        return None
    for step in STEPS:
        if step > percent:
            at = case.due_at if step == 100 else add_open_time(case.waiting_since, case.due_span_s * step / 100, hours)
            return step, at
    return None


def case_clocks(case: Case, hours: OpenHours = ALWAYS) -> list[Clock]:
    """The clock to arm for a case: its next step, or its breach once late. Empty where nothing is owed. Saved by
    clocks.setting.set_clocks.
    """
    if case.state == "done" or case.due_at is None:
        return []
    step = next_step_at(case, hours, case.clock_percent)
    if step is not None:
        return [setting.due(case.workspace_id, STEP_KIND, case.id, step[1], facts={"step": step[0]})]
    if case.breach_at is not None and case.breach_at > case.due_at:
        return [setting.due(case.workspace_id, BREACH_KIND, case.id, case.breach_at)]
    return []


def owe_answer(case: Case, policy: AnswerPolicy, hours: OpenHours, now: datetime) -> None:
    """Start (or leave running) the clock of a case whose customer waits since `waiting_since`."""
    if case.waiting_since is None:
        return
    is_first = case.first_answered_at is None
    policy, hours = (HARM, ALWAYS) if case.is_harm else (policy, hours)
    due = answer_due(policy, hours, case.waiting_since, is_first)
    case.due_at, case.breach_at, case.due_span_s = due.due_at, due.breach_at, due.span_s
    case.due_kind = "first" if is_first else "next"
    case.clock_percent = percent_passed(case, hours, now)


def owe_nothing(case: Case) -> None:
    """Stop the clock of a case."""
    case.waiting_since = case.due_at = case.breach_at = None
    case.due_kind, case.due_span_s, case.clock_percent = "", 0, 0
