"""What a visitor may see of their own thread: the database's side of the widget. Every read names channel and thread key.

An answer is shown once its delivery is sent: one that may still be taken back, or that is held, never left the house.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from careline.channels.base import ChannelView
from careline.channels.webchat import inbound
from careline.channels.webchat.showing import Changes, ChatFile, ChatMessage, FileBytes, History
from careline.errors import NotFound
from careline.events.feed import oldest_number
from careline.events.models import Event
from careline.events.recording import last_number
from careline.files import storing, typing_content
from careline.outbox.models import Delivery
from careline.threads.models import Attachment, Message, Thread
from careline.threads.queries import attachments_of

NEWEST = 30
STATED_EMAIL = "stated_email"
ARRIVED = ("sent", "delivered", "read")


def thread_of(channel: ChannelView, thread_key: str) -> Thread | None:
    """The visitor's thread; None before their first message was digested. One statement."""
    return Thread.objects.filter(workspace_id=channel.workspace_id, channel_id=channel.id, key=thread_key).first()


def stated_address(thread: Thread) -> str:
    """The newest address left in this thread, with the form or with a message; '' when none. One statement."""
    said = Message.objects.filter(thread=thread, facts__has_key=STATED_EMAIL, deleted_at__isnull=True)
    newest = said.order_by("-at", "-id").values_list("facts", flat=True).first() or {}
    return str(newest.get(STATED_EMAIL, ""))


def history(channel: ChannelView, thread_key: str, *, before: int, limit: int) -> History:
    """Messages older than `before` (0: the newest), oldest first. Five statements."""
    n = last_number(channel.workspace_id)
    thread = thread_of(channel, thread_key)
    if thread is None:
        return History(n, ())
    visible = _visible(thread)
    if before:
        edge = visible.filter(id=before).values_list("at", flat=True).first()
        visible = visible.filter(at__lte=edge).filter(Q(at__lt=edge) | Q(id__lt=before)) if edge else visible.none()
    rows = list(visible.order_by("-at", "-id")[: limit + 1])
    return History(n, _shown(rows[:limit][::-1]), has_earlier=len(rows) > limit)


def changes(channel: ChannelView, thread_key: str, after: int) -> Changes:
    """Messages touched by events after a number; the newest ones when the log no longer reaches back. Six statements."""
    n = last_number(channel.workspace_id)
    thread = thread_of(channel, thread_key)
    if thread is None:
        return Changes(n, ())
    if after > n or after + 1 < oldest_number(channel.workspace_id):
        newest = history(channel, thread_key, before=0, limit=NEWEST)
        return Changes(newest.n, newest.messages, is_reset=True)
    touched = _touched(thread, after)
    rows = _visible(thread).filter(id__in=touched).order_by("at", "id") if touched else ()
    return Changes(n, _shown(list(rows)))


def _touched(thread: Thread, after: int) -> set[int]:
    said = Message.objects.filter(thread=thread).values("id")
    happened = Event.objects.filter(workspace_id=thread.workspace_id, n__gt=after)
    found = happened.filter(Q(thread_id=thread.id) | Q(message_id__in=said)).values_list("message_id", flat=True)
    return {message_id for message_id in found if message_id is not None}


def _visible(thread: Thread) -> QuerySet[Message]:
    said = Message.objects.filter(workspace_id=thread.workspace_id, thread=thread)
    sent = Delivery.objects.filter(thread_id=thread.id, state__in=ARRIVED).values("message_id")
    return said.filter(Q(direction="inbound") | Q(direction="outbound", id__in=sent))


def _shown(rows: Collection[Message]) -> tuple[ChatMessage, ...]:
    files = attachments_of([row.id for row in rows]) if rows else {}
    ours = [row.id for row in rows if row.direction == "outbound"]
    states = (
        Delivery.objects.filter(message_id__in=ours).values_list("message_id", "state", "platform_id") if ours else ()
    )
    delivered = {message_id: (state, platform_id) for message_id, state, platform_id in states}
    return tuple(_chat_message(row, files.get(row.id, []), *delivered.get(row.id, ("", ""))) for row in rows)


def _chat_message(row: Message, files: list[Attachment], state: str, platform_id: str) -> ChatMessage:
    is_ours, is_deleted = row.direction == "outbound", row.deleted_at is not None
    return ChatMessage(
        id=str(row.id),
        version=row.version,
        is_ours=is_ours,
        text="" if is_deleted else row.text,
        at=row.at,
        author=row.author_name if is_ours else "",
        client_id="" if is_ours else inbound.client_id_of(row.platform_id or ""),
        platform_id=platform_id,
        is_edited=row.edited_at is not None,
        is_deleted=is_deleted,
        is_read=state == "read",
        files=() if is_deleted else tuple(_chat_file(one) for one in files if one.file is not None),
    )


def _chat_file(one: Attachment) -> ChatFile:
    file = one.file
    assert file is not None  # the caller chose those that have one
    return ChatFile(str(one.id), one.name, file.content_type, file.size_bytes, file.width_px or 0, file.height_px or 0)


def read_attachment(channel: ChannelView, thread_key: str, attachment_id: int) -> FileBytes:
    """A file of a visible message of this thread. Raises NotFound for any other. Four statements."""
    thread = thread_of(channel, thread_key)
    found = Attachment.objects.filter(
        id=attachment_id, workspace_id=channel.workspace_id, message__deleted_at__isnull=True
    )
    one = found.filter(message__in=_visible(thread)).first() if thread is not None else None
    if one is None or one.file_id is None:
        raise NotFound("file_not_found", "This file does not exist.")
    row, content = storing.read_file(channel.workspace_id, one.file_id)
    return FileBytes(one.name, row.content_type, content, row.content_type in typing_content.INLINE_TYPES)
