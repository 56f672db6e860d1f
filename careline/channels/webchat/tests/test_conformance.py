"""Web chat keeps every rule: nothing is pushed to it, and nothing it sends crosses a wire that could break."""

from __future__ import annotations

import msgspec
import pytest

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import ChannelConformance, Words
from careline.channels.webchat import NETWORK, inbound
from careline.channels.webchat.tests.building import SITE, channel
from careline.channels.webchat.visitors import Visitor
from careline.channels.webchat.wire import Arrived, Spoken
from careline.kit import clock


class WebChatRig:
    """The platform is our own door: what it journals is what the network reads."""

    network = NETWORK
    signed_headers = ()

    def __init__(self) -> None:
        self.channel = channel()
        self.connection = ConnectionView(1, 7, "webchat", {}, {"chat": 5})

    def say(self, words: Words) -> bytes:
        return msgspec.json.encode(
            Spoken(words.thread, f"client-{words.key:0>4}", words.text, words.at, name=words.author.title())
        )

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        return None

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        if state not in {"delivered", "read"}:
            return None
        return msgspec.json.encode(Arrived("t1", platform_id, state, clock.now()))

    def novelty(self) -> bytes | None:
        return b'{"type":"hologram"}'

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        kind = msgspec.json.decode(event)["type"]
        if kind == "spoken":
            spoken = msgspec.json.decode(event, type=Spoken)
            return inbound.part_of_spoken(spoken, self.channel, Visitor(spoken.visitor, SITE))
        if kind == "arrived":
            arrived = msgspec.json.decode(event, type=Arrived)
            return inbound.part_of_arrival(arrived, self.channel, Visitor(arrived.visitor, SITE))
        return Part("chat", "novelty", "visitor:t1", event)

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(1, "key-1", attempt, surface or "chat", 1, "visitor:t1", "visitor:t1", text, "human")

    def listening(self) -> None:
        return None


class TestWebChatConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> WebChatRig:
        return WebChatRig()
