"""Where a visitor wants answers when away: an unproven claim, kept in the visitor's own thread, shown to agents, linking nothing."""

from __future__ import annotations

from careline.channels.base import ChannelView
from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.intake.widget_history import thread_of
from careline.kit import clock
from careline.people.models import Person
from careline.threads.models import Message, Thread

FACT = "stated_email"


def keep_address(channel: ChannelView, thread_key: str, email: str) -> None:
    """Write it as an event of the thread and as a fact of the person. Raises NotFound before the first message. Six statements."""
    thread = thread_of(channel, thread_key)
    if thread is None:
        raise NotFound("chat_not_begun", "Say something first.")
    if stated_address(thread) == email:
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
            facts={"what": FACT, FACT: email},
            at=clock.now(),
        )
        if person is not None:
            person.facts = {**person.facts, FACT: email}
            person.version += 1
            person.save(update_fields=["facts", "version"])
        work.record_event(
            thread.workspace_id,
            "person.changed",
            facts={"what": FACT},
            person_id=person.id if person is not None else None,
            thread_id=thread.id,
            case_id=thread.bound_case_id,
            message_id=message.id,
            channel_id=thread.channel_id,
        )


def stated_address(thread: Thread) -> str:
    """The newest address left in this thread, with the form or with a message; '' when none. One statement."""
    said = Message.objects.filter(thread=thread, facts__has_key=FACT, deleted_at__isnull=True)
    newest = said.order_by("-at", "-id").values_list("facts", flat=True).first() or {}
    return str(newest.get(FACT, ""))
