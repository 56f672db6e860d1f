"""Instagram: one professional account, its comments, mentions and direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from careline.channels.base import (
    AuthorFacts,
    ChannelView,
    Fetched,
    Happening,
    Health,
    Introduced,
    KnownMessage,
    Moderated,
    ModerationAct,
    Outgoing,
    Part,
    Sent,
    Tools,
    UnnamedAuthor,
)
from careline.channels.capabilities import Capabilities
from careline.channels.meta import messaging, reading
from careline.channels.meta.hooks import Entry
from careline.channels.meta.instagram import inbound, naming, outbound, rules, setup
from careline.channels.meta.network import MetaNetwork


class InstagramNetwork(MetaNetwork):
    """What is said under an account's posts, where it is mentioned, and to it in private."""

    slug = "instagram"
    name = "Instagram"
    icon = "image"
    topic = "instagram"
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def cut(self, entry: Entry) -> Iterable[Part]:
        return inbound.cut(entry)

    def listens(self, channel: ChannelView) -> bool:
        return reading.gap_check_s(channel) > 0

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, inbound.look(tools))

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        return await inbound.find_gone(known, channel, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        return await naming.who_is(author, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await messaging.show_typing(thread_key, channel, setup.graph_of(channel, tools))

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = InstagramNetwork()
