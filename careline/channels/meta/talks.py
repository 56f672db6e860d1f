"""Conversations as the Conversations API tells them, read after an outage: the last 20 messages of each of the last 25.

Source: developers.facebook.com/documentation/business-messaging/messenger-platform/conversations and .../instagram-platform/.../conversations-api,
read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from careline.channels.base import Part
from careline.channels.meta import messaging
from careline.channels.meta.calling import Graph
from careline.channels.meta.messaging import Somebody
from careline.channels.meta.reading import Found, epoch, moment

TALKS: Final = "id,messages.limit(20){id,created_time,from,to,message}"


class _People(msgspec.Struct, frozen=True):
    data: tuple[Somebody, ...] = ()


class _Told(msgspec.Struct, frozen=True):
    id: str
    created_time: str
    message: str = ""
    sender: Somebody = msgspec.field(name="from", default=Somebody())
    to: _People = _People()


class _Messages(msgspec.Struct, frozen=True):
    data: tuple[_Told, ...] = ()


class _Talk(msgspec.Struct, frozen=True):
    messages: _Messages = _Messages()


class _Talks(msgspec.Struct, frozen=True):
    data: tuple[_Talk, ...] = ()


async def look(
    graph: Graph,
    account: str,
    platform: Literal["MESSENGER", "INSTAGRAM"],
    wrap: Callable[[msgspec.Raw, int], bytes],
) -> Found:
    """Messages as the webhook would have told them; `wrap` makes the network's own row. Raises ChannelError."""
    found = await graph.get(f"{account}/conversations", _Talks, fields=TALKS, limit="25", platform=platform)
    told = [one for talk in found.data for one in talk.messages.data if one.message]
    return [(moment(one.created_time), _part(one, account, wrap)) for one in told]


def _part(one: _Told, account: str, wrap: Callable[[msgspec.Raw, int], bytes]) -> Part:
    to = one.to.data[0] if one.to.data else Somebody(account)
    said = messaging.Message(mid=one.id, text=one.message, is_echo=one.sender.id == account)
    event = messaging.Event(one.sender, to, epoch(one.created_time) * 1000, said)
    raw = msgspec.Raw(msgspec.json.encode(event))
    return messaging.part_of(raw, account, wrap(raw, epoch(one.created_time)))
