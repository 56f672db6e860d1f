"""WhatsApp: one business number on the Cloud API."""

from __future__ import annotations

from collections.abc import Iterable

from careline.channels.base import (
    ChannelView,
    FileSource,
    Happening,
    Health,
    Introduced,
    MessageTemplate,
    Moderated,
    ModerationAct,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.meta.hooks import Entry
from careline.channels.meta.network import MetaNetwork
from careline.channels.meta.whatsapp import inbound, outbound, setup
from careline.channels.meta.whatsapp.rules import CAPABILITIES


class WhatsAppNetwork(MetaNetwork):
    """Messages of customers to a business number, and answers within 24 hours or by template."""

    slug = "whatsapp"
    name = "WhatsApp"
    icon = "message-circle"
    topic = setup.TOPIC
    fields = setup.FIELDS
    capabilities = CAPABILITIES

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def cut(self, entry: Entry) -> Iterable[Part]:
        return inbound.cut(entry)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        return await outbound.locate_file(address, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def templates(self, channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
        return await outbound.templates(channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)

    def address_problem(self, value: str) -> str:
        return outbound.address_problem(value)


NETWORK = WhatsAppNetwork()
