"""An agent's word on a verdict: kept as a row that trains, obeyed by the case, taken back by one key, and never another workspace's."""

from __future__ import annotations

import pytest

from careline.cases.actions.causing import set_root_cause
from careline.cases.actions.correcting import accept_signs, correct_sign
from careline.cases.actions.undoing import undo_act
from careline.cases.models import Case, SetAside
from careline.cases.queries.opening import open_case
from careline.conftest import Air, hear, make_case
from careline.errors import Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.triage.judging import judge_pending
from careline.triage.models import Correction, Judgement, Topic
from careline.triage.protocol import Example, Span, Verdict
from careline.triage.tests.scripted import ScriptedChild
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
SCRIPT = {
    "lol": (Verdict("kind", "noise", 0.97), Verdict("needs_answer", "no", 0.97)),
    "stranded": (
        Verdict("kind", "complaint", 0.8, words=(Span(5, 13),), examples=(Example("stuck in BCN", "complaint", 0.7),)),
        Verdict("harm", "stranded", 0.8, by="rule"),
    ),
}


def _case(air: Air, text: str) -> Case:
    case = make_case(air.channel, air.marta_identity, text)
    judge_pending(ScriptedChild(SCRIPT))
    case.refresh_from_db()
    return case


def test_one_key_accepts_everything_proposed_and_each_is_a_row_that_trains(air: Air) -> None:
    case = _case(air, "I am stranded")
    accept_signs(air.ana, case.number)
    case.refresh_from_db()
    rows = set(Correction.objects.values_list("verdict", "was", "value", "agent_id"))
    assert rows == {
        ("kind", "complaint", "complaint", air.ana.agent_id),
        ("harm", "stranded", "stranded", air.ana.agent_id),
    }
    assert {sign["state"] for sign in case.signs.values()} == {"confirmed"}
    assert case.is_harm and case.due_span_s == 300
    assert accept_signs(air.ana, case.number) == 0


def test_a_correction_is_kept_with_what_was_said_and_obeyed(air: Air) -> None:
    case = _case(air, "I am stranded")
    correct_sign(air.ana, case.number, "kind", "question")
    case.refresh_from_db()
    row = Correction.objects.get()
    assert (row.was, row.value, row.confidence, row.message.text) == ("complaint", "question", 0.8, "I am stranded")
    assert case.kind == "question" and case.due_span_s == 3600
    assert Event.objects.filter(kind="message.corrected", case_id=case.id, facts={"verdict": "kind"}).exists()


def test_what_is_not_so_is_refused_and_scores_nothing(air: Air) -> None:
    case = _case(air, "I am stranded")
    assert dict(case.priority_reasons)["harm"] == 25
    correct_sign(air.ana, case.number, "harm", "")
    case.refresh_from_db()
    assert "harm" not in dict(case.priority_reasons) and not case.is_harm
    assert [one.name for one in open_case(air.ana, case.number).signs] == ["kind"]


def test_a_word_taken_back_trains_nobody_and_the_case_is_as_before(air: Air) -> None:
    case = _case(air, "I am stranded")
    before = Case.objects.values("kind", "signs", "is_harm", "due_at").get(id=case.id)
    undo_act(air.ana, accept_signs(air.ana, case.number))
    assert Case.objects.values("kind", "signs", "is_harm", "due_at").get(id=case.id) == before
    assert not Correction.objects.filter(undone_at__isnull=True).exists()


def test_a_word_can_be_taken_back_after_a_newer_verdict_came_which_stays(air: Air) -> None:
    case = _case(air, "I am stranded")
    act_id = correct_sign(air.ana, case.number, "kind", "question")
    hear(case, air.channel, air.marta_identity, "my lawyer will call you")
    judge_pending(ScriptedChild({"lawyer": (Verdict("legal", "legal", 0.9, by="rule"),)}))
    undo_act(air.ana, act_id)
    case.refresh_from_db()
    assert (case.kind, case.signs["kind"]["value"]) == ("complaint", "complaint")
    assert case.signs["legal"]["value"] == "legal"


def test_a_rescue_opens_the_case_and_says_that_the_verdict_was_wrong(air: Air) -> None:
    case = _case(air, "lol")
    assert case.state == "done" and open_case(air.ana, case.number).is_set_aside
    act_id = correct_sign(air.ana, case.number, "needs_answer", "yes")
    case.refresh_from_db()
    aside = SetAside.objects.get(case=case)
    assert (case.state, aside.was_right, aside.judged_by_id) == ("open", False, air.ana.agent_id)
    assert case.due_at is not None
    undo_act(air.ana, act_id)
    aside.refresh_from_db()
    assert (aside.was_right, aside.judged_at) == (None, None)


def test_why_shows_the_words_and_the_nearest_examples(air: Air) -> None:
    case = _case(air, "I am stranded")
    kind = next(one for one in open_case(air.ana, case.number).signs if one.name == "kind")
    assert kind.words == (("I am ", False), ("stranded", True), ("", False))
    assert kind.examples == (("stuck in BCN", "complaint", 0.7),)


@pytest.mark.parametrize(
    ("verdict", "value", "code"),
    [
        ("mood", "bad", "verdict_unknown"),
        ("kind", "rant", "value_unknown"),
        ("kind", "", "value_unknown"),
        ("topic", "7", "value_unknown"),
        ("topic", "x", "value_unknown"),
    ],
)
def test_what_does_not_exist_is_refused(air: Air, verdict: str, value: str, code: str) -> None:
    case = _case(air, "I am stranded")
    with pytest.raises(InputRefused) as refused:
        correct_sign(air.ana, case.number, verdict, value)
    assert refused.value.code == code


def test_a_topic_is_one_of_the_workspaces_own(air: Air, cleo: Viewer) -> None:
    case = _case(air, "I am stranded")
    theirs = Topic.objects.create(workspace_id=cleo.workspace_id, name="Delays")
    ours = Topic.objects.create(workspace_id=air.workspace.id, name="Delays")
    with pytest.raises(InputRefused):
        correct_sign(air.ana, case.number, "topic", str(theirs.id))
    correct_sign(air.ana, case.number, "topic", str(ours.id))
    case.refresh_from_db()
    assert case.topic_id == ours.id
    assert next(one for one in open_case(air.ana, case.number).signs if one.name == "topic").label == "Delays"


def test_a_root_cause_is_shown_beside_the_reason_and_is_not_one(air: Air) -> None:
    case = _case(air, "I am stranded")
    reason = Topic.objects.create(workspace_id=air.workspace.id, name="Delays")
    cause = Topic.objects.create(workspace_id=air.workspace.id, name="Crew hours", facet="root_cause")
    correct_sign(air.ana, case.number, "topic", str(reason.id))
    set_root_cause(air.ana, case.number, cause.id)
    shown = {one.name: one.label for one in open_case(air.ana, case.number).signs if one.label}
    assert shown == {"topic": "Delays", "root_cause": "Crew hours"}
    case.refresh_from_db()
    assert (case.topic_id, case.root_cause_id) == (reason.id, cause.id)


def test_others_who_say_nearly_the_same_are_counted(air: Air, cleo: Viewer) -> None:
    case, *others = (_case(air, "I am stranded") for _ in range(3))
    Judgement.objects.filter(message__case_id__in=[case.id, *(one.id for one in others)]).update(cluster_id=7)
    assert open_case(air.ana, case.number).copies == 2
    Judgement.objects.filter(message__case_id=others[0].id).update(workspace_id=cleo.workspace_id)
    assert open_case(air.ana, case.number).copies == 1


def test_nobody_corrects_another_workspaces_case_or_without_the_right(air: Air, cleo: Viewer) -> None:
    case = _case(air, "I am stranded")
    with pytest.raises(NotFound):
        correct_sign(cleo, case.number, "kind", "question")
    with pytest.raises(Forbidden):
        accept_signs(air.iris, case.number)
    assert not Correction.objects.exists()
