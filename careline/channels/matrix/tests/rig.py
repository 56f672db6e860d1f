"""Matrix's rig: rows as the reader writes them, and a small homeserver on loopback.

Marta speaks with us alone in one room; Otro is a bystander in a public one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Words
from careline.channels.matrix import NETWORK, wire
from careline.channels.matrix.inbound import MARK
from careline.channels.matrix.tests.homeserver import DM, GROUP, MARTA, OTRO, TOKEN, US, Homeserver, event_of

SECRETS = {"access_token": TOKEN, "password": ""}
_PEOPLE = {"marta": MARTA, "otro": OTRO, "us": US}
Json = dict[str, Any]


def channel_view() -> ChannelView:
    """The desk's account."""
    settings = {"homeserver": "http://127.0.0.1:9", "base_url": "http://127.0.0.1:9", "media": "client/v1/media"}
    return ChannelView(7, 1, "matrix", US, "Aurora", US, settings, SECRETS, brand_name="Aurora Air")


def room_of(words: Words) -> wire.Room:
    if words.author == "otro":
        return wire.Room(GROUP, "Aurora travellers", 3)
    return wire.Room(DM if words.thread == "t1" else f"!{words.thread}:air.test", people=2, is_private=True)


def row_of(event: Json, room: wire.Room, *, name: str = "Marta Ruiz", above: str = "") -> bytes:
    return msgspec.json.encode(wire.Row("event", room, msgspec.Raw(json.dumps(event).encode()), name, above))


class MatrixRig:
    network = NETWORK
    signed_headers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.connection = ConnectionView(1, 1, "matrix", SECRETS, {US: 7})
        self.channel = channel_view()

    def say(self, words: Words) -> bytes:
        more = {"unsigned": {"age": 1, "transaction_id": MARK + words.client_key}} if words.client_key else {}
        return self._row(words, {"msgtype": "m.text", "body": words.text}, **more)

    def _row(
        self, words: Words, content: Json, *, suffix: str = "", kind: str = "m.room.message", **more: Any
    ) -> bytes:
        sender, at_ms = _PEOPLE[words.author], int(words.at.timestamp() * 1000)
        event = event_of(f"${words.key}{suffix}", sender, content, at_ms=at_ms, kind=kind, **more)
        return row_of(event, room_of(words), above=sender)

    def edit(self, of: Words, text: str) -> bytes | None:
        change = {"rel_type": "m.replace", "event_id": f"${of.key}"}
        new = {"msgtype": "m.text", "body": text}
        return self._row(of, {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": change}, suffix="-edit")

    def delete(self, of: Words) -> bytes | None:
        return self._row(of, {"redacts": f"${of.key}"}, suffix="-gone", kind="m.room.redaction")

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        if state != "read":
            return None
        room = wire.Room(DM, people=2, is_private=True)
        return msgspec.json.encode(wire.Row("read", room, target=platform_id, at_ms=1_790_000_000_000))

    def novelty(self) -> bytes | None:
        event = event_of("$hologram", MARTA, {"body": "?"}, at_ms=1, kind="m.hologram")
        return row_of(event, wire.Room(DM, people=2, is_private=True))

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        row = msgspec.json.decode(event, type=wire.Row)
        named = (
            msgspec.json.decode(row.event, type=wire.Event).event_id if row.kind == "event" else f"read:{row.target}"
        )
        return Part("", named, row.room.id, event)

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "dm"
        return Outgoing(
            delivery_id=1,
            idempotency_key="key-1",
            attempt=attempt,
            surface=chosen,
            thread_id=1,
            thread_key=f"{DM}/dm" if chosen == "dm" else GROUP,
            recipient=MARTA,
            text=text,
            author_kind="human",
            reply_to="" if chosen == "dm" else "$group-theirs",
        )

    @contextmanager
    def listening(self) -> Iterator[Homeserver]:
        platform = Homeserver(self.channel)
        try:
            yield platform
        finally:
            platform.stop()
