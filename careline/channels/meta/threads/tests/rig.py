"""Threads' rig: deliveries in the shape of the one example that Meta's page shows, and a profile on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.meta.tests.rigging import SECRETS, channel_of, signed
from careline.channels.meta.threads import NETWORK
from careline.channels.meta.threads.tests.profile import OURS, PROFILE, REPLY, ROOT, ProfileApi

NAMES = {"marta": "marta.r", "otro": "otro", "us": "aurora.air"}


class ProfilePlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: ProfileApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(fault)

    def posted(self) -> list[str]:
        return list(self.api.posted)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        return Standing(OURS if ours else REPLY, ROOT, "marta.r")

    def vanish(self, platform_id: str) -> None:
        self.api.gone.add(platform_id)

    def done_to(self, platform_id: str) -> frozenset[str]:
        marks = (("hidden", self.api.hidden), ("deleted", self.api.deleted))
        return frozenset(name for name, many in marks if platform_id in many)

    def happen_unseen(self, words: Words) -> None:
        self.api.conversation.append(post_of(words))


class ProfileRig:
    network = NETWORK
    signed_headers = ("x-hub-signature-256",)

    def __init__(self) -> None:
        base = channel_of("threads", PROFILE, gap_check_s="60", api="http://127.0.0.1:9/v1.0")
        self.channel = msgspec.structs.replace(base, handle="@aurora.air")
        self.connection = ConnectionView(1, 1, "threads", SECRETS, {PROFILE: 7})

    def say(self, words: Words) -> bytes:
        return told("replies", post_of(words))

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        return None

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return told("hologram", {"id": "1"})

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return signed("threads", events[0], secret) if len(events) == 1 else None

    def fetch(self, event: bytes) -> Part:
        return self.network.split(signed("threads", event), self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(1, "key-1", attempt, surface or "reply", 1, ROOT, "marta.r", text, "human", reply_to=REPLY)

    @contextmanager
    def listening(self) -> Iterator[ProfilePlatform]:
        api = ProfileApi()
        try:
            yield ProfilePlatform(api, self.channel)
        finally:
            api.stop()
        assert api.complaints == [], "every request is as the documents show it"


def post_of(words: Words) -> dict[str, Any]:
    # Otro speaks elsewhere: the rules rename what they answer, and one name stands once.
    root = ROOT if (words.thread, words.author == "otro") == ("t1", False) else f"{ROOT}{len(words.author)}"
    return {
        "id": f"50{words.key}",
        "username": NAMES[words.author],
        "text": words.text,
        "media_type": "TEXT_POST",
        "permalink": f"https://www.threads.net/@marta.r/post/{words.key}",
        "timestamp": words.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "replied_to": {"id": root},
        "root_post": {"id": root, "owner_id": PROFILE, "username": "aurora.air"},
        "is_reply_owned_by_me": words.author == "us",
    }


def told(field: str, value: dict[str, Any]) -> bytes:
    """One event, as documentation/threads/webhooks shows it."""
    envelope = {
        "app_id": "4100",
        "topic": "moderate",
        "target_id": PROFILE,
        "time": int(datetime.now(UTC).timestamp()),
        "subscription_id": "234567",
        "has_uid_field": False,
        "values": {"value": value, "field": field},
    }
    return json.dumps(envelope).encode()
