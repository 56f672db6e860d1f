"""Examples of a topic and of what it is not: typed, chosen among messages, or a thumb on what it would catch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from careline.errors import InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads.models import Message
from careline.triage.models import Topic, TopicExample
from careline.triage.personal import find_personal
from careline.triage.personal.masking import mask
from careline.triage.topics import access_topic
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

LONGEST_EXAMPLE: Final = 2000
MOST_EXAMPLES: Final = 500
MOST_AT_ONCE: Final = 50


def add_examples(viewer: Viewer, topic_id: int, *, texts: Sequence[str] = (), message_ids: Sequence[int] = ()) -> int:
    """More examples of a reason. Returns how many were new. Raises InputRefused, NotFound."""
    check_may(viewer.role, "manage_triage")
    said = check_texts(texts)
    if not said and not message_ids:
        raise InputRefused("examples_missing", _("Write an example a line, or choose messages."), field="texts")
    with unit_of_work() as work:
        topic = _learnable(viewer.workspace_id, topic_id)
        known = TopicExample.objects.filter(topic=topic).count()
        if known + len(said) + len(message_ids) > MOST_EXAMPLES:
            raise InputRefused("too_many_examples", _("A topic may have at most 500 examples."), field="texts")
        new = give_texts(topic, said, viewer.agent_id) + give_messages(topic, message_ids, viewer.agent_id)
        _touch(topic)
        facts = {"what": "examples", "topic": str(topic.id), "facet": topic.facet}
        work.record_event(viewer.workspace_id, "topic.changed", agent_id=viewer.agent_id, facts=facts)
    return new


def remove_example(viewer: Viewer, topic_id: int, example_id: int) -> None:
    """It trains no more. Raises NotFound for one of another topic."""
    check_may(viewer.role, "manage_triage")
    with unit_of_work() as work:
        topic = _learnable(viewer.workspace_id, topic_id)
        gone, _rows = TopicExample.objects.filter(topic=topic, id=example_id).delete()
        if not gone:
            raise NotFound("example_not_found", _("This example is gone already."))
        _touch(topic)
        facts = {"what": "examples", "topic": str(topic.id), "facet": topic.facet}
        work.record_event(viewer.workspace_id, "topic.changed", agent_id=viewer.agent_id, facts=facts)


def judge_catch(viewer: Viewer, topic_id: int, message_id: int, *, is_of_topic: bool | None) -> None:
    """A thumb up or down on a message the topic would catch; None takes it back. Raises NotFound for a foreign message."""
    check_may(viewer.role, "manage_triage")
    with unit_of_work() as work:
        topic = _learnable(viewer.workspace_id, topic_id)
        if not _heard(viewer.workspace_id, [message_id]):
            raise NotFound("message_not_found", _("This message is gone."))
        TopicExample.objects.filter(topic=topic, message_id=message_id, source="thumb").delete()
        if is_of_topic is not None and not TopicExample.objects.filter(topic=topic, message_id=message_id).exists():
            TopicExample.objects.create(
                workspace_id=topic.workspace_id,
                topic=topic,
                message_id=message_id,
                is_of_topic=is_of_topic,
                source="thumb",
                agent_id=viewer.agent_id,
            )
        facts = {"what": "judged", "topic": str(topic.id), "facet": topic.facet}
        work.record_event(viewer.workspace_id, "topic.changed", agent_id=viewer.agent_id, facts=facts)


def check_texts(texts: Sequence[str]) -> list[str]:
    """Examples as they are kept: single spaces, each once, personal data masked. Raises InputRefused('example_long')."""
    said = list(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))
    if any(len(text) > LONGEST_EXAMPLE for text in said):
        raise InputRefused("example_long", _("An example has at most 2,000 characters."), field="texts")
    if len(said) > MOST_AT_ONCE:
        raise InputRefused("too_many_examples", _("Give at most 50 examples at once."), field="texts")
    return [mask(text, find_personal(text))[:LONGEST_EXAMPLE] for text in said]


def give_texts(topic: Topic, texts: Sequence[str], agent_id: int) -> int:
    """Inside a unit of work: typed examples that are new. Two statements."""
    known = set(TopicExample.objects.filter(topic=topic, message__isnull=True).values_list("text", flat=True))
    fresh = [text for text in texts if text not in known]
    TopicExample.objects.bulk_create(
        TopicExample(workspace_id=topic.workspace_id, topic=topic, text=text, source="typed", agent_id=agent_id)
        for text in fresh
    )
    return len(fresh)


def give_messages(topic: Topic, message_ids: Sequence[int], agent_id: int) -> int:
    """Inside a unit of work: messages as examples; a thumb on one becomes an example. Three statements. Raises NotFound for a foreign one."""
    wanted = set(message_ids)
    if len(_heard(topic.workspace_id, wanted)) < len(wanted):
        raise NotFound("message_not_found", _("This message is gone."))
    TopicExample.objects.filter(topic=topic, message_id__in=wanted, source="thumb").delete()
    known = set(TopicExample.objects.filter(topic=topic, message_id__in=wanted).values_list("message_id", flat=True))
    TopicExample.objects.bulk_create(
        TopicExample(
            workspace_id=topic.workspace_id, topic=topic, message_id=message_id, source="message", agent_id=agent_id
        )
        for message_id in sorted(wanted - known)
    )
    return len(wanted - known)


def _heard(workspace_id: int, message_ids: Sequence[int] | set[int]) -> list[int]:
    heard = Message.objects.filter(
        workspace_id=workspace_id, id__in=message_ids, direction="inbound", deleted_at__isnull=True
    )
    return list(heard.exclude(text="").values_list("id", flat=True))


def _learnable(workspace_id: int, topic_id: int) -> Topic:
    topic = access_topic(workspace_id, topic_id, locked=True)
    if topic.facet != "reason":
        raise InputRefused("root_cause_by_hand", _("A root cause is set by hand: it has no examples."), field="texts")
    return topic


def _touch(topic: Topic) -> None:
    """A topic in use that changed is learned at once."""
    topic.changed_at = clock.now()
    topic.save(update_fields=["changed_at"])
