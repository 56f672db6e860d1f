"""A topic learned today is said of yesterday's words; nobody's word is overwritten, nothing is counted twice."""

from __future__ import annotations

import pytest

from careline.cases.actions.correcting import correct_sign
from careline.cases.models import Case
from careline.conftest import Air, make_case
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.triage.judging import LeaseLost, Triage, judge_pending
from careline.triage.models import Bucket, Judgement, Topic, TriageCursor
from careline.triage.protocol import UNKNOWN, Verdict
from careline.triage.tests.scripted import ScriptedChild
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
COMPLAINT = Verdict("kind", "complaint", 0.9)


def _topic(workspace_id: int, name: str = "Baggage") -> Topic:
    return Topic.objects.create(workspace_id=workspace_id, name=name)


def _learned(workspace_id: int, name: str = "topic", state: str = "active", version: int = 1) -> None:
    with unit_of_work() as work:
        work.record_event(workspace_id, "triage.learned", facts={"name": name, "version": version, "state": state})


def _heard(air: Air, *texts: str) -> list[Case]:
    cases = [make_case(air.channel, air.marta_identity, text) for text in texts]
    judge_pending(ScriptedChild({"bag": (COMPLAINT, Verdict("topic", UNKNOWN, 0.2)), "": (COMPLAINT,)}))
    return cases


def _topic_of(case: Case) -> int | None:
    case.refresh_from_db()
    return case.topic_id


def test_older_words_get_the_topic_that_was_learned_and_keep_what_was_said_of_them(air: Air) -> None:
    bag, seat = _heard(air, "Where is my bag?", "Which seat?")
    topic, counted = _topic(air.workspace.id), Bucket.objects.count()
    _learned(air.workspace.id)
    judge_pending(ScriptedChild({"bag": (Verdict("kind", "noise", 0.9), Verdict("topic", str(topic.id), 0.8))}))
    assert (_topic_of(bag), _topic_of(seat), bag.kind) == (topic.id, None, "complaint")
    kept = Judgement.objects.get(message__case_id=bag.id)
    assert [(one["name"], one["value"]) for one in kept.verdicts] == [("kind", "complaint"), ("topic", str(topic.id))]
    assert Bucket.objects.count() == counted


def test_who_says_that_it_is_no_such_topic_is_not_asked_again(air: Air) -> None:
    [bag] = _heard(air, "Where is my bag?")
    topic = _topic(air.workspace.id)
    correct_sign(air.ana, bag.number, "topic", "")
    _learned(air.workspace.id)
    judge_pending(ScriptedChild({"bag": (Verdict("topic", str(topic.id), 0.8),)}))
    assert _topic_of(bag) is None


@pytest.mark.parametrize(
    ("name", "state", "version"), [("kind", "active", 1), ("topic", "refused", 2), ("topic", "active", 0)]
)
def test_other_heads_refused_ones_and_topics_taken_away_bring_no_second_look(
    air: Air, name: str, state: str, version: int
) -> None:
    _heard(air, "Where is my bag?")
    _learned(air.workspace.id, name, state, version)
    child = ScriptedChild()
    judge_pending(child)
    assert child.batches == []


def test_a_crash_between_looks_again_and_changes_nothing_twice(air: Air) -> None:
    [bag] = _heard(air, "Where is my bag?")
    topic, place = _topic(air.workspace.id), TriageCursor.objects.get(workspace_id=air.workspace.id).n
    _learned(air.workspace.id)
    script = {"bag": (Verdict("topic", str(topic.id), 0.8),)}
    judge_pending(ScriptedChild(script))
    told = Event.objects.filter(kind="message.judged").count()
    TriageCursor.objects.update(n=place)
    judge_pending(ScriptedChild(script))
    assert _topic_of(bag) == topic.id and Event.objects.filter(kind="message.judged").count() == told


def test_another_workspaces_words_are_not_read(air: Air, cleo: Viewer) -> None:
    [bag] = _heard(air, "Where is my bag?")
    topic = _topic(cleo.workspace_id)
    _learned(cleo.workspace_id)
    judge_pending(ScriptedChild({"bag": (Verdict("topic", str(topic.id), 0.8),)}))
    assert _topic_of(bag) is None


def test_a_worker_that_lost_its_lease_says_nothing(air: Air) -> None:
    [bag] = _heard(air, "Where is my bag?")
    topic = _topic(air.workspace.id)
    _learned(air.workspace.id)
    triage = Triage(ScriptedChild({"bag": (Verdict("topic", str(topic.id), 0.8),)}))
    triage._holds_lease = lambda: True  # type: ignore[method-assign] # as if it still believed so
    triage._fences = {"triage": 99}
    with pytest.raises(LeaseLost):
        triage.round()
    assert _topic_of(bag) is None
