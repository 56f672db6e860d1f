"""Beginning a conversation: the platform names it only once our first message is there, so until then it has a key of
our own.
"""

from __future__ import annotations

from typing import Final

from careline.events.recording import UnitOfWork
from careline.kit import clock, ids
from careline.threads.models import Message, Thread

_PREFIX: Final = "new:"


def start_thread(
    workspace_id: int,
    channel_id: int,
    surface: str,
    *,
    is_public: bool = False,
    subject: str = "",
    case_id: int | None = None,
) -> Thread:
    """A thread of ours, in the caller's unit of work; a private one is bound to the case it was opened from."""
    thread_id = ids.new_id()
    return Thread.objects.create(
        id=thread_id,
        workspace_id=workspace_id,
        channel_id=channel_id,
        key=f"{_PREFIX}{thread_id}",
        surface=surface,
        is_public=is_public,
        subject=subject[:400],
        bound_case_id=None if is_public else case_id,
        created_at=clock.now(),
    )


def wire_key(thread: Thread) -> str:
    """The key as the platform knows it: '' while it knows none."""
    return "" if thread.key.startswith(_PREFIX) else thread.key


def adopt_key(work: UnitOfWork, thread: Thread, key: str) -> Thread:
    """The platform has named our new thread. Where it was heard under that name already, the two become one. Returns
    the one that stands.
    """
    if not key or not thread.key.startswith(_PREFIX):
        return thread
    known = Thread.objects.filter(channel_id=thread.channel_id, key=key[:300]).first()
    if known is None:
        Thread.objects.filter(id=thread.id).update(key=key[:300])
        thread.key = key[:300]
        return thread
    Message.objects.filter(thread_id=thread.id).update(thread_id=known.id)
    if known.bound_case_id is None and thread.bound_case_id is not None:
        Thread.objects.filter(id=known.id).update(bound_case_id=thread.bound_case_id)
    Thread.objects.filter(id=thread.id).delete()
    return known


def move_thread(work: UnitOfWork, channel_id: int, key: str, to: str) -> Thread | None:
    """The platform has named a thread anew. Where it was heard under the new name already, the two become one: the older stands. Returns it; None
    where nothing was heard under the old name.
    """
    old = Thread.objects.select_for_update().filter(channel_id=channel_id, key=key[:300]).first()
    if old is None or not to:
        return None
    twin = Thread.objects.filter(channel_id=channel_id, key=to[:300]).exclude(id=old.id).first()
    if twin is not None:
        Message.objects.filter(thread_id=twin.id).update(thread_id=old.id)
        Thread.objects.filter(id=twin.id).delete()
        old.participants = list(dict.fromkeys([*old.participants, *twin.participants]))
        old.last_inbound_at = max(filter(None, (old.last_inbound_at, twin.last_inbound_at)), default=None)
    old.key = to[:300]
    old.save(update_fields=["key", "participants", "last_inbound_at"])
    work.record_event(old.workspace_id, "thread.changed", thread_id=old.id)
    return old


def private_thread_with(channel_id: int, surface: str, person_id: int) -> Thread | None:
    """The newest private conversation with a person on a channel, by their own words or one we began. One statement."""
    spoken = Message.objects.filter(
        thread__channel_id=channel_id,
        thread__surface=surface,
        thread__is_public=False,
        author_identity__person_id=person_id,
    )
    newest = spoken.select_related("thread").order_by("-id").first()
    return newest.thread if newest else None
