"""The e-mail network as the registry sees it: each method is one line into the room that does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Fetched,
    Happening,
    Health,
    HookRequest,
    Network,
    Outgoing,
    Part,
    Sent,
    Tools,
)
from careline.channels.capabilities import Capabilities, Limit
from careline.channels.email import checking, inbound, outbound, pushing, reading, setup
from careline.channels.email.headers import parse_address


class EmailNetwork(Network):
    """A mailbox."""

    slug = "email"
    name = "E-mail"
    icon = "mail"
    fields = setup.FIELDS
    capabilities = setup.CAPABILITIES

    def effective(self, channel: ChannelView) -> Capabilities:
        """The declared ones with this account's own sending limit."""
        text = channel.setting("send_per_minute")
        if not text.isdigit() or int(text) in {0, setup.DEFAULT_PER_MINUTE}:
            return self.capabilities
        limits = (Limit("account", int(text), 60), *self.capabilities.outbound.limits[1:])
        return msgspec.structs.replace(
            self.capabilities, outbound=msgspec.structs.replace(self.capabilities.outbound, limits=limits)
        )

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        pushing.verify(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return pushing.split(request, connection)

    def listens(self, channel: ChannelView) -> bool:
        return bool(channel.setting("imap_host"))

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        return reading.listen(channel, cursor, tools)

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part, channel)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return await outbound.send(outgoing, channel, tools)

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        return await checking.check(channel, tools)

    def address_problem(self, value: str) -> str:
        return "" if parse_address(value) is not None else "address_wrong"


NETWORK = EmailNetwork()
