"""RSS and Atom: blogs, forums and complaint sites, read from their feeds. Answers are given on the page itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from careline.channels.base import (
    ChannelError,
    ChannelView,
    Fetched,
    Happening,
    Health,
    Introduced,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.feed import inbound, listening, setup
from careline.channels.feed.rules import CAPABILITIES


class FeedNetwork(Network):
    """Any number of feeds, RSS 0.9x to 2.0, Atom 1.0 and JSON Feed, as one channel."""

    slug = "feed"
    name = setup.NAME
    icon = "radio-tower"
    fields = setup.FIELDS
    capabilities = CAPABILITIES

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, tools)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.setting("feeds").strip())

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return listening.listen(channel, cursor, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        raise ChannelError("no_answer_here", "A feed is only read. Answer on the page itself.", permanent=True)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = FeedNetwork()
