"""Topics as a lead makes them: from words, from a search, from a group; seen before they are used; judged by thumbs."""

from __future__ import annotations

import re

import pytest

from careline.conftest import Air
from careline.screens.conftest import Desk
from careline.threads.models import Message
from careline.triage.actions.naming import draft_topic
from careline.triage.learning import read_examples
from careline.triage.models import Topic, TopicExample
from careline.triage.tests.learning import LearningChild, judged, vector_at

pytestmark = pytest.mark.django_db
FIVE = "delay one\ndelay two\n\ndelay three\ndelay four\ndelay five"


@pytest.fixture
def ben(air: Air) -> Desk:
    return Desk(air.ben)


def near(air: Air, count: int = 6) -> list[Message]:
    """Messages that lie together, among sixty others."""
    for number in range(60):
        judged(air, f"other {number}", vector_at(f"other{number}"))
    return [
        judged(air, f"my plane is late {'abcdefgh'[number]}", vector_at("delay", near=0.9, salt=number))
        for number in range(count)
    ]


def post(desk: Desk, path: str, **said: object) -> str:
    return desk.client.post(desk.base + path, said, follow=True).content.decode()


def test_no_topics_is_said_with_what_to_do(ben: Desk) -> None:
    page = ben.page("topics/")
    assert "No topics yet" in page and "topics/new" in page and "topics/proposals" in page


def test_a_topic_from_five_examples_is_seen_as_a_draft_and_put_to_use(air: Air, ben: Desk) -> None:
    caught = near(air)
    page = post(ben, "topics/new", name="Delays", facet="reason", texts=FIVE)
    topic = Topic.objects.get()
    assert "It is used once you say so" in page and "5 examples are being read" in page
    read_examples(LearningChild())
    page = ben.page(f"topics/{topic.id}/")
    assert all(message.text in page for message in caught) and "6 <small>of 66" in page and "by nearness" in page
    post(ben, f"topics/{topic.id}/use")
    assert Topic.objects.get().retired_at is None and ">in use<" in ben.page("topics/")
    post(ben, f"topics/{topic.id}/retirement")
    assert ">retired<" in ben.page(f"topics/{topic.id}/")


def test_a_draft_with_too_few_examples_says_how_many_are_missing_and_has_no_dead_button(ben: Desk) -> None:
    post(ben, "topics/new", name="Delays", facet="reason", texts="one\ntwo")
    topic = Topic.objects.get()
    page = ben.page(f"topics/{topic.id}/")
    assert "3 examples are missing" in page and f"topics/{topic.id}/use" not in page
    assert "Give it five examples first" in post(ben, f"topics/{topic.id}/use")


def test_messages_found_by_words_become_examples(air: Air, ben: Desk) -> None:
    one, two = (judged(air, f"my bag is lost {word}", vector_at("bag")) for word in ("here", "there"))
    page = ben.page("topics/new?q=bag")
    assert f'value="{one.id}"' in page and "2 messages found" in page
    post(ben, "topics/new", name="Bags", facet="reason", messages=[one.id])
    topic = Topic.objects.get()
    page = ben.page(f"topics/{topic.id}/?q=lost")
    assert f'value="{two.id}"' in page
    assert "Added." in post(ben, f"topics/{topic.id}/examples", messages=[two.id])
    assert set(TopicExample.objects.values_list("message_id", flat=True)) == {one.id, two.id}
    assert "No customer wrote these words" in ben.page(f"topics/{topic.id}/?q=zebra")


def test_a_group_becomes_a_draft_in_one_click(air: Air, ben: Desk) -> None:
    near(air, 8)
    page = ben.page("topics/proposals")
    assert "8 messages" in page and page.count('name="messages"') == 5
    name = re.search(r'name="name" value="([^"]+)"', page)
    assert name is not None
    ids = re.findall(r'name="messages" value="(\d+)"', page)
    post(ben, "topics/new", name=name[1], facet="reason", messages=ids)
    assert TopicExample.objects.filter(topic=Topic.objects.get()).count() == 5
    assert "Nothing lies together" in ben.page("topics/proposals")


def test_thumbs_give_the_precision_and_are_taken_back(air: Air, ben: Desk) -> None:
    caught = near(air)
    topic = draft_topic(air.ben, name="Delays", texts=FIVE.splitlines())
    read_examples(LearningChild())
    post(ben, f"topics/{topic}/thumbs/{caught[0].id}", thumb="up")
    page = post(ben, f"topics/{topic}/thumbs/{caught[1].id}", thumb="down")
    assert "50%" in page and "1 of 2; likely 9% to 91%" in page and 'aria-pressed="true"' in page
    post(ben, f"topics/{topic}/thumbs/{caught[0].id}", thumb="none")
    page = ben.page(f"topics/{topic}/")
    assert "0%" in page and "0 of 1" in page
    example = TopicExample.objects.get(source="thumb")
    post(ben, f"topics/{topic}/examples/{example.id}/removal")
    assert "judge some below" in ben.page(f"topics/{topic}/")


def test_a_refused_form_names_its_field_and_keeps_every_word(ben: Desk, air: Air) -> None:
    draft_topic(air.ben, name="Delays")
    answer = ben.client.post(ben.base + "topics/new", {"name": "delays", "facet": "reason", "texts": "my words"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "There is a topic of this name already" in page
    assert 'value="delays"' in page and "my words" in page and 'id="id_name_error"' in page
    topic = Topic.objects.get()
    answer = ben.client.post(ben.base + f"topics/{topic.id}/examples", {"texts": "x" * 2001})
    assert answer.status_code == 422 and "2,000 characters" in answer.content.decode()


def test_a_root_cause_has_a_name_and_nothing_to_learn_from(ben: Desk) -> None:
    page = post(ben, "topics/new", name="Belt four", facet="root_cause")
    assert "it is set on a case by hand" in page and "What it would have caught" not in page
    assert "Root causes" in ben.page("topics/")


def test_a_topic_is_renamed_and_a_draft_thrown_away(ben: Desk) -> None:
    post(ben, "topics/new", name="Delays", facet="reason")
    topic = Topic.objects.get()
    assert "Late planes" in post(ben, f"topics/{topic.id}/name", name="Late planes")
    assert "Enter a name." in post(ben, f"topics/{topic.id}/name", name="")
    post(ben, f"topics/{topic.id}/removal")
    assert not Topic.objects.exists()


def test_words_of_customers_are_text_and_personal_data_is_masked(air: Air, ben: Desk) -> None:
    judged(air, "<script>alert(1)</script> lost card 4111 1111 1111 1111", vector_at("lost"))
    page = ben.page("topics/new?q=lost")
    assert "<script>alert" not in page and "4111 1111" not in page and "&lt;script&gt;" in page
