"""The learning loop through the real child process: what agents said becomes a head that judges, and a topic that is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from careline.conftest import Air, make_case
from careline.triage.actions.naming import draft_topic, use_topic
from careline.triage.calling import Child
from careline.triage.catching import catch_of
from careline.triage.judging import judge_pending
from careline.triage.models import FittedHead, Judgement, Topic
from careline.triage.tests.learning import correct, no_time, wait

__all__ = ["no_time"]
pytestmark = pytest.mark.django_db
LOST = (
    "my bag is lost",
    "mi maleta no ha llegado",
    "you lost my luggage",
    "our suitcases never arrived",
    "where is my bag",
)
OTHERS = (
    "the crew was lovely", "seat 14A does not recline", "how many miles do I have", "is there wifi on board",
    "can I bring my dog", "the app crashes when I log in", "change my name on the ticket", "what time do you open",
)  # fmt: skip


@pytest.fixture
def child() -> Iterator[Child]:
    started = Child()
    yield started
    started.close()


def test_corrections_and_examples_become_heads_that_judge_the_next_message(air: Air, child: Child) -> None:
    for number in range(32):
        make_case(air.channel, air.marta_identity, f"{OTHERS[number % 8]} {'please' * (number // 8)}")
    make_case(air.channel, air.marta_identity, "they lost my suitcase again")
    judge_pending(child)
    correct(air, 10)
    topic = draft_topic(air.ben, name="Lost bags", texts=LOST)
    wait(timedelta(seconds=6))
    judge_pending(child)
    assert [one.text for one in catch_of(Topic.objects.get(id=topic)).shown] == ["they lost my suitcase again"]
    use_topic(air.ben, topic)
    wait(timedelta(seconds=6))
    judge_pending(child)
    kind, topics = (FittedHead.objects.get(name=name) for name in ("kind", "topic"))
    assert kind.own_rows == 10 and 0 < kind.card["accuracy"] <= 1 and kind.body
    assert (topics.state, set(topics.card["labels"])) == ("active", {str(topic), "none"})
    case = make_case(air.channel, air.marta_identity, "my luggage is lost, again")
    judge_pending(child)
    said = {one["name"]: one["value"] for one in Judgement.objects.get(message__case_id=case.id).verdicts}
    case.refresh_from_db()
    assert said["topic"] == str(topic) and case.topic_id == topic
