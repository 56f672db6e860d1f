"""The simulated network: a platform with everything real ones do, for the demo, practice, load and crash tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec

from careline.channels.base import (
    AuthorFacts,
    ChannelView,
    ConnectionView,
    Fetched,
    Happening,
    Health,
    HookAnswer,
    HookRequest,
    MessageTemplate,
    Moderated,
    ModerationAct,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
    UnnamedAuthor,
)
from careline.channels.capabilities import Capabilities
from careline.channels.simulated import inbound, outbound, setup
from careline.channels.simulated.rules import CAPABILITIES, OUTBOUND, with_templates, without_repeating


class SimulatedNetwork(Network):
    """Public posts, comments, replies and direct messages, on a platform that exists only in `careline.simulator`."""

    slug = "simulated"
    name = setup.NAME
    icon = "simulated"
    fields = setup.FIELDS
    capabilities = CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        """What follows an unknown outcome is the account's own setting, so that every rule can be exercised."""
        sending = setup.sending(channel)
        surfaces = self.capabilities.surfaces
        if sending == "never_retry":
            surfaces = tuple(without_repeating(surface) for surface in surfaces)
        if setup.wants_templates(channel):
            surfaces = tuple(with_templates(surface) for surface in surfaces)
        return msgspec.structs.replace(self.capabilities, outbound=OUTBOUND[sending], surfaces=surfaces)

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        inbound.check_signature(request, connection)

    def answer_challenge(self, request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
        return inbound.answer_challenge(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return inbound.split(request.body, frozenset(connection.accounts))

    def listens(self, channel: ChannelView) -> bool:
        return setup.gap_check_s(channel) > 0

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return inbound.listen(channel, cursor, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part.raw, channel)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        return await inbound.who_is(author, channel, tools)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def look_up(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
        return await outbound.look_up(outgoing, channel, tools)

    async def templates(self, channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
        return await outbound.templates(channel, tools)

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        await outbound.edit(platform_id, outgoing, channel, tools)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        return await outbound.moderate(act, channel, tools)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        await outbound.show_typing(thread_key, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await setup.check(channel, tools)


NETWORK = SimulatedNetwork()
