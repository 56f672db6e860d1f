"""Verdicts reach their cases: signs, clocks, the queue; nothing is ever discarded, and what a person said stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.cases.actions.undoing import undo_act
from careline.cases.models import Case, CaseAct, SetAside
from careline.cases.queries.listing import list_page
from careline.cases.rows import ListFilters
from careline.cases.signs import SHOWN_FROM, sign_of, stands, with_verdict
from careline.cases.triaging import is_drawn
from careline.clocks.models import Clock
from careline.conftest import DM, Air, hear, make_case
from careline.kit import ids
from careline.threads.models import Message
from careline.triage.judging import judge_pending
from careline.triage.models import TriageSettings
from careline.triage.protocol import Verdict
from careline.triage.tests.scripted import ScriptedChild

NOISE = (
    Verdict("kind", "noise", 0.97),
    Verdict("needs_answer", "no", 0.97),
    Verdict("sentiment", "neutral", 0.9, number=0.0),
)
QUESTION = (Verdict("kind", "question", 0.9), Verdict("needs_answer", "yes", 0.9))
FURIOUS = (
    Verdict("kind", "complaint", 0.9),
    Verdict("sentiment", "negative", 0.9, number=-0.9),
    Verdict("needs_answer", "yes", 0.9),
)
STRANDED = (*FURIOUS, Verdict("harm", "stranded", 0.9, by="rule"))
THREAT = (*FURIOUS, Verdict("legal", "legal", 0.95, by="rule"), Verdict("failed_elsewhere", "phone", 0.8, by="rule"))
CALM = (
    Verdict("kind", "compliment", 0.9),
    Verdict("sentiment", "positive", 0.9, number=0.8),
    Verdict("closing", "solved", 0.9),
)
SCRIPT = {
    "lol": NOISE,
    "what time": QUESTION,
    "furious": FURIOUS,
    "stranded": STRANDED,
    "lawyer": THREAT,
    "solved": CALM,
}


def _judged(air: Air, text: str, **columns: object) -> Case:
    case = make_case(air.channel, air.marta_identity, text, **columns)
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    return case


@pytest.mark.django_db
def test_sentiment_is_kept_as_first_and_as_now(air: Air) -> None:
    case = _judged(air, "furious")
    hear(case, air.channel, air.marta_identity, "solved, thanks")
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    assert (case.sentiment_first, case.sentiment_now) == (-0.9, 0.8)
    assert case.kind == "complaint"
    assert stands(case.signs, "closing")


@pytest.mark.django_db
def test_anger_a_threat_and_a_failed_call_raise_the_score_and_say_so(air: Air) -> None:
    case = _judged(air, "lawyer")
    assert {code: points for code, points in case.priority_reasons if code != "waiting"} == {
        "failed_elsewhere": 15,
        "sentiment": 9,
        "legal": 5,
    }


@pytest.mark.django_db
def test_proposed_harm_scores_and_only_a_person_confirms_the_class(air: Air) -> None:
    case = _judged(air, "stranded")
    assert not case.is_harm and dict(case.priority_reasons)["harm"] == 25
    assert case.signs["harm"]["state"] == "proposed"


@pytest.mark.django_db
def test_a_question_in_public_has_an_hour_and_its_clock_is_armed_anew(air: Air) -> None:
    case = _judged(air, "what time do you open?")
    assert case.due_span_s == 3600 and case.due_at is not None and case.waiting_since is not None
    assert case.due_at - case.waiting_since == timedelta(hours=1)
    [step] = Clock.objects.filter(kind="case.step", subject_id=case.id, fired_at__isnull=True)
    assert step.due_at == case.waiting_since + timedelta(minutes=15)


@pytest.mark.django_db
def test_in_private_a_question_waits_no_longer_than_a_complaint(air: Air) -> None:
    assert _judged(air, "what time do you open?", surface=DM).due_span_s == 900


@pytest.mark.django_db
def test_noise_in_public_is_set_aside_and_one_key_brings_it_back(air: Air) -> None:
    case = _judged(air, "lol")
    assert (case.state, case.outcome, case.due_at) == ("done", "no_answer_needed", None)
    aside = SetAside.objects.get(case=case)
    undo_act(air.ana, aside.act_id)
    case.refresh_from_db()
    assert case.state == "open" and case.due_at is not None
    assert [row.number for row in list_page(air.ben, ListFilters(view="all")).rows] == [case.number]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["lol I am stranded", "lol lawyer"])
def test_what_looks_risky_is_never_set_aside(air: Air, text: str) -> None:
    script = {"stranded": (*NOISE, STRANDED[-1]), "lawyer": (*NOISE, THREAT[-2])}
    case = make_case(air.channel, air.marta_identity, text)
    judge_pending(ScriptedChild(script))
    case.refresh_from_db()
    assert case.state == "open"


@pytest.mark.django_db
def test_a_private_word_is_never_set_aside(air: Air) -> None:
    assert _judged(air, "lol", surface=DM).state == "open"


@pytest.mark.django_db
def test_a_case_somebody_took_is_never_set_aside(air: Air) -> None:
    case = make_case(air.channel, air.marta_identity, "lol", assignee_id=air.ana.agent_id)
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    assert case.state == "open"


@pytest.mark.django_db
def test_a_workspace_may_keep_everything_in_the_queue(air: Air) -> None:
    TriageSettings.objects.create(workspace_id=air.workspace.id, sets_aside=False)
    assert _judged(air, "lol").state == "open"


@pytest.mark.django_db
def test_a_second_word_in_a_case_set_aside_opens_it_again(air: Air) -> None:
    case = _judged(air, "lol")
    hear(case, air.channel, air.marta_identity, "furious")
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    assert (case.state, case.kind) == ("open", "complaint")


@pytest.mark.django_db
def test_no_message_is_ever_discarded_by_a_verdict(air: Air) -> None:
    for text in ("lol", "furious", "what time", "nothing known"):
        make_case(air.channel, air.marta_identity, text)
    before = set(Message.objects.values_list("id", "text", "case_id"))
    judge_pending(ScriptedChild(SCRIPT))
    assert set(Message.objects.values_list("id", "text", "case_id")) == before
    assert Case.objects.count() == 4 and CaseAct.objects.filter(verb="set_aside").count() == 1


@pytest.mark.django_db
def test_a_word_from_before_we_listened_says_nothing_of_today(air: Air) -> None:
    case = make_case(air.channel, air.marta_identity, "furious")
    Message.objects.filter(case_id=case.id).update(is_history=True)
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    assert case.kind == "" and case.sentiment_now is None


def test_two_in_a_hundred_are_drawn_and_always_the_same_ones() -> None:
    drawn = [case_id for case_id in (ids.new_id() for _ in range(20_000)) if is_drawn(case_id, 2.0)]
    assert 280 <= len(drawn) <= 520
    assert all(is_drawn(case_id, 2.0) for case_id in drawn)
    assert not any(is_drawn(case_id, 0.0) for case_id in drawn)


_VERDICTS = st.builds(
    Verdict,
    st.sampled_from(sorted(SHOWN_FROM)),
    st.sampled_from(["", "unknown", "complaint", "noise", "yes", "no", "safety", "legal", "phone"]),
    st.floats(0, 1),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SHOWN_FROM)), st.sampled_from(["confirmed", "refused"]), st.lists(_VERDICTS, max_size=6))
def test_what_a_person_said_of_a_message_no_machine_overwrites(name: str, state: str, verdicts: list[Verdict]) -> None:
    said = sign_of("complaint", 1.0, "agent", 5, state)
    signs = {name: said}
    for verdict in verdicts:
        signs = with_verdict(signs, verdict, 5)
    assert signs[name] == said


@settings(max_examples=300, deadline=None)
@given(st.lists(_VERDICTS, min_size=1, max_size=8))
def test_a_risk_once_shown_stands_until_a_person_refuses_it(verdicts: list[Verdict]) -> None:
    signs = with_verdict({}, Verdict("harm", "safety", 0.9, by="rule"), 1)
    for number, verdict in enumerate(verdicts, start=2):
        signs = with_verdict(signs, verdict, number)
    assert stands(signs, "harm") and signs["harm"]["confidence"] >= 0.9
