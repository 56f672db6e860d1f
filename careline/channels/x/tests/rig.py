"""X's rig: deliveries as the X Activity API writes them, and an X on loopback."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.x import NETWORK
from careline.channels.x.inbound import SIGNATURE
from careline.channels.x.tests import x_api
from careline.channels.x.tests.x_api import MARTA, OTRO, US, Json, XApi

SECRETS = {
    "client_secret": x_api.CLIENT_SECRET,
    "access_token": "access-1",
    "refresh_token": "refresh-1",
    "app_bearer": x_api.BEARER,
    "consumer_secret": x_api.CONSUMER_SECRET,
}
_PEOPLE = {"marta": MARTA, "otro": OTRO, "us": US}
_ROOT, _OURS, _PRIVATE = "2080000000000000000", "2080000000000000002", "2080000000000000009"
_STANDING = {"post": "2080000000000000001", "comment": "2080000000000000003"}
_THREADS = {"post": _STANDING["post"], "comment": _ROOT, "dm": f"dm:{MARTA}"}


def channel_view(**settings: object) -> ChannelView:
    """Aurora's account, its API nowhere."""
    known = {
        "client_id": x_api.CLIENT_ID,
        "api": "http://127.0.0.1:9",
        "poll_s": "0.05",
        "webhook_id": "42",
        **settings,
    }
    return ChannelView(7, 1, "x", US, "Aurora Air", "@AuroraAir", known, SECRETS, signing_key=b"k" * 32)


class XPlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: XApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})
        for surface, post_id in _STANDING.items():
            more = {"names": (US,), "conversation_id": _THREADS[surface]}
            self.api.posts[post_id] = x_api.post(int(post_id), "@AuroraAir hello", MARTA, datetime.now(UTC), **more)

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(fault)

    def posted(self) -> list[str]:
        return self.api.posted

    def standing(self, surface: str, *, ours: bool) -> Standing:
        theirs = _STANDING.get(surface, _PRIVATE)
        return Standing(_OURS if ours else theirs, _THREADS[surface], MARTA)

    def done_to(self, platform_id: str) -> frozenset[str]:
        api = self.api
        sets = (("hidden", api.hidden), ("liked", api.liked), ("deleted", api.deleted))
        return frozenset(name for name, those in sets if platform_id in those)

    def vanish(self, platform_id: str) -> None:
        self.api.deleted.add(platform_id)

    def happen_unseen(self, words: Words) -> None:
        told = XRig().post(words)
        told = {**told, "id": str(self.api.next_number())}
        told = {**told, "edit_history_tweet_ids": [told["id"]]}
        self.api.posts[told["id"]] = told
        self.api.mentions.append(told["id"])

    def followed(self, link: str) -> bytes:
        text = parse_qs(urlsplit(link).query)["text"][0]
        return json.dumps(x_api.private(7_000_001, f"{text}My bag is blue", MARTA, datetime.now(UTC))).encode()


class XRig:
    """Marta answers a post of ours, which names us; otro speaks in a conversation of his own and names nobody."""

    network = NETWORK
    signed_headers = (SIGNATURE,)

    def __init__(self) -> None:
        self.connection = ConnectionView(1, 1, "x", SECRETS, {US: 7})
        self.channel = channel_view()

    def post(self, words: Words) -> Json:
        thread = str(2_070_000_000_000_000_000 + zlib.crc32(f"{words.thread}{words.author == 'otro'}".encode()))
        more: Json = {"conversation_id": thread}
        if words.author == "marta":
            answered = {"in_reply_to_user_id": US, "referenced_tweets": [{"type": "replied_to", "id": thread}]}
            more |= {"names": (US,), "display_text_range": [0, len(words.text)], **answered}
        return x_api.post(_number(words.key), words.text, _PEOPLE[words.author], words.at, **more)

    def say(self, words: Words) -> bytes:
        kind = "post.create" if words.author == "us" else "post.mention.create"
        users = [x_api.user(_PEOPLE[words.author])]
        return json.dumps(x_api.event(kind, self.post(words), uuid=words.key, users=users)).encode()

    def edit(self, of: Words, text: str) -> bytes | None:
        number = _number(of.key)
        versions = [str(number), str(number + 1)]
        changed = {**self.post(of), "id": versions[1], "text": text, "edit_history_tweet_ids": versions}
        return json.dumps(x_api.event("post.mention.create", changed, users=[x_api.user(MARTA)])).encode()

    def delete(self, of: Words) -> bytes | None:
        return None

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        if state != "read":
            return None
        seen = {"created_timestamp": "1795334400000", "sender_id": MARTA, "target": {"recipient_id": US}}
        payload = {"direct_message_mark_read_events": [{**seen, "last_read_event_id": platform_id}]}
        return json.dumps(x_api.event("dm.read", payload)).encode()

    def novelty(self) -> bytes | None:
        return json.dumps(x_api.event("hologram.opened", {"id": "1"})).encode()

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        if len(events) != 1:
            return None
        mark = x_api.signature(events[0], secret or x_api.CONSUMER_SECRET)
        return HookRequest("POST", "/hooks/x/t", {SIGNATURE: mark}, events[0])

    def fetch(self, event: bytes) -> Part:
        request = self.deliver([event])
        assert request is not None
        return self.network.split(request, self.connection)[0]

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
            thread_key=_THREADS[chosen],
            recipient=MARTA,
            text=text,
            author_kind="human",
            reply_to=_STANDING.get(chosen, ""),
        )

    @contextmanager
    def listening(self) -> Iterator[XPlatform]:
        api = XApi()
        try:
            yield XPlatform(api, self.channel)
        finally:
            api.stop()
        assert not api.complaints, f"{api.complaints}: every request is as X's own description says"


def _number(key: str) -> int:
    return 2_080_000_000_000_000_000 + 10 * zlib.crc32(key.encode())
