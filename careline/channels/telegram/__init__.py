"""Telegram: a bot in private chats, in groups, under channel posts, and in the chats of connected business accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Fetched,
    FileSource,
    Happening,
    Health,
    HookRequest,
    Introduced,
    Moderated,
    ModerationAct,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.telegram import inbound, linking, outbound, setup
from careline.channels.telegram.rules import CAPABILITIES


class TelegramNetwork(Network):
    """The Bot API 10.1, by webhook or by long polling, at Telegram's or at a server of one's own."""

    slug = "telegram"
    name = setup.NAME
    icon = "send"
    fields = setup.FIELDS
    capabilities = CAPABILITIES

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        inbound.check_secret(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return inbound.split(request.body, connection)

    def listens(self, channel: ChannelView) -> bool:
        return setup.polls(channel)

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return inbound.listen(channel, cursor, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        return await inbound.locate_file(address, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await outbound.show_typing(thread_key, channel, tools)

    def private_link(self, channel: ChannelView, thread_id: int) -> str:
        return linking.link_for(thread_id, channel)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = TelegramNetwork()
