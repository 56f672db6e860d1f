"""The generic network as the registry sees it: each method is one line into the room that does the work."""

from __future__ import annotations

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Happening,
    Health,
    HookRequest,
    Moderated,
    ModerationAct,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.generic import inbound, outbound, setup


class GenericNetwork(Network):
    """Any program that can sign a request."""

    slug = "generic"
    name = "API"
    icon = "plug"
    fields = setup.FIELDS
    capabilities = setup.CAPABILITIES

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        inbound.verify(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return inbound.split(request, connection)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await outbound.show_typing(thread_key, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await outbound.check(channel, tools)


NETWORK = GenericNetwork()
