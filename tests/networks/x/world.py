"""An X of the tests' own as its people see it: what they say is delivered signed, and stands in the lists. Each request and each answer is
held against X's own description (careline/channels/x/tests).
"""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from careline.channels.x.tests import x_api
from careline.channels.x.tests.x_api import MARTA, OTRO, US, Json, XApi

__all__ = ["MARTA", "OTRO", "US", "World", "until"]
HANDLE = "@AuroraAir"


def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "X never saw it"
        time.sleep(0.05)


class World:
    """One app with the account of a brand."""

    def __init__(self) -> None:
        self.api = XApi()
        self.api.knock = self._knock

    def stop(self) -> None:
        self.api.stop()
        assert self.api.complaints == []

    @property
    def address(self) -> str:
        return self.api.address

    # people

    def says(self, who: str, text: str, **more: Any) -> str:
        """A post that names the brand where its text does. Gives its id."""
        number = self.api.next_number()
        names = (US,) if HANDLE in text else ()
        told = x_api.post(number, text, who, datetime.now(UTC), names=names, **more)
        self.api.posts[str(number)] = told
        self.api.mentions += [str(number)] if names else []
        self._deliver("post.mention.create" if names else "post.reply.create", told, users=[x_api.user(who)])
        return str(number)

    def edits(self, post_id: str, text: str) -> str:
        """The same words anew, under another id."""
        before, number = self.api.posts[post_id], self.api.next_number()
        versions = [*before["edit_history_tweet_ids"], str(number)]
        before["edit_history_tweet_ids"] = versions
        told = {
            **x_api.post(number, text, before["author_id"], datetime.now(UTC), names=(US,)),
            "edit_history_tweet_ids": versions,
        }
        self.api.posts[str(number)] = told
        self._deliver("post.mention.create", told, users=[x_api.user(before["author_id"])])
        return str(number)

    def deletes(self, post_id: str) -> None:
        """Every version goes; X tells nobody."""
        self.api.deleted |= set(self.api.posts[post_id]["edit_history_tweet_ids"])

    def writes(self, who: str, text: str) -> None:
        """A direct message to the brand."""
        self._send(x_api.private(self.api.next_number(), text, who, datetime.now(UTC)))

    def posts_elsewhere(self, text: str) -> str:
        """The brand's own post, made in X's app."""
        number = self.api.next_number()
        told = x_api.post(number, text, US, datetime.now(UTC))
        self.api.posts[str(number)] = told
        self._deliver("post.create", told, users=[x_api.user(US)])
        return str(number)

    # what stands there

    def answers(self) -> list[Json]:
        """Posts of the brand that answer something, oldest first."""
        return [one for one in self.api.posts.values() if one["author_id"] == US and one.get("referenced_tweets")]

    def messages_to(self, who: str) -> list[str]:
        sent = [one for one in self.api.messages if one["sender_id"] == US and who in one["dm_conversation_id"]]
        return [one["text"] for one in reversed(sent)]

    # the wire

    def _deliver(self, kind: str, payload: Json, **includes: Any) -> None:
        self._send(x_api.event(kind, payload, **includes))

    def _send(self, told: Json) -> None:
        (webhook,) = self.api.webhooks
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = {"x-twitter-webhooks-signature": x_api.signature(body), "content-type": "application/json"}
        request = urllib.request.Request(webhook["url"], body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    @staticmethod
    def _knock(url: str, token: str) -> Json:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode({'crc_token': token})}", timeout=10) as answer:
            found: Json = json.loads(answer.read())
            return found
