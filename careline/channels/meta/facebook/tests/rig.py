"""A Page's rig: deliveries as Meta's references show them, and a Page on loopback.

Marta and Otro comment under a post of the Page; Messenger's own events have tests of their own beside this.
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
from careline.channels.meta.facebook import NETWORK
from careline.channels.meta.facebook.tests.page import MARTA, NAMELESS, OTRO, PAGE, POST, PageApi
from careline.channels.meta.tests.rigging import SECRETS, channel_of, envelope, signed

_WORDS = itertools.count(1)
SECOND = "100200999"
PEOPLE = {"marta": {"id": MARTA, "name": "Marta Ruiz"}, "otro": {"id": OTRO, "name": "Otro"}}
# Otro speaks elsewhere: one unknown outcome would hold what waits in the same thread.
_POSTS = {("marta", "t1"): 0, ("us", "t1"): 0, ("otro", "t1"): 3}
THREADS = {"comment": POST, "post": f"{PAGE}_901", "dm": MARTA}


class PagePlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: PageApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(fault)

    def posted(self) -> list[str]:
        return list(self.api.posted)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        name = {"comment": "900_31" if ours else "900_30", "post": f"{PAGE}_901", "dm": "m_30"}[surface]
        return Standing(name, THREADS[surface], MARTA)

    def commented(self) -> Standing:
        return self.standing("comment", ours=False)

    def done_to(self, platform_id: str) -> frozenset[str]:
        marks = (("hidden", self.api.hidden), ("liked", self.api.liked), ("deleted", self.api.deleted))
        changed = {"edited"} if platform_id in self.api.edited else set()
        return frozenset(name for name, many in marks if platform_id in many) | changed

    def stranger(self, surface: str) -> bytes:
        number = next(_WORDS)
        return talk(NAMELESS, at=1_790_000_000_000 + number, message={"mid": f"m_shy{number}", "text": "hola"})

    def called(self, surface: str) -> str:
        return "Marta Ruiz"

    def names_asked(self) -> int:
        return len(self.api.asked_names)

    def plan_naming(self, fault: Fault) -> None:
        self.api.name_faults.append(fault)

    def happen_unseen(self, words: Words) -> None:
        self.api.comment(words.key, words.text, PEOPLE["marta"], words.at)


class PageRig:
    network = NETWORK
    signed_headers = ("x-hub-signature-256",)

    def __init__(self) -> None:
        self.channel = channel_of("facebook", PAGE, gap_check_s="600", human_agent=True)
        self.connection = ConnectionView(1, 1, "facebook", SECRETS, {PAGE: 7, SECOND: 8})

    def say(self, words: Words) -> bytes:
        return self._about(words, "add", message=words.text)

    def edit(self, of: Words, text: str) -> bytes | None:
        return self._about(of, "edited", message=text, later=5)

    def delete(self, of: Words) -> bytes | None:
        return self._about(of, "remove", later=9)

    def _about(self, words: Words, verb: str, *, later: int = 0, **more: Any) -> bytes:
        page = SECOND if words.account else PAGE
        post = f"{page}_90{_POSTS.get((words.author, words.thread), 2)}"
        who = {"id": page, "name": "Aurora Air"} if words.author == "us" else PEOPLE[words.author]
        at = int(words.at.timestamp())
        return feed(
            page,
            at + later,
            item="comment",
            verb=verb,
            comment_id=f"900_{words.key}",
            post_id=post,
            parent_id=post,
            created_time=at,
            post={"id": post, "permalink_url": f"https://www.facebook.com/{post}"},
            **{"from": who},
            **more,
        )

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        """Reading is told as a moment in a conversation: here the one the rule queued in."""
        if state == "delivered":
            return talk(delivery={"mids": [platform_id], "watermark": 1_900_000_000_000})
        if state == "read":
            return talk(POST, read={"watermark": 1_900_000_000_000})
        return None

    def novelty(self) -> bytes | None:
        return feed(PAGE, 1_790_000_000, item="hologram", verb="add", post_id=POST)

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        entries = [entry for event in events for entry in json.loads(event)["entry"]]
        return signed("facebook", envelope("page", entries), secret)

    def fetch(self, event: bytes) -> Part:
        return self.network.split(signed("facebook", event), self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"instagram","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "dm"
        reply = "" if chosen == "dm" else "900_30"
        return Outgoing(1, "key-1", attempt, chosen, 1, THREADS[chosen], MARTA, text, "human", reply_to=reply)

    @contextmanager
    def listening(self) -> Iterator[PagePlatform]:
        api = PageApi()
        try:
            yield PagePlatform(api, self.channel)
        finally:
            api.stop()
        assert api.complaints == [], "every request is as Meta describes it"


def feed(page: str, at: int, *, field: str = "feed", **value: Any) -> bytes:
    """A delivery with one change of the public side."""
    return envelope("page", [{"id": page, "time": at, "changes": [{"field": field, "value": value}]}])


def talk(who: str = MARTA, *, by_page: bool = False, at: int = 1_790_000_000_000, **event: Any) -> bytes:
    """A delivery with one event of a conversation."""
    ends = ({"id": PAGE}, {"id": who}) if by_page else ({"id": who}, {"id": PAGE})
    told = {"sender": ends[0], "recipient": ends[1], "timestamp": at, **event}
    return envelope("page", [{"id": PAGE, "time": at, "messaging": [told]}])
