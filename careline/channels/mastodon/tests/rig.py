"""Mastodon's rig: rows as the reader writes them, and a small Mastodon on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, KnownMessage, Outgoing, Part
from careline.channels.conformance import Words
from careline.channels.mastodon import NETWORK, reading, wire
from careline.channels.mastodon.tests.platform import (
    DOMAIN,
    MARTA,
    TOKEN,
    US,
    FakeMastodon,
    Json,
    number_of,
    stamp,
    status,
)
from careline.kit import clock

SECRETS = {"access_token": TOKEN}


def channel_view() -> ChannelView:
    """Aurora's account."""
    settings = {"server": "http://127.0.0.1:9", "domain": DOMAIN, "account_id": "1", "poll_s": 0.05}
    return ChannelView(0, 1, "mastodon", US, "Aurora", f"@{US}", settings, SECRETS)


def raw(found: Json) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(found))


class MastodonRig:
    """Marta answers a post of ours below her own complaint; otro speaks to nobody of us."""

    network = NETWORK
    signed_headers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.connection = ConnectionView(1, 1, "mastodon", SECRETS, {US: 7})
        self.channel = channel_view()

    def say(self, words: Words) -> bytes:
        return bytes(self._part(words).raw)

    def _part(self, words: Words) -> Part:
        status_id = number_of(words.key)
        if words.author == "otro":
            return reading.thread_parts([raw(status(status_id, "otro", words.text, words.at))], self.channel)[-1]
        root, above = number_of(words.thread), number_of(f"{words.thread}-above")
        begun = status(root, "marta", "my parcel is late", words.at, names=("us",))
        ours = status(above, "us", "sorry", words.at, names=("marta",), above=root)
        names = ("us",) if words.author == "marta" else ("marta",)
        said = status(status_id, words.author, words.text, words.at, names=names, above=above)
        return reading.thread_parts([raw(begun), raw(ours), raw(said)], self.channel)[-1]

    def edit(self, of: Words, text: str) -> bytes | None:
        changed = status(number_of(of.key), of.author, text, of.at, names=("us",), edited_at=stamp(clock.now()))
        return bytes(reading.edit_part(self._known(of), raw(changed), clock.now()).raw)

    def delete(self, of: Words) -> bytes | None:
        return bytes(reading.gone_part(self._known(of)).raw)

    @staticmethod
    def _known(of: Words) -> KnownMessage:
        return KnownMessage(number_of(of.key), number_of(of.thread), "reply")

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return msgspec.json.encode(wire.Row(kind="hologram", event=msgspec.Raw(b"{}")))

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        """The part as the reader cuts it, but for edits and deletions, whose thread the desk knows."""
        row = msgspec.json.decode(event, type=wire.Row)
        if row.kind == "hologram":
            return Part("", "hologram", "hologram", event)
        found = msgspec.json.decode(row.event)
        thread = row.root.id if row.root else found["id"] if row.kind == "post" else number_of("t1")
        return Part("", f"{row.kind}:{found['id']}", thread, event)

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
            thread_key=f"direct:{MARTA}" if chosen == "dm" else number_of("t1"),
            recipient=MARTA,
            text=text,
            author_kind="human",
            reply_to="" if chosen == "dm" else number_of("t1"),
        )

    @contextmanager
    def listening(self) -> Iterator[FakeMastodon]:
        platform = FakeMastodon(self.channel)
        try:
            yield platform
        finally:
            platform.stop()
