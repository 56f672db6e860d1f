"""What is said of messages goes where they go: merged, split off, and back."""

from __future__ import annotations

import pytest

from careline.cases.actions.correcting import correct_sign
from careline.cases.actions.merging import merge_case
from careline.cases.actions.splitting import split_case
from careline.cases.actions.undoing import undo_act
from careline.cases.models import Case, CaseAct
from careline.conftest import Air, hear, make_case
from careline.threads.models import Message
from careline.triage.judging import judge_pending
from careline.triage.models import Judgement
from careline.triage.protocol import Verdict
from careline.triage.tests.scripted import ScriptedChild

pytestmark = pytest.mark.django_db
SCRIPT = {
    "seat": (Verdict("kind", "question", 0.8), Verdict("sentiment", "neutral", 0.8, number=0.0)),
    "stranded": (
        Verdict("kind", "complaint", 0.8),
        Verdict("harm", "stranded", 0.8, by="rule"),
        Verdict("sentiment", "negative", 0.9, number=-0.9),
    ),
}


def _judged(case: Case) -> Case:
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    return case


def _two(air: Air) -> tuple[Case, Case]:
    """A question, and a complaint of somebody stranded."""
    calm = make_case(air.channel, air.marta_identity, "Which seat is mine?")
    grave = make_case(air.channel, air.marta_identity, "We are stranded in Lisbon")
    return _judged(calm), _judged(grave)


def said(case: Case) -> tuple[dict[str, tuple[str, str]], str, float | None, bool]:
    case.refresh_from_db()
    signs = {name: (sign["value"], sign["state"]) for name, sign in case.signs.items()}
    return signs, case.kind, case.sentiment_now, case.is_harm


def test_a_risk_that_nobody_judged_yet_is_not_lost_in_a_merge_and_undo_gives_each_its_own(air: Air) -> None:
    calm, grave = _two(air)
    before = said(calm), said(grave)
    act_id = merge_case(air.ana, grave.number, calm.number)
    signs, kind, mood, is_harm = said(calm)
    assert (signs["harm"], signs["kind"][0], kind, mood) == (("stranded", "proposed"), "complaint", "complaint", -0.9)
    assert not is_harm and dict(calm.priority_reasons)["harm"] == 25
    undo_act(air.ana, act_id)
    assert (said(calm), said(grave)) == before


def test_what_a_person_refused_stays_refused_where_the_words_go(air: Air) -> None:
    calm, grave = _two(air)
    correct_sign(air.ana, grave.number, "harm", "")
    merge_case(air.ana, grave.number, calm.number)
    assert said(calm)[0]["harm"] == ("stranded", "refused")
    assert "harm" not in dict(calm.priority_reasons)


def test_confirmed_harm_goes_along_and_keeps_its_clock(air: Air) -> None:
    calm, grave = _two(air)
    correct_sign(air.ana, grave.number, "harm", "stranded")
    merge_case(air.ana, grave.number, calm.number)
    assert said(calm)[3] is True and calm.due_span_s == 300


def test_a_split_takes_the_risk_with_its_words_and_undo_brings_it_back(air: Air) -> None:
    case = make_case(air.channel, air.marta_identity, "Which seat is mine?")
    hear(case, air.channel, air.marta_identity, "And now we are stranded in Lisbon")
    before = said(_judged(case))
    assert before[0]["harm"] == ("stranded", "proposed")
    moved = Message.objects.get(case_id=case.id, text__contains="stranded")
    fresh = split_case(air.ana, case.number, [moved.id])
    assert "harm" in said(fresh)[0] and fresh.kind == "complaint"
    assert "harm" not in said(case)[0] and (case.kind, case.sentiment_now) == ("question", 0.0)
    undo_act(air.ana, CaseAct.objects.get(verb="split").id)
    assert said(case) == before


def test_what_was_said_of_words_whose_judgement_is_gone_goes_with_them(air: Air) -> None:
    calm, grave = _two(air)
    Judgement.objects.filter(message__case_id=grave.id).delete()
    merge_case(air.ana, grave.number, calm.number)
    assert said(calm)[0]["harm"] == ("stranded", "proposed")
