"""X as the registry sees it: each method is one line into the room that does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Fetched,
    FileSource,
    Happening,
    Health,
    HookAnswer,
    HookRequest,
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
from careline.channels.x import inbound, linking, outbound, reading, rules, setup


class XNetwork(Network):
    """Posts, replies, quotes and direct messages of one account."""

    slug = "x"
    name = "X"
    icon = "hash"
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        inbound.check_signature(request, connection)

    def answer_challenge(self, request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
        return inbound.answer_challenge(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return inbound.split(request.body, connection)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.secrets.get("access_token"))

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, tools)

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        return await reading.recheck(known, channel, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        return await setup.locate_file(address, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    def private_link(self, channel: ChannelView, thread_id: int) -> str:
        return linking.link_for(thread_id, channel)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = XNetwork()
