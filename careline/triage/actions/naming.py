"""A topic's life: named as a draft, put to use, renamed, retired, restored. Examples are another file's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from careline.errors import Conflict, InputRefused
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.triage.actions.exemplifying import check_texts, give_messages, give_texts
from careline.triage.models import Topic, TopicExample
from careline.triage.topics import ENOUGH_EXAMPLES, MOST_TOPICS, access_topic
from careline.workspaces.checking import check_name
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

LONGEST_NAME: Final = 60
FACETS: Final = ("reason", "root_cause")


def draft_topic(
    viewer: Viewer, *, name: str, facet: str = "reason", texts: Sequence[str] = (), message_ids: Sequence[int] = ()
) -> int:
    """A new topic, not in use yet; a root cause, which is set by hand, is in use at once. Returns its id.

    Raises InputRefused with the field's name, and for a name that is taken.
    """
    check_may(viewer.role, "manage_triage")
    wanted, said = check_topic_name(name), check_texts(texts)
    if facet not in FACETS:
        raise InputRefused("facet_unknown", _("Choose a reason or a root cause."), field="facet")
    is_draft, now = facet == "reason", clock.now()
    with unit_of_work() as work:
        check_free(viewer.workspace_id, wanted, facet)
        if Topic.objects.filter(workspace_id=viewer.workspace_id).count() >= MOST_TOPICS:
            raise InputRefused("too_many_topics", _("A workspace may have at most 500 topics."), field="name")
        topic = Topic.objects.create(
            workspace_id=viewer.workspace_id,
            name=wanted,
            facet=facet,
            is_draft=is_draft,
            retired_at=now if is_draft else None,
            made_by_id=viewer.agent_id,
            made_at=now,
        )
        give_texts(topic, said, viewer.agent_id)
        give_messages(topic, message_ids, viewer.agent_id)
        record_topic(work, topic, "drafted", viewer.agent_id)
    return topic.id


def use_topic(viewer: Viewer, topic_id: int) -> None:
    """Put a draft, or a retired topic, to use. Raises Conflict('examples_too_few')."""
    check_may(viewer.role, "manage_triage")
    with unit_of_work() as work:
        topic = access_topic(viewer.workspace_id, topic_id, locked=True)
        known = TopicExample.objects.filter(topic=topic, is_of_topic=True).count()
        if topic.facet == "reason" and known < ENOUGH_EXAMPLES:
            raise Conflict("examples_too_few", _("Give it five examples first: fewer are guessed from."))
        was_draft, topic.is_draft, topic.retired_at, topic.changed_at = topic.is_draft, False, None, clock.now()
        topic.save(update_fields=["is_draft", "retired_at", "changed_at"])
        record_topic(work, topic, "used" if was_draft else "restored", viewer.agent_id)


def retire_topic(viewer: Viewer, topic_id: int) -> None:
    """Not offered and not said any more; cases keep it, and so do its examples."""
    check_may(viewer.role, "manage_triage")
    with unit_of_work() as work:
        topic = access_topic(viewer.workspace_id, topic_id, locked=True)
        if topic.retired_at is None:
            topic.retired_at = topic.changed_at = clock.now()
            topic.save(update_fields=["retired_at", "changed_at"])
            record_topic(work, topic, "retired", viewer.agent_id)


def discard_draft(viewer: Viewer, topic_id: int) -> None:
    """Throw a draft away with its examples. Raises Conflict('topic_in_use') for one that was ever used."""
    check_may(viewer.role, "manage_triage")
    with unit_of_work() as work:
        topic = access_topic(viewer.workspace_id, topic_id, locked=True)
        if not topic.is_draft:
            raise Conflict("topic_in_use", _("Retire it instead: cases may carry it."))
        record_topic(work, topic, "discarded", viewer.agent_id)
        topic.delete()


def rename_topic(viewer: Viewer, topic_id: int, name: str) -> None:
    """Cases show the new name at once. Raises InputRefused('topic_taken')."""
    check_may(viewer.role, "manage_triage")
    wanted = check_topic_name(name)
    with unit_of_work() as work:
        topic = access_topic(viewer.workspace_id, topic_id, locked=True)
        if wanted != topic.name:
            check_free(viewer.workspace_id, wanted, topic.facet)
            topic.name = wanted
            topic.save(update_fields=["name"])
            record_topic(work, topic, "renamed", viewer.agent_id)


def check_topic_name(name: str) -> str:
    """The name with single spaces. Raises InputRefused."""
    return check_name(" ".join(name.split()), "name", LONGEST_NAME)


def check_free(workspace_id: int, name: str, facet: str) -> None:
    """Refuse a name that another topic of the facet has. One statement."""
    if Topic.objects.filter(workspace_id=workspace_id, facet=facet, name__iexact=name).exists():
        raise InputRefused(
            "topic_taken", _("There is a topic of this name already, perhaps a retired one."), field="name"
        )


def record_topic(work: UnitOfWork, topic: Topic, what: str, agent_id: int) -> None:
    """The event of every change of a topic; its name is not in it."""
    facts = {"what": what, "topic": str(topic.id), "facet": topic.facet}
    work.record_event(topic.workspace_id, "topic.changed", agent_id=agent_id, facts=facts)
