"""Topics: drafted from examples, put to use, renamed, retired, restored; each change told, none by another workspace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from careline.conftest import Air
from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.triage.actions.exemplifying import add_examples, judge_catch, remove_example
from careline.triage.actions.naming import discard_draft, draft_topic, rename_topic, retire_topic, use_topic
from careline.triage.models import Topic, TopicExample, TriageSettings
from careline.triage.queries import topic_names
from careline.triage.tests.learning import judged, vector_at
from careline.triage.topics import access_topic, find_messages, list_examples, list_topics
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
FIVE = ["my flight is late", "delayed again", "two hours of delay", "when do we leave", "still at the gate"]


def test_a_draft_is_offered_to_nobody_until_it_is_used(air: Air) -> None:
    topic = draft_topic(air.ben, name="  Delays  and  waits ", texts=FIVE)
    assert topic_names(air.workspace.id) == {} and list_topics(air.workspace.id)[0].state == "draft"
    use_topic(air.ben, topic)
    assert topic_names(air.workspace.id) == {topic: "Delays and waits"}
    assert [one.facts["what"] for one in Event.objects.filter(kind="topic.changed").order_by("n")] == [
        "drafted",
        "used",
    ]


def test_fewer_than_five_examples_are_not_put_to_use(air: Air) -> None:
    topic = draft_topic(air.ben, name="Delays", texts=FIVE[:4])
    with pytest.raises(Conflict):
        use_topic(air.ben, topic)
    assert add_examples(air.ben, topic, texts=[*FIVE[3:], FIVE[4]]) == 1
    use_topic(air.ben, topic)


def test_a_retired_topic_is_not_offered_and_comes_back_with_its_examples(air: Air) -> None:
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    use_topic(air.ben, topic)
    retire_topic(air.ben, topic)
    assert topic_names(air.workspace.id) == {} and list_topics(air.workspace.id)[0].state == "retired"
    use_topic(air.ben, topic)
    line = list_topics(air.workspace.id)[0]
    assert (line.state, line.likes) == ("used", 5)


def test_a_draft_may_be_thrown_away_and_a_used_topic_may_not(air: Air) -> None:
    draft, used = (draft_topic(air.ben, name=name, texts=FIVE) for name in ("Delays", "Bags"))
    use_topic(air.ben, used)
    discard_draft(air.ben, draft)
    with pytest.raises(Conflict):
        discard_draft(air.ben, used)
    assert list(Topic.objects.values_list("id", flat=True)) == [used]
    assert set(TopicExample.objects.values_list("topic_id", flat=True)) == {used}


def test_a_name_is_taken_once_in_a_facet_and_a_root_cause_stands_apart(air: Air) -> None:
    reason = draft_topic(air.ben, name="Delays", texts=FIVE)
    with pytest.raises(InputRefused):
        draft_topic(air.ben, name="delays", texts=FIVE)
    cause = draft_topic(air.ben, name="Delays", facet="root_cause")
    assert topic_names(air.workspace.id, "root_cause") == {cause: "Delays"}
    with pytest.raises(InputRefused):
        add_examples(air.ben, cause, texts=FIVE)
    rename_topic(air.ben, reason, "Late flights")
    assert Topic.objects.get(id=reason).name == "Late flights"


def test_examples_are_kept_once_without_personal_data_and_may_be_messages(air: Air) -> None:
    message = judged(air, "late, and my card 4111 1111 1111 1111", vector_at("late"))
    topic = draft_topic(
        air.ben, name="Delays", texts=["call +34 612 345 678 for a delay", *FIVE], message_ids=[message.id]
    )
    shown = [one.text for one in list_examples(access_topic(air.workspace.id, topic))]
    assert len(shown) == 7 and not any("612" in text or "4111" in text for text in shown)
    assert add_examples(air.ben, topic, message_ids=[message.id]) == 0


def test_an_example_is_taken_out_and_a_thumb_taken_back(air: Air) -> None:
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    example = TopicExample.objects.filter(topic_id=topic).order_by("id")[0]
    remove_example(air.ben, topic, example.id)
    assert TopicExample.objects.filter(topic_id=topic).count() == 4
    with pytest.raises(NotFound):
        remove_example(air.ben, topic, example.id)
    message = judged(air, "late", vector_at("late"))
    judge_catch(air.ben, topic, message.id, is_of_topic=True)
    judge_catch(air.ben, topic, message.id, is_of_topic=False)
    assert TopicExample.objects.get(message=message).is_of_topic is False
    judge_catch(air.ben, topic, message.id, is_of_topic=None)
    assert not TopicExample.objects.filter(message=message).exists()


def test_messages_are_found_by_their_own_words_with_personal_data_masked(air: Air) -> None:
    judged(air, "delayed, my card is 4111 1111 1111 1111", vector_at("late"))
    judged(air, "thank you", vector_at("late"))
    found = find_messages(air.workspace.id, "delay")
    assert len(found) == 1 and "4111 1111" not in found[0].text and "1111" in found[0].text
    TriageSettings.objects.create(workspace_id=air.workspace.id, masked=["phone"])
    assert "4111 1111 1111 1111" in find_messages(air.workspace.id, "delay")[0].text
    assert find_messages(air.workspace.id, "  ") == []


def test_cleo_reads_and_changes_no_foreign_topic_and_shows_no_foreign_message(air: Air, cleo: Viewer) -> None:
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    message = judged(air, "late", vector_at("late"))
    hers = draft_topic(cleo, name="Delays", texts=FIVE)
    acts: list[Callable[[], object]] = [
        lambda: use_topic(cleo, topic),
        lambda: retire_topic(cleo, topic),
        lambda: discard_draft(cleo, topic),
        lambda: rename_topic(cleo, topic, "Hers"),
        lambda: add_examples(cleo, topic, texts=FIVE),
        lambda: add_examples(cleo, hers, message_ids=[message.id]),
        lambda: draft_topic(cleo, name="Theirs", message_ids=[message.id]),
        lambda: judge_catch(cleo, hers, message.id, is_of_topic=True),
        lambda: judge_catch(cleo, topic, message.id, is_of_topic=True),
        lambda: remove_example(cleo, topic, TopicExample.objects.filter(topic_id=topic)[0].id),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert find_messages(cleo.workspace_id, "late") == []
    assert [one.name for one in list_topics(cleo.workspace_id)] == ["Delays"]
    assert Topic.objects.get(id=topic).name == "Delays" and TopicExample.objects.filter(topic_id=topic).count() == 5


def test_an_agent_makes_and_changes_no_topic(air: Air) -> None:
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    acts: list[Callable[[], object]] = [
        lambda: draft_topic(air.ana, name="Bags", texts=FIVE),
        lambda: use_topic(air.ana, topic),
        lambda: retire_topic(air.ana, topic),
        lambda: discard_draft(air.ana, topic),
        lambda: rename_topic(air.ana, topic, "Hers"),
        lambda: add_examples(air.ana, topic, texts=FIVE),
        lambda: remove_example(air.ana, topic, 1),
        lambda: judge_catch(air.ana, topic, 1, is_of_topic=True),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_topic_has_a_name_of_at_most_sixty_letters(air: Air, name: str) -> None:
    with pytest.raises(InputRefused) as refused:
        draft_topic(air.ben, name=name, texts=FIVE)
    assert refused.value.field == "name"
