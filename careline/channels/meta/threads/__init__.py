"""Threads: one account's replies and mentions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Fetched,
    Happening,
    Health,
    HookRequest,
    Introduced,
    KnownMessage,
    Moderated,
    ModerationAct,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.meta import reading
from careline.channels.meta.network import MetaNetwork
from careline.channels.meta.threads import inbound, outbound, setup
from careline.channels.meta.threads.rules import CAPABILITIES


class ThreadsNetwork(MetaNetwork):
    """What is said under an account's posts and where it is mentioned."""

    slug = "threads"
    name = "Threads"
    icon = "at-sign"
    topic = "threads"
    fields = setup.FIELDS
    capabilities = CAPABILITIES

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return inbound.split(request.body, connection)

    def listens(self, channel: ChannelView) -> bool:
        return reading.gap_check_s(channel) > 0

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, inbound.look(tools))

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        return await inbound.find_gone(known, channel, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def look_up(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
        return await outbound.look_up(outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = ThreadsNetwork()
