"""Bluesky as the registry sees it: each method is one line into the room that does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from careline.channels.base import (
    ChannelView,
    Fetched,
    Happening,
    Health,
    Introduced,
    KnownMessage,
    Moderated,
    ModerationAct,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.bluesky import inbound, outbound, reading, rules, setup
from careline.channels.capabilities import Capabilities


class BlueskyNetwork(Network):
    """Posts, replies, quotes and direct messages of one account."""

    slug = "bluesky"
    name = "Bluesky"
    icon = "at-sign"
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, tools)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.secrets.get("access_jwt"))

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, tools)

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        return await reading.find_gone(known, channel, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part, channel)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def look_up(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
        return await outbound.look_up(outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = BlueskyNetwork()
