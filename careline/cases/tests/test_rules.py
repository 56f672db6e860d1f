"""The pure rules: clocks, priority, queue, where a message goes, what it does to its case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from careline.cases.applying import Heard, apply_inbound, apply_outbound, begin_case, close
from careline.cases.clocks import DEFAULTS, AnswerPolicy, answer_due, case_clocks, percent_passed
from careline.cases.joining_rule import CaseStanding, HeardMessage, case_for
from careline.cases.models import Case
from careline.cases.priority import exposure, priority_of
from careline.cases.queue import queue_key, rank
from careline.conftest import POST
from careline.people.models import Person
from careline.workspaces.calendars import ALWAYS, open_hours

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday
OFFICE = open_hours("UTC", {str(day): [["09:00", "17:00"]] for day in range(5)})
PUBLIC = DEFAULTS["public"]


def _case(**columns):
    case = begin_case(
        workspace_id=1,
        number=1,
        person=Person(id=7, name="Marta"),
        channel_id=3,
        network="x",
        surface=POST,
        team_id=5,
        is_simulated=False,
        now=NOW,
    )
    for name, value in columns.items():
        setattr(case, name, value)
    return case


def _heard(case, at=NOW, hours=ALWAYS, policy=PUBLIC, now=None, **facts):
    apply_inbound(case, Heard(text="hi", at=at, **facts), policy, hours, now or at)
    return case


# ---- clocks


@pytest.mark.parametrize(
    ("name", "first_s", "breach_s", "next_s"),
    [
        ("public", 900, 3600, 1800),
        ("private", 900, 3600, 900),
        ("webchat", 40, 120, 60),
        ("email", 3600, 14400, 14400),
        ("log", 3600, 14400, 14400),
        ("review", 86400, 259200, 86400),
    ],
)
def test_the_default_table_is_the_one_of_the_product(name, first_s, breach_s, next_s):
    assert DEFAULTS[name] == AnswerPolicy(first_s, breach_s, next_s)


def test_clocks_count_in_open_hours():
    friday = datetime(2026, 3, 6, 16, 50, tzinfo=UTC)
    due = answer_due(PUBLIC, OFFICE, friday, True)
    assert (due.due_at, due.breach_at) == (
        datetime(2026, 3, 9, 9, 5, tzinfo=UTC),
        datetime(2026, 3, 9, 9, 50, tzinfo=UTC),
    )
    case = _heard(_case(), at=friday, hours=OFFICE)
    assert percent_passed(case, OFFICE, friday + timedelta(minutes=9)) == 50
    assert percent_passed(case, OFFICE, friday + timedelta(days=2)) == 50  # nobody works on Sunday
    assert percent_passed(case, OFFICE, case.due_at) == 100


def test_the_next_step_is_armed_then_the_breach_then_nothing():
    case = _heard(_case())
    [step] = case_clocks(case)
    assert (step.kind, step.due_at) == ("case.step", NOW + timedelta(seconds=225))
    case.clock_percent = 80
    assert case_clocks(case)[0].due_at == case.due_at
    case.clock_percent = 100
    assert (case_clocks(case)[0].kind, case_clocks(case)[0].due_at) == ("case.breach", case.breach_at)
    close(case, "solved", NOW)
    assert case_clocks(case) == []


def test_harm_waits_for_no_office_hours():
    sunday = datetime(2026, 3, 8, 3, 0, tzinfo=UTC)
    case = _heard(_case(is_harm=True), at=sunday, hours=OFFICE)
    assert case.due_at == sunday + timedelta(minutes=5)


# ---- priority and queue


def test_waiting_points_step_and_explain_themselves():
    case = _heard(_case())
    read = []
    for percent in (0, 25, 50, 80, 100):
        case.clock_percent = percent
        read.append(dict(priority_of(case)).get("waiting", 0))
    assert read == [0, 8, 15, 24, 30]
    rank(case, NOW)
    assert case.priority == sum(points for _code, points in case.priority_reasons)


def test_waiting_outranks_fame_and_fame_is_capped():
    assert [exposure(reach) for reach in (0, 1, 10, 4100, 10**5, 10**9)] == [0, 0, 2, 7, 10, 10]
    famous = _heard(_case(), is_public=True, reach=10**9)
    waiting = _heard(_case())
    waiting.clock_percent = 50
    rank(waiting, NOW)
    assert famous.priority < waiting.priority
    assert famous.queue_key > waiting.queue_key


def test_repeat_contact_counts_and_is_capped():
    case = _case()
    for _ in range(9):
        _heard(case)
    assert dict(priority_of(case))["repeat"] == 15
    assert dict(priority_of(_heard(_case(follows_id=9))))["repeat"] == 5


def test_the_queue_is_harm_then_what_is_nearly_late_by_due_time_then_the_score():
    harm = _heard(_case(is_harm=True), at=NOW)
    late = _heard(_case(), at=NOW - timedelta(hours=2), now=NOW)
    soon = _heard(_case(), at=NOW - timedelta(minutes=13), now=NOW)
    high = _heard(_case(), at=NOW - timedelta(minutes=8), now=NOW)
    low = _heard(_case(), at=NOW)
    idle = _case(last_at=NOW - timedelta(days=1))
    rank(idle, NOW)
    keys = [case.queue_key for case in (harm, late, soon, high, low, idle)]
    assert keys[:5] == sorted(keys[:5])
    assert keys[5] > keys[3]
    assert queue_key(soon, NOW) == soon.queue_key
    assert soon.clock_percent == 80


def test_among_equals_the_longest_wait_is_first():
    early, late = _heard(_case(), at=NOW), _heard(_case(), at=NOW + timedelta(seconds=30))
    assert early.queue_key < late.queue_key


# ---- where a message goes

OPEN, WAITING = CaseStanding(1, "open"), CaseStanding(1, "waiting")
DONE = CaseStanding(1, "done", "solved", NOW - timedelta(days=13))
LONG_DONE = CaseStanding(1, "done", "solved", NOW - timedelta(days=15))
SPAM = CaseStanding(1, "done", "spam", NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("message", "candidate", "verdict"),
    [
        (HeardMessage(), None, "open"),
        (HeardMessage(), OPEN, "join"),
        (HeardMessage(), WAITING, "join"),
        (HeardMessage(), DONE, "reopen"),
        (HeardMessage(), LONG_DONE, "open"),
        (HeardMessage(), SPAM, "attach"),
        (HeardMessage(is_addressed=False), None, "none"),
        (HeardMessage(is_addressed=False), OPEN, "join"),
        (HeardMessage(automatic="auto_reply"), None, "open_done"),
        (HeardMessage(automatic="bounce"), DONE, "attach"),
        (HeardMessage(automatic="auto_reply"), OPEN, "attach"),
        (HeardMessage(is_history=True), None, "open_done"),
        (HeardMessage(is_history=True), DONE, "attach"),
        (HeardMessage(is_blocked=True), None, "open_done"),
        (HeardMessage(is_blocked=True), DONE, "attach"),
        (HeardMessage(is_blocked=True, is_addressed=False), None, "open_done"),
    ],
)
def test_where_a_message_goes(message, candidate, verdict):
    assert case_for(message, candidate, NOW).verdict == verdict


def test_after_fourteen_days_a_linked_follow_up_opens():
    assert case_for(HeardMessage(), LONG_DONE, NOW).follows_id == 1
    exactly = CaseStanding(1, "done", "solved", NOW - timedelta(days=14))
    assert case_for(HeardMessage(), exactly, NOW).verdict == "reopen"


def test_a_private_thread_bound_to_a_case_joins_that_one():
    decision = case_for(HeardMessage(), CaseStanding(2, "open"), NOW, bound=CaseStanding(1, "open"))
    assert (decision.verdict, decision.case_id) == ("join", 1)


def test_another_thread_of_the_same_person_opens_a_case_and_offers_the_join():
    decision = case_for(HeardMessage(), None, NOW, other_open_id=9)
    assert (decision.verdict, decision.offer_join_id) == ("open", 9)


def test_a_blocked_persons_new_case_is_born_spam_and_history_is_born_answered():
    assert case_for(HeardMessage(is_blocked=True), None, NOW).outcome == "spam"
    assert case_for(HeardMessage(is_history=True), None, NOW).outcome == "no_answer_needed"


# ---- what it does to its case


def test_a_reply_to_a_done_case_reopens_it():
    case = _heard(_case())
    close(case, "solved", NOW)
    _heard(case, at=NOW + timedelta(days=1))
    assert (case.state, case.outcome, case.done_at, case.reopen_count, case.unanswered_count) == (
        "open",
        "",
        None,
        1,
        1,
    )
    assert case.due_at == NOW + timedelta(days=1, minutes=15)


def test_automatic_words_are_counted_and_wake_nobody():
    case = _heard(_case())
    close(case, "solved", NOW)
    _heard(case, at=NOW + timedelta(hours=1), wakes=False)
    assert (case.state, case.message_count, case.unanswered_count, case.due_at) == ("done", 2, 0, None)


def test_the_first_unanswered_word_keeps_its_clock_when_more_arrive():
    case = _heard(_case())
    due_at = case.due_at
    _heard(case, at=NOW + timedelta(minutes=10))
    assert (case.due_at, case.unanswered_count, case.clock_percent) == (due_at, 2, 50)


def test_late_and_early_platform_times_slot_in():
    case = _heard(_case(), at=NOW)
    apply_inbound(case, Heard(text="older", at=NOW - timedelta(minutes=5)), PUBLIC, ALWAYS, NOW)
    assert (case.last_text, case.last_at, case.waiting_since) == ("hi", NOW, NOW - timedelta(minutes=5))


def test_an_absent_assignees_case_goes_back_to_the_team_and_the_agent_is_kept():
    case = _heard(_case(assignee_id=42), assignee_is_away=True)
    assert (case.assignee_id, case.last_agent_id, case.team_id) == (None, 42, 5)


def test_an_answer_stops_the_clock_and_the_next_one_is_the_next_clock():
    case = _heard(_case())
    apply_outbound(case, text="hello", at=NOW + timedelta(minutes=20), agent_id=8)
    assert (case.first_answer_s, case.first_answer_in_time, case.due_at, case.unanswered_count) == (
        1200,
        False,
        None,
        0,
    )
    _heard(case, at=NOW + timedelta(hours=1))
    assert (case.due_kind, case.due_at) == ("next", NOW + timedelta(minutes=90))


def test_an_answer_from_before_the_question_does_not_answer_it():
    case = _heard(_case())
    apply_outbound(case, text="an older post of ours", at=NOW - timedelta(minutes=1), agent_id=None)
    assert (case.unanswered_count, case.due_at) == (1, NOW + timedelta(minutes=15))


def test_versions_say_when_the_customer_and_an_agent_last_spoke():
    case = _heard(_case())
    assert case.heard_version == case.version
    apply_outbound(case, text="x", at=NOW, agent_id=8)
    assert (case.answered_version, case.answered_by_id) == (case.version, 8)
    assert case.heard_version < case.version


def test_long_words_are_cut_for_the_row():
    case = _case()
    apply_inbound(case, Heard(text="x" * 1000, at=NOW), PUBLIC, ALWAYS, NOW)
    assert len(case.last_text) == 200
    assert isinstance(case, Case)
