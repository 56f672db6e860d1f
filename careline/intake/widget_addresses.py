"""Where a visitor wants answers when away: an unproven claim, kept in the visitor's own thread, shown to agents, linking nothing."""

from __future__ import annotations

from careline.channels.base import ChannelView
from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.intake import widget_mailing
from careline.intake.widget_history import STATED_EMAIL, stated_address, thread_of
from careline.kit import clock
from careline.people.models import Person
from careline.threads.models import Message


def keep_address(channel: ChannelView, thread_key: str, email: str) -> None:
    """Write it as an event of the thread and as a fact of the person. Raises NotFound before the first message. Six statements."""
    thread = thread_of(channel, thread_key)
    if thread is None:
        raise NotFound("chat_not_begun", "Say something first.")
    if stated_address(thread) == email:
        with unit_of_work():
            widget_mailing.look_after(thread)
        return
    first = (
        Message.objects.select_related("author_identity")
        .filter(thread=thread, direction="inbound")
        .order_by("id")
        .first()
    )
    identity = first.author_identity if first is not None else None
    with unit_of_work() as work:
        person = Person.objects.select_for_update().get(id=identity.person_id) if identity is not None else None
        message = Message.objects.create(
            workspace_id=thread.workspace_id,
            thread=thread,
            channel_id=thread.channel_id,
            case_id=thread.bound_case_id,
            direction="event",
            surface=thread.surface,
            author_identity=identity,
            author_name=first.author_name if first is not None else "",
            text=email,
            facts={"what": STATED_EMAIL, STATED_EMAIL: email},
            at=clock.now(),
        )
        if person is not None:
            person.facts = {**person.facts, STATED_EMAIL: email}
            person.version += 1
            person.save(update_fields=["facts", "version"])
        widget_mailing.look_after(thread)
        work.record_event(
            thread.workspace_id,
            "person.changed",
            facts={"what": STATED_EMAIL},
            person_id=person.id if person is not None else None,
            thread_id=thread.id,
            case_id=thread.bound_case_id,
            message_id=message.id,
            channel_id=thread.channel_id,
        )
