"""Facebook: one Page, its comments, mentions and Messenger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

from careline.channels.base import (
    AuthorFacts,
    ChannelView,
    Fetched,
    Happening,
    Health,
    Introduced,
    Moderated,
    ModerationAct,
    Outgoing,
    Part,
    Sent,
    Tools,
    UnnamedAuthor,
)
from careline.channels.capabilities import Capabilities
from careline.channels.meta import messaging, profiles
from careline.channels.meta import reading as gaps
from careline.channels.meta.calling import Graph
from careline.channels.meta.facebook import inbound, outbound, reading, rules, setup
from careline.channels.meta.hooks import Entry
from careline.channels.meta.network import MetaNetwork


class FacebookNetwork(MetaNetwork):
    """What is said under a Page's posts, on its wall and to it in private."""

    slug = "facebook"
    name = "Facebook"
    icon = "messages-square"
    topic = setup.TOPIC
    fields = setup.FIELDS
    capabilities = rules.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        return rules.effective(channel)

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        return await setup.introduce(channel, hook_url, tools)

    def cut(self, entry: Entry) -> Iterable[Part]:
        return inbound.cut(entry)

    def listens(self, channel: ChannelView) -> bool:
        return gaps.gap_check_s(channel) > 0

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return gaps.listen(channel, cursor, reading.look(tools))

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        return await profiles.profile(author.key, profiles.MESSENGER, Graph(channel, tools))

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await messaging.show_typing(thread_key, channel, Graph(channel, tools))

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = FacebookNetwork()
