"""What a topic would catch is shown with how sure; thumbs give its precision with an honest interval; groups become proposals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from careline.conftest import Air
from careline.kit import clock
from careline.threads.models import Message
from careline.triage.actions.exemplifying import judge_catch
from careline.triage.actions.naming import draft_topic
from careline.triage.catching import catch_of, precision_of
from careline.triage.learning import read_examples
from careline.triage.models import FittedHead, Judgement, Topic, TriageSettings
from careline.triage.proposing import propose_topics, typical_words
from careline.triage.tests.learning import LearningChild, judged, vector_at
from careline.workspaces.sight import Viewer

FIVE = ["delay one", "delay two", "delay three", "delay four", "delay five"]


def _scene(air: Air) -> tuple[Topic, list[Message]]:
    """A draft, six messages near it and sixty others."""
    for number in range(60):
        judged(air, f"other {number}", vector_at(f"other{number}"))
    near = [judged(air, f"late {word}", vector_at("delay", near=0.9, salt=ord(word))) for word in "abcdef"]
    topic = Topic.objects.get(id=draft_topic(air.ben, name="Delays", texts=FIVE))
    return topic, near


@pytest.mark.django_db
def test_a_draft_shows_what_it_would_catch_as_soon_as_its_examples_are_read(air: Air) -> None:
    topic, near = _scene(air)
    assert (catch_of(topic).total, catch_of(topic).waiting) == (0, 5)
    read_examples(LearningChild())
    caught = catch_of(topic)
    assert {one.message_id for one in caught.shown} == {message.id for message in near}
    assert (caught.total, caught.looked_at, caught.waiting) == (6, 66, 0)
    assert all(one.by == "nearness" and one.confidence > 0.5 for one in caught.shown)


@pytest.mark.django_db
def test_only_the_last_thirty_days_are_looked_at(air: Air) -> None:
    topic, near = _scene(air)
    read_examples(LearningChild())
    Judgement.objects.filter(message=near[0]).update(at=clock.now() - timedelta(days=31))
    assert catch_of(topic).total == 5


@pytest.mark.django_db
def test_what_the_head_itself_said_counts_before_nearness(air: Air) -> None:
    topic, near = _scene(air)
    read_examples(LearningChild())
    head = FittedHead.objects.create(
        workspace_id=air.workspace.id, name="topic", version=1, state="active", card={"labels": [str(topic.id), "none"]}
    )
    FittedHead.objects.filter(id=head.id).update(made_at=clock.now() - timedelta(minutes=5))
    said = {"name": "topic", "value": "unknown", "confidence": 0.4}
    Judgement.objects.filter(message=near[0]).update(verdicts=[said])
    Judgement.objects.filter(message=near[1]).update(verdicts=[{**said, "value": str(topic.id), "confidence": 0.93}])
    caught = {one.message_id: one for one in catch_of(topic).shown}
    assert near[0].id not in caught and (caught[near[1].id].by, caught[near[1].id].confidence) == ("head", 0.93)
    assert caught[near[2].id].by == "nearness"


@pytest.mark.django_db
def test_thumbs_give_the_precision_and_a_thumb_down_keeps_its_like_out(air: Air) -> None:
    topic, near = _scene(air)
    read_examples(LearningChild())
    for message in near[:4]:
        judge_catch(air.ben, topic.id, message.id, is_of_topic=message.id != near[0].id)
    caught = catch_of(topic)
    assert (caught.precision.up, caught.precision.judged, caught.precision.share) == (3, 4, 0.75)
    assert caught.precision.low < 0.75 < caught.precision.high
    assert near[0].id not in {one.message_id for one in caught.shown}
    assert {one.thumb for one in caught.shown} == {True, None}


@pytest.mark.django_db
def test_personal_data_is_masked_in_what_is_shown(air: Air) -> None:
    topic, _near = _scene(air)
    judged(air, "late with card 4111 1111 1111 1111", vector_at("delay", near=0.95, salt=3))
    read_examples(LearningChild())
    assert not any("4111 1111" in one.text for one in catch_of(topic).shown)


@pytest.mark.django_db
def test_a_foreign_message_is_never_caught_and_the_number_of_statements_stands(air: Air, cleo: Viewer) -> None:
    _scene(air)
    hers = Topic.objects.get(id=draft_topic(cleo, name="Delays", texts=FIVE))
    read_examples(LearningChild())
    with CaptureQueriesContext(connection) as found:
        caught = catch_of(hers)
    assert (caught.total, caught.looked_at) == (0, 0) and len(found) <= 6
    assert propose_topics(cleo.workspace_id) == []


@pytest.mark.django_db
def test_a_group_without_a_topic_is_proposed_with_a_name_and_its_centre(air: Air) -> None:
    for number in range(60):
        judged(air, f"other thing {number}", vector_at(f"other{number}"))
    for word in "abcdefgh":
        judged(air, f"where are my miles, {word * 4}?", vector_at("miles", near=0.9, salt=ord(word)))
    proposals = propose_topics(air.workspace.id)
    assert [(one.size, len(one.central)) for one in proposals] == [(8, 5)]
    assert set(proposals[0].name.lower().split()) == {"where", "are", "miles"}
    ids = [one.id for one in proposals[0].central]
    draft_topic(air.ben, name=proposals[0].name, message_ids=ids)
    assert propose_topics(air.workspace.id) == []


@pytest.mark.django_db
def test_noise_and_what_has_a_topic_is_proposed_to_nobody(air: Air) -> None:
    TriageSettings.objects.create(workspace_id=air.workspace.id)
    for number, word in enumerate("abcdefgh"):
        value = {"name": "kind", "value": "noise"} if number % 2 else {"name": "topic", "value": "77"}
        judged(air, f"lol {word}", vector_at("lol", near=0.9, salt=ord(word)), [value])
    assert propose_topics(air.workspace.id) == []


def test_a_name_is_of_typical_words_and_not_of_common_ones() -> None:
    own = ["the refund for my flight", "refund please", "no refund for the ticket yet"]
    usual = ["the bag is lost", "for my miles", "the seat", "please help"]
    assert typical_words(own, usual).startswith("Refund")
    assert typical_words([], usual) == ""


@given(up=st.integers(0, 300), down=st.integers(0, 300))
def test_the_interval_holds_the_share_and_stays_between_nothing_and_all(up: int, down: int) -> None:
    found = precision_of([True] * up + [False] * down)
    assert 0 <= found.low <= found.high <= 1
    if up + down:
        assert found.low - 1e-9 <= found.share <= found.high + 1e-9


def test_the_interval_is_wilsons() -> None:
    found = precision_of([True] * 8 + [False] * 2)
    assert (round(found.low, 3), round(found.high, 3)) == (0.49, 0.943)
