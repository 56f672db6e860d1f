"""Bluesky's rig: rows as the reader writes them, and a small Bluesky on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, KnownMessage, Outgoing, Part
from careline.channels.bluesky import NETWORK, reading, wire
from careline.channels.bluesky.tests.platform import (
    CONVO,
    MARTA,
    OTRO,
    PASSWORD,
    US,
    FakeBluesky,
    Json,
    post_view,
    record,
    uri_of,
)
from careline.channels.conformance import Words

SECRETS = {"app_password": PASSWORD, "access_jwt": "access-1", "refresh_jwt": "refresh-1"}
_PEOPLE = {"marta": MARTA, "otro": OTRO, "us": US}


def channel_view() -> ChannelView:
    """Aurora's account."""
    settings = {"handle": "aurora.test", "server": "http://127.0.0.1:9", "pds": "http://127.0.0.1:9", "poll_s": 0.05}
    return ChannelView(0, 1, "bluesky", US, "Aurora", "@aurora.test", settings, SECRETS)


class BlueskyRig:
    """Marta answers a post of ours below her own complaint; otro speaks to nobody of us."""

    network = NETWORK
    signed_headers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.connection = ConnectionView(1, 1, "bluesky", SECRETS, {US: 7})
        self.channel = channel_view()

    def say(self, words: Words) -> bytes:
        if words.author == "otro":
            return self._row(words, record(words.text, words.at))
        root = uri_of(MARTA, f"3k{words.thread}")
        parent = uri_of(US if words.author == "marta" else MARTA, "3kabove")
        return self._row(words, record(words.text, words.at, root=root, parent=parent))

    def _row(self, words: Words, said: Json) -> bytes:
        view = post_view(self._uri(words), said, words.at)
        return msgspec.json.encode(wire.Row("post", msgspec.Raw(msgspec.json.encode(view))))

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        known = KnownMessage(self._uri(of), uri_of(MARTA, f"3k{of.thread}"), "reply")
        return bytes(reading.gone_part(known).raw)

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return msgspec.json.encode(wire.Row("hologram", msgspec.Raw(b"{}")))

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        row = msgspec.json.decode(event, type=wire.Row)
        if row.kind == "gone":
            return reading.gone_part(
                KnownMessage(msgspec.json.decode(row.event)["uri"], uri_of(MARTA, "3kt1"), "reply")
            )
        if row.kind != "post":
            return Part("", "hologram", "hologram", event)
        view = msgspec.json.decode(row.event, type=wire.PostView)
        root = view.record.reply.root.uri if view.record.reply else view.uri
        return Part("", f"post:{view.uri}", root, event)

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "post"
        return Outgoing(
            delivery_id=1,
            idempotency_key="key-1",
            attempt=attempt,
            surface=chosen,
            thread_id=1,
            thread_key=CONVO if chosen == "dm" else uri_of(MARTA, "3kt1"),
            recipient=MARTA,
            text=text,
            author_kind="human",
            reply_to="" if chosen == "dm" else uri_of(MARTA, "3kt1"),
        )

    @contextmanager
    def listening(self) -> Iterator[FakeBluesky]:
        platform = FakeBluesky(self.channel)
        try:
            yield platform
        finally:
            platform.stop()

    @staticmethod
    def _uri(words: Words) -> str:
        return uri_of(_PEOPLE[words.author], f"3k{words.key}")
