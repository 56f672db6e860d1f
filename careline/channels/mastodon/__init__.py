"""Mastodon, on any server: posts in public, mentions in private. See README.md."""

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
from careline.channels.capabilities import Capabilities
from careline.channels.mastodon import inbound, outbound, reading, rules, setup

__all__ = ["NETWORK"]


class MastodonNetwork(Network):
    """One account on one server: each method is one line into the room that does the work."""

    slug = "mastodon"
    name = "Mastodon"
    icon = "at-sign"
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, tools)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.setting("account_id"))

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, tools)

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        return await reading.find_changed(known, channel, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part, channel)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def look_up(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
        return await outbound.look_up(outgoing, channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = MastodonNetwork()
