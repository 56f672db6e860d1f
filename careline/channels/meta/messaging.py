"""The private messages of Facebook Pages and of Instagram: one shape, heard and answered alike.

Sources, read 2026-11-22, under developers.facebook.com/documentation/business-messaging/messenger-platform: webhooks/webhook-events (messages, message-echoes,
message-edits updated 2024-04-09, message-reads and message-deliveries 2022-06-21, message-reactions, messaging-postbacks), reference/send-api, policy
(2026-09-28: RESPONSE within 24 hours, HUMAN_AGENT within 7 days by people; all other tags ended on 2026-04-27), discovery/private-replies (2026-04-16: one
message for a comment, within 7 days). Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    Happening,
    InboundFile,
    ModerationAct,
    Outgoing,
    OutgoingFile,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    Sent,
)
from careline.channels.meta.calling import Graph
from careline.channels.meta.hooks import decode, digest, storable
from careline.errors import ChannelError, UnknownEvent
from careline.kit import clock
from careline.kit.multipart import Upload

SURFACE: Final = "dm"
# A watermark is the platform's time of a message; ours is that of its answer, which comes a little later.
LATE: Final = timedelta(seconds=2)
_KINDS: Final = ("image", "video", "audio")
_ENDINGS: Final = {"image": "jpg", "video": "mp4", "audio": "mp3", "ig_reel": "mp4", "reel": "mp4"}


class Somebody(msgspec.Struct, frozen=True):
    """A page-scoped or Instagram-scoped id; names come with nothing but the polled history."""

    id: str = ""
    name: str = ""
    username: str = ""


class Payload(msgspec.Struct, frozen=True):
    url: str = ""
    title: str = ""


class Attachment(msgspec.Struct, frozen=True):
    """`type`: image, video, audio, file, and what is shared: fallback, share, story_mention, reel, ig_reel, template."""

    type: str = ""
    payload: Payload | None = None
    title: str = ""
    url: str = ""


class Story(msgspec.Struct, frozen=True):
    url: str = ""


class ReplyTo(msgspec.Struct, frozen=True):
    mid: str = ""
    story: Story | None = None


class Message(msgspec.Struct, frozen=True):
    """`metadata` is what we sent along, in the echo. `is_deleted`: unsent (Instagram)."""

    mid: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: ReplyTo | None = None
    is_echo: bool = False
    is_deleted: bool = False
    metadata: str = ""


class Edit(msgspec.Struct, frozen=True):
    mid: str
    text: str = ""
    num_edit: int = 0


class Postback(msgspec.Struct, frozen=True):
    mid: str = ""
    title: str = ""


class Reaction(msgspec.Struct, frozen=True):
    mid: str
    action: str = "react"
    emoji: str = ""
    reaction: str = ""


class Delivery(msgspec.Struct, frozen=True):
    watermark: int = 0
    mids: tuple[str, ...] = ()


class Read(msgspec.Struct, frozen=True):
    """Messenger tells a moment, Instagram a message."""

    watermark: int = 0
    mid: str = ""


class Event(msgspec.Struct, frozen=True):
    """One event of a conversation; exactly one of the optional fields is there."""

    sender: Somebody = Somebody()
    recipient: Somebody = Somebody()
    timestamp: int = 0
    message: Message | None = None
    message_edit: Edit | None = None
    postback: Postback | None = None
    reaction: Reaction | None = None
    delivery: Delivery | None = None
    read: Read | None = None


class Accepted(msgspec.Struct, frozen=True):
    """What a send is answered with."""

    message_id: str = ""
    recipient_id: str = ""


class Uploaded(msgspec.Struct, frozen=True):
    attachment_id: str


def part_of(raw: msgspec.Raw, account: str, wrapped: bytes) -> Part:
    """One event as a journal row. A message keeps its id whoever tells of it."""
    event = msgspec.json.decode(raw, type=Event)
    who = event.recipient.id if event.sender.id == account else event.sender.id
    message = event.message
    named = f"m:{message.mid}:{message.is_deleted}" if message is not None and message.mid else digest(raw)
    return Part(account, named, who, wrapped)


def happenings(raw: msgspec.Raw, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version."""
    event = decode(raw, Event)
    found = list(_told(event, channel))
    if not found:
        raise UnknownEvent("messaging")
    return found


def _told(event: Event, channel: ChannelView) -> Iterator[Happening]:
    at = _at(event.timestamp)
    if event.message is not None:
        yield from _message(event, event.message, at, channel)
    elif event.postback is not None:
        mid = event.postback.mid or digest(event.sender.id, str(event.timestamp))
        yield _said(event, mid, storable(event.postback.title), (), at, channel)
    elif event.message_edit is not None:
        yield Edited(event.message_edit.mid, storable(event.message_edit.text), at)
    elif event.reaction is not None:
        emoji = event.reaction.emoji if event.reaction.action == "react" else ""
        yield Reacted(event.reaction.mid, _author(event, channel), emoji, at)
    elif event.delivery is not None:
        yield from _delivered(event.delivery, event.sender.id)
    elif event.read is not None:
        yield _read(event.read, event)


def _message(event: Event, message: Message, at: datetime, channel: ChannelView) -> Iterator[Happening]:
    if message.is_deleted:
        yield Deleted(message.mid, at)
        return
    text, files = _words(message), _files(message)
    if text or files:
        yield _said(event, message.mid, text, files, at, channel)


def _said(
    event: Event, mid: str, text: str, files: tuple[InboundFile, ...], at: datetime, channel: ChannelView
) -> Said:
    message = event.message or Message()
    is_us = event.sender.id == channel.account_key or message.is_echo
    return Said(
        platform_id=mid,
        thread_key=event.recipient.id if is_us else event.sender.id,
        surface=SURFACE,
        author=_author(event, channel),
        text=text,
        at=at,
        reply_to=message.reply_to.mid if message.reply_to else "",
        files=files,
        idempotency_key=message.metadata if is_us else "",
        quoted_text=_story(message),
    )


def _story(message: Message) -> str:
    """The address of our story that is answered."""
    story = message.reply_to.story if message.reply_to else None
    return story.url if story is not None else ""


def _author(event: Event, channel: ChannelView) -> Author:
    who = event.sender
    handle = f"@{who.username}" if who.username else ""
    return Author(who.id, handle, storable(who.name), is_us=who.id == channel.account_key)


def _words(message: Message) -> str:
    """The text; of a shared link or post its title and address."""
    shared = [one for one in message.attachments if one.type in {"fallback", "share", "template"}]
    lines = [" ".join(part for part in (one.title, _address(one)) if part) for one in shared]
    return storable("\n".join(line for line in (message.text, *lines) if line))


def _files(message: Message) -> tuple[InboundFile, ...]:
    kept = [one for one in message.attachments if _address(one) and one.type not in {"fallback", "share", "template"}]
    return tuple(
        InboundFile(f"{one.type}-{number}.{_ENDINGS.get(one.type, 'bin')}", url=_address(one))
        for number, one in enumerate(kept, 1)
    )


def _address(one: Attachment) -> str:
    return (one.payload.url if one.payload else "") or one.url


def _read(read: Read, event: Event) -> ReceiptSeen:
    if read.mid:
        return ReceiptSeen("read", _at(event.timestamp), platform_id=read.mid)
    return ReceiptSeen("read", _at(read.watermark or event.timestamp) + LATE, thread_key=event.sender.id)


def _delivered(delivery: Delivery, who: str) -> Iterator[Happening]:
    """`mids` may be missing; the moment is always there."""
    at = _at(delivery.watermark)
    if not delivery.mids:
        yield ReceiptSeen("delivered", at + LATE, thread_key=who)
    for mid in delivery.mids:
        yield ReceiptSeen("delivered", at, platform_id=mid)


def _at(milliseconds: int) -> datetime:
    return clock.from_epoch(milliseconds / 1000)


# ---- out


async def send(outgoing: Outgoing, channel: ChannelView, graph: Graph, *, may_tag: bool) -> Sent:
    """One message, or the one private reply to a comment. Outside the 24 hours a person's goes again under its tag: the first was
    surely refused. Raises ChannelError.
    """
    body = await _body(outgoing, channel, graph)
    path = f"{channel.account_key}/messages"
    try:
        taken = await graph.post(path, {**body, "messaging_type": "RESPONSE"}, Accepted)
    except ChannelError as refused:
        is_late = refused.code == "window_closed" and not outgoing.answers_comment
        if not (is_late and may_tag and outgoing.author_kind == "human"):
            raise
        taken = await graph.post(path, {**body, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, Accepted)
    return Sent(taken.message_id, thread_key=taken.recipient_id or outgoing.thread_key)


async def _body(outgoing: Outgoing, channel: ChannelView, graph: Graph) -> dict[str, object]:
    if outgoing.answers_comment:
        to: dict[str, str] = {"comment_id": outgoing.answers_comment}
    else:
        to = {"id": outgoing.thread_key or outgoing.recipient}
    message: dict[str, object] = {"metadata": outgoing.idempotency_key}
    if outgoing.files:
        message["attachment"] = await _attach(outgoing.files[0], channel, graph)
    else:
        message["text"] = outgoing.text
    return {"recipient": to, "message": message}


async def _attach(file: OutgoingFile, channel: ChannelView, graph: Graph) -> dict[str, object]:
    kind = next((one for one in _KINDS if file.content_type.startswith(f"{one}/")), "file")
    about = msgspec.json.encode({"attachment": {"type": kind, "payload": {"is_reusable": False}}})
    form = Upload("filedata", file.name, file.content_type, await file.read())
    taken = await graph.upload(f"{channel.account_key}/message_attachments", {"message": about}, form, Uploaded)
    return {"type": kind, "payload": {"attachment_id": taken.attachment_id}}


async def act(body: Mapping[str, object], thread_key: str, channel: ChannelView, graph: Graph) -> None:
    """A sender action: typing, reacting. Raises ChannelError."""
    await graph.post(f"{channel.account_key}/messages", {"recipient": {"id": thread_key}, **body}, object)


async def react(act_: ModerationAct, channel: ChannelView, graph: Graph) -> None:
    """Our reaction on a message, or taken back (reference/send-api, sender_action react and unreact)."""
    payload: dict[str, object] = {"message_id": act_.platform_id}
    if act_.verb == "react":
        payload["reaction"] = act_.emoji
    await act({"sender_action": act_.verb, "payload": payload}, act_.thread_key, channel, graph)


async def show_typing(thread_key: str, channel: ChannelView, graph: Graph) -> None:
    """Shown for 20 seconds at most. Best effort."""
    try:
        await act({"sender_action": "typing_on"}, thread_key, channel, graph)
    except ChannelError:
        return
