"""From Matrix to Careline: messages, edits, redactions, reactions and receipts, translated. Pure.

Source: Client-Server API v1.18, modules "Instant messaging", "Rich replies", "Event replacements", "Mentions" (spec.matrix.org, read 2026-11-22).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    Happening,
    InboundFile,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    ThreadFacts,
)
from careline.channels.matrix import wire
from careline.channels.matrix.reading import is_redacted, redacted_by
from careline.errors import ForeignPayload, UnknownEvent
from careline.kit import clock, markup

SCHEME: Final = "matrix:"
PRIVATE: Final = "/dm"
MARK: Final = "careline-"
"""Begins the transaction ids we send: a token may be shared with another client, whose messages are no echoes of ours."""
LATEST_MS: Final = 4_102_444_800_000
"""A sender names any time they like; what lies beyond the year 2100 is the future anyway, which the core makes now."""
ENCRYPTED: Final = "\N{LOCK}"
"""What stands for words that cannot be read; the screens say the rest in the reader's language."""
_FILES: Final[Mapping[str, str]] = {
    "m.image": "image",
    "m.file": "file",
    "m.audio": "audio",
    "m.video": "video",
    "m.sticker": "sticker",
}
_MACHINES: Final = frozenset({"m.notice", "m.server_notice", "m.key.verification.request"})
_QUOTED: Final = re.compile(r"\A(?:> [^\n]*\n)+\n?")
_LINK: Final = re.compile(
    r"""<a\b[^<>]{0,300}?\bhref\s{0,9}=\s{0,9}["']([^"'<>]{1,2000})["'][^<>]{0,300}>([^<]{0,2000})</a>""", re.IGNORECASE
)
_MX_REPLY: Final = re.compile(r"\A\s*<mx-reply>.{0,200000}?</mx-reply>", re.DOTALL | re.IGNORECASE)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")


def thread_key_of(room: wire.Room) -> str:
    """A room that grows from two people to three goes on as another, public thread: nobody answers there believing it private."""
    return f"{room.id}{PRIVATE}" if room.is_private else room.id


def normalise(part: Part, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = _read(part.raw, wire.Row)
    if row.kind == "read":
        return [ReceiptSeen("read", _moment(row.at_ms), platform_id=row.target)]
    if row.kind == "unreact":
        who = Author(row.sender, is_us=row.sender == channel.account_key)
        return [Reacted(row.target, who, row.emoji, _moment(row.at_ms))]
    event = _read(row.event, wire.Event)
    translate = _KINDS.get(event.type)
    if translate is None:
        raise UnknownEvent(event.type[:60])
    return translate(row, event, channel)


def _read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE as broken:
        raise ForeignPayload("This is not an event of Matrix.") from broken


def _message(row: wire.Row, event: wire.Event, channel: ChannelView) -> list[Happening]:
    """What its author has redacted before it was read says nothing any more; other files of one message of ours come back with it."""
    content = _read(event.content, wire.Content)
    if is_redacted(event):
        return [Deleted(event.event_id, _at(event))]
    if content.relates_to.rel_type == "m.replace":
        return _edited(row, event, content)
    if "." in _sent_as(event):
        return []
    return [_said(row, event, channel, content, _words(content, row, event), _files(event, content))]


def _edited(row: wire.Row, event: wire.Event, content: wire.Content) -> list[Happening]:
    """Ours come back from where we made them."""
    if _sent_as(event):
        return []
    new = _read(content.new_content, wire.Content)
    return [Edited(content.relates_to.event_id, _words(new, row, event), _at(event))]


def _encrypted(row: wire.Row, event: wire.Event, channel: ChannelView) -> list[Happening]:
    """Said plainly, never dropped. A redacted one is gone."""
    if is_redacted(event):
        return [Deleted(event.event_id, _at(event))]
    content = wire.Content(relates_to=_read(event.content, wire.Content).relates_to)
    said = _said(row, event, channel, content, ENCRYPTED, ())
    return [msgspec.structs.replace(said, facts={"unreadable": "encrypted"})]


def _said(
    row: wire.Row,
    event: wire.Event,
    channel: ChannelView,
    content: wire.Content,
    words: str,
    files: tuple[InboundFile, ...],
) -> Said:
    at, relation = _at(event), content.relates_to
    root = relation.event_id if relation.rel_type == "m.thread" else ""
    return Said(
        platform_id=event.event_id,
        thread_key=thread_key_of(row.room),
        surface="dm" if row.room.is_private else "group",
        author=_author(row, event, channel),
        text=words,
        at=at,
        thread=_facts(row.room, event),
        reply_to=root if relation.is_falling_back else relation.in_reply_to.event_id or root,
        files=files,
        is_addressed=row.room.is_private or row.above == channel.account_key or _names_us(content, channel.account_key),
        automatic="notification" if content.msgtype in _MACHINES else "",
        is_history=channel.history_before is not None and at < channel.history_before,
        idempotency_key=_sent_as(event),
    )


def _sent_as(event: wire.Event) -> str:
    """Under which key we sent it ourselves; `.1` and so on for the files of a message."""
    sent = event.unsigned.transaction_id
    return sent.removeprefix(MARK) if sent.startswith(MARK) else ""


def _author(row: wire.Row, event: wire.Event, channel: ChannelView) -> Author:
    return Author(event.sender, event.sender, row.name or event.sender, is_us=event.sender == channel.account_key)


def _facts(room: wire.Room, event: wire.Event) -> ThreadFacts:
    """Those in the room are those who can have seen it."""
    if room.is_private:
        return ThreadFacts()
    link = f"https://matrix.to/#/{room.id}/{event.event_id}"
    return ThreadFacts(subject=room.name, permalink=link, reach=room.people)


def _names_us(content: wire.Content, us: str) -> bool:
    """Where a client says whom it means, that counts (since v1.7); else our id in the words."""
    if content.mentions is not None:
        return us in content.mentions.user_ids
    return us in content.body or us in content.formatted_body


def _words(content: wire.Content, row: wire.Row, event: wire.Event) -> str:
    """The words without the quoted fallback of a reply. A file's name is no words; since v1.10 a body beside it is its caption."""
    body = _shown(content)
    if content.msgtype in _FILES or event.type == "m.sticker":
        return body if content.filename and content.filename != content.body else ""
    if content.msgtype == "m.location":
        return f"{body} {content.geo_uri}".strip()
    return f"* {row.name or event.sender} {body}" if content.msgtype == "m.emote" else body


def _shown(content: wire.Content) -> str:
    """What the others in the room see: the formatted words where there are any, with the addresses behind links; else the plain ones."""
    if content.format == "org.matrix.custom.html":
        bare = _LINK.sub(_with_address, _MX_REPLY.sub("", content.formatted_body[: markup.MOST_CHARS]))
        if words := markup.plain_text(bare):
            return words
    is_reply = bool(content.relates_to.in_reply_to.event_id) and not content.relates_to.is_falling_back
    return _QUOTED.sub("", content.body) if is_reply else content.body


def _with_address(link: re.Match[str]) -> str:
    """The name of somebody who is meant links to matrix.to, which says no more than the name."""
    address, words = html.unescape(link[1]), link[2]
    is_plain = address.startswith("https://matrix.to/") or html.unescape(words).strip() == address
    return words if is_plain else f"{words} ({link[1]})"


def _files(event: wire.Event, content: wire.Content) -> tuple[InboundFile, ...]:
    kind = "m.sticker" if event.type == "m.sticker" else content.msgtype
    if kind not in _FILES or not content.url.startswith("mxc://"):
        return ()
    name = content.filename or (content.body if kind != "m.sticker" else "") or _FILES[kind]
    address = SCHEME + content.url.removeprefix("mxc://")
    return (InboundFile(name, url=address, alt_text=content.body if kind == "m.sticker" else ""),)


def _redacted(row: wire.Row, event: wire.Event, channel: ChannelView) -> list[Happening]:
    gone = redacted_by(event)
    if not gone:
        raise ForeignPayload("A redaction of nothing.")
    return [Deleted(gone, _at(event))]


def _reacted(row: wire.Row, event: wire.Event, channel: ChannelView) -> list[Happening]:
    """What was taken back before it was read is nothing."""
    relation = _read(event.content, wire.Content).relates_to
    if not relation.event_id:
        return []
    return [Reacted(relation.event_id, _author(row, event, channel), relation.key, _at(event))]


def _at(event: wire.Event) -> datetime:
    return _moment(event.origin_server_ts)


def _moment(at_ms: int) -> datetime:
    return clock.from_epoch(max(0, min(at_ms, LATEST_MS)) / 1000)


_KINDS: Final[Mapping[str, Callable[[wire.Row, wire.Event, ChannelView], list[Happening]]]] = {
    "m.room.message": _message,
    "m.sticker": _message,
    "m.room.encrypted": _encrypted,
    "m.room.redaction": _redacted,
    "m.reaction": _reacted,
}
