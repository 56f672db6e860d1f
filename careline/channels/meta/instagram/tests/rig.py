"""Instagram's rig: deliveries as Meta's references show them, and an account on loopback.

Marta writes in private, where taking back is told; Otro comments in public.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.meta.instagram import NETWORK
from careline.channels.meta.instagram.rules import HEART
from careline.channels.meta.instagram.tests.account import (
    ACCOUNT,
    COMMENT,
    MARTA,
    MEDIA,
    NAMELESS,
    OTRO,
    OURS,
    THEIRS,
    AccountApi,
)
from careline.channels.meta.tests.rigging import SECRETS, channel_of, envelope, signed

_WORDS = itertools.count(1)
SECOND = "17841400000000002"
THREADS = {"comment": MEDIA, "mention": MEDIA, "dm": MARTA}


class AccountPlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: AccountApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(fault)

    def posted(self) -> list[str]:
        return list(self.api.posted)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        public = OURS if ours else COMMENT
        return Standing("aWdf30" if surface == "dm" else public, THREADS[surface], MARTA)

    def commented(self) -> Standing:
        return self.standing("comment", ours=False)

    def vanish(self, platform_id: str) -> None:
        self.api.gone.add(platform_id)

    def done_to(self, platform_id: str) -> frozenset[str]:
        marks = (("hidden", self.api.hidden), ("deleted", self.api.deleted))
        loved = {HEART} if self.api.reactions.get(platform_id) == "love" else set()
        return frozenset(name for name, many in marks if platform_id in many) | loved

    def stranger(self, surface: str) -> bytes:
        number = next(_WORDS)
        if surface == "mention":
            return mention(f"1790000000000{number:04d}")
        return talk(NAMELESS, at=1_790_000_000_000 + number, message={"mid": f"aWdfshy{number}", "text": "hola"})

    def called(self, surface: str) -> str:
        return "@otro.mas" if surface == "mention" else "@marta.r"

    def names_asked(self) -> int:
        return len(self.api.asked_names)

    def plan_naming(self, fault: Fault) -> None:
        self.api.name_faults.append(fault)

    def happen_unseen(self, words: Words) -> None:
        self.api.comment(words.key, words.text, {"id": MARTA, "username": "marta.r"}, words.at)


class AccountRig:
    network = NETWORK
    signed_headers = ("x-hub-signature-256",)

    def __init__(self) -> None:
        self.channel = channel_of("instagram", ACCOUNT, gap_check_s="600", human_agent=True)
        self.connection = ConnectionView(1, 1, "instagram", SECRETS, {ACCOUNT: 7, SECOND: 8})

    def say(self, words: Words) -> bytes:
        if words.author == "otro":
            return comment(words.key, words.text, int(words.at.timestamp()))
        told: dict[str, Any] = {"mid": f"aWdf{words.key}", "text": words.text}
        if words.author == "us":
            told |= {"is_echo": True, **({"metadata": words.client_key} if words.client_key else {})}
        return self._talk(words, message=told)

    def edit(self, of: Words, text: str) -> bytes | None:
        return self._talk(of, later=5, message_edit={"mid": f"aWdf{of.key}", "text": text, "num_edit": 1})

    def delete(self, of: Words) -> bytes | None:
        return self._talk(of, later=9, message={"mid": f"aWdf{of.key}", "is_deleted": True})

    def _talk(self, words: Words, *, later: int = 0, **event: Any) -> bytes:
        who = MARTA if words.thread == "t1" else f"{MARTA}0"
        at = (int(words.at.timestamp()) + later) * 1000
        account = SECOND if words.account else ACCOUNT
        return talk(who, by_us=words.author == "us", at=at, account=account, **event)

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return talk(MARTA, read={"mid": platform_id}) if state == "read" else None

    def novelty(self) -> bytes | None:
        return envelope("instagram", [{"id": ACCOUNT, "time": 1, "changes": [{"field": "hologram", "value": {}}]}])

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        entries = [entry for event in events for entry in json.loads(event)["entry"]]
        return signed("instagram", envelope("instagram", entries), secret)

    def fetch(self, event: bytes) -> Part:
        return self.network.split(signed("instagram", event), self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "dm"
        reply = "" if chosen == "dm" else COMMENT
        return Outgoing(1, "key-1", attempt, chosen, 1, THREADS[chosen], MARTA, text, "human", reply_to=reply)

    @contextmanager
    def listening(self) -> Iterator[AccountPlatform]:
        api = AccountApi()
        try:
            yield AccountPlatform(api, self.channel)
        finally:
            api.stop()
        assert api.complaints == [], "every request is as Meta describes it"


def comment(key: str, text: str, at: int, **more: Any) -> bytes:
    """A comment as an app with Instagram's own login is told of it: on the entry itself."""
    value = {
        "id": f"1790{key}",
        "from": {"id": OTRO, "username": "otro"},
        "text": text,
        "media": {"id": MEDIA, "media_product_type": "FEED"},
        **more,
    }
    return envelope("instagram", [{"id": ACCOUNT, "time": at, "field": "comments", "value": value}])


def talk(
    who: str = MARTA, *, by_us: bool = False, at: int = 1_790_000_000_000, account: str = ACCOUNT, **event: Any
) -> bytes:
    """One event of a conversation."""
    ends = ({"id": account}, {"id": who}) if by_us else ({"id": who}, {"id": account})
    told = {"sender": ends[0], "recipient": ends[1], "timestamp": at, **event}
    return envelope("instagram", [{"id": account, "time": at, "messaging": [told]}])


def mention(comment_id: str = "") -> bytes:
    """Somebody named the account in a comment, or else in the caption, of their own media."""
    named = {"comment_id": comment_id} if comment_id else {}
    value = {"media_id": THEIRS, **named}
    return envelope("instagram", [{"id": ACCOUNT, "time": 1_790_000_000, "field": "mentions", "value": value}])
