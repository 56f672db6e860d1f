"""Matrix: private rooms and communities of one account, read by /sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from careline.channels.base import (
    ChannelView,
    Fetched,
    FileSource,
    Happening,
    Health,
    Introduced,
    Moderated,
    ModerationAct,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.capabilities import Capabilities
from careline.channels.matrix import inbound, outbound, reading, rules, setup


class MatrixNetwork(Network):
    """The Client-Server API v1.18, as a plain client of the desk's own account."""

    slug = "matrix"
    name = "Matrix"
    icon = "messages-square"
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, tools)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.secrets.get("access_token"))

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part, channel)

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        return await setup.locate_file(address, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await outbound.show_typing(thread_key, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = MatrixNetwork()
