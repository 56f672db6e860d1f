"""From the widget's door to the journal and out of it again: parts of what a visitor did, and their meaning."""

from __future__ import annotations

import re

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    ForeignPayload,
    Happening,
    InboundFile,
    Part,
    ReceiptSeen,
    Said,
    UnknownEvent,
)
from careline.channels.webchat.visitors import Visitor
from careline.channels.webchat.wire import Arrived, Journalled, Spoken
from careline.kit import signing

_KNOWN = frozenset({"spoken", "arrived"})
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class _Kind(msgspec.Struct, frozen=True):
    type: str


def spoken_id(visitor_id: str, client_id: str) -> str:
    """The platform id of a visitor's message."""
    return f"said:{visitor_id}:{client_id}"


def client_id_of(platform_id: str) -> str:
    """The browser's own id of a visitor's message, '' for others."""
    return platform_id.rsplit(":", 1)[-1] if platform_id.startswith("said:") else ""


def part_of_spoken(spoken: Spoken, channel: ChannelView, visitor: Visitor) -> Part:
    """One message is one event, however often the browser sends it."""
    return Part(
        channel.account_key,
        spoken_id(spoken.visitor, spoken.client_id),
        visitor.thread_key,
        msgspec.json.encode(spoken),
    )


def part_of_arrival(arrived: Arrived, channel: ChannelView, visitor: Visitor) -> Part:
    """Each state of each message is one event."""
    return Part(
        channel.account_key, f"{arrived.state}:{arrived.platform_id}", visitor.thread_key, msgspec.json.encode(arrived)
    )


def receipt_tag(channel: ChannelView, thread_key: str, platform_id: str) -> str:
    """Proof that a message was shown to this visitor, so that nobody marks another's message as read."""
    return signing.short_tag(channel.signing_key, "webchat-receipt", f"{thread_key}|{platform_id}")


def normalise(part: Part) -> list[Happening]:
    """Typed happenings of one part. Raises UnknownEvent for a later version's, ForeignPayload for bytes not the door's."""
    try:
        kind = msgspec.json.decode(part.raw, type=_Kind).type
        if kind not in _KNOWN:
            raise UnknownEvent(kind)
        event = msgspec.json.decode(part.raw, type=Journalled)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise ForeignPayload(f"Not an event of the widget: {wrong}") from wrong
    return [_said(event) if isinstance(event, Spoken) else _receipt(event)]


def _said(spoken: Spoken) -> Said:
    facts = {"page": spoken.page, "stated_email": spoken.email}
    return Said(
        platform_id=spoken_id(spoken.visitor, spoken.client_id),
        thread_key=f"visitor:{spoken.visitor}",
        surface="chat",
        author=Author(
            key=f"visitor:{spoken.visitor}",
            handle=f"visitor-{spoken.visitor[:6].lower()}",
            name=spoken.name,
            proven_keys=spoken.proven,
        ),
        text=spoken.text.replace("\0", ""),
        at=spoken.at,
        files=tuple(InboundFile(file.name, file.content) for file in spoken.files),
        facts={name: value for name, value in facts.items() if value},
    )


def _receipt(arrived: Arrived) -> ReceiptSeen:
    return ReceiptSeen(state=arrived.state, at=arrived.at, platform_id=arrived.platform_id)
