"""A double of Meta's platform: a Graph API on loopback that knocks at hook addresses and posts to them as Meta does.

Its answers are the examples of Meta's documents; every request it gets is held against Meta's own descriptions. Signatures come from openssl.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any

from careline.channels.meta.facebook.tests.page import PageApi
from careline.channels.meta.instagram.tests.account import AccountApi
from careline.channels.meta.tests.graph import APP_SECRET, TOKEN, GraphServer, Reply, fault
from careline.channels.meta.threads.tests.profile import PROFILE, ROOT, ProfileApi
from careline.channels.meta.threads.tests.rig import told
from careline.channels.meta.whatsapp.tests.cloud import CloudApi

CHALLENGE = "1158201444"
_POSTS = itertools.count(7001)


class Knocking(GraphServer):
    """Subscribing makes it knock at the address, as Meta does before it agrees."""

    hook = ""

    def take(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        address = given.get("callback_url") or given.get("override_callback_uri")
        if method == "POST" and address:
            if knock(str(address), given["verify_token"]) != CHALLENGE:
                return fault(400, 100, 2200)
            self.hook = str(address)
        return super().take(method, path, given)

    def enter(self, address: str, verify_token: str) -> None:
        """What the administrator does in Meta's dashboard; Meta knocks and must be answered."""
        assert knock(address, "another") == ""
        assert knock(address, verify_token) == CHALLENGE
        self.hook = address

    def tell(self, topic: str, **entry: Any) -> None:
        """One delivery, escaped as Meta escapes it."""
        self.deliver(json.dumps({"object": topic, "entry": [entry]}, ensure_ascii=True).encode())

    def deliver(self, body: bytes) -> None:
        """Signed; it is durable when this returns."""
        headers = {"X-Hub-Signature-256": f"sha256={openssl(body)}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.hook, body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


class PageWorld(Knocking, PageApi):
    """A Page."""

    def feed(self, page: str, **value: Any) -> None:
        self.tell("page", id=page, time=int(time.time()), changes=[{"field": "feed", "value": value}])

    def talk(self, page: str, who: str, **event: Any) -> None:
        now_ms = int(time.time() * 1000)
        told = {"sender": {"id": who}, "recipient": {"id": page}, "timestamp": now_ms, **event}
        self.tell("page", id=page, time=now_ms, messaging=[told])


class AccountWorld(Knocking, AccountApi):
    """An Instagram account: its address is entered in Meta's dashboard by hand."""

    def take(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        return super().take(method, path, given) if self.token["is_valid"] else fault(401, 190)


class NumberWorld(Knocking, CloudApi):
    """A WhatsApp number."""

    def value(self, account: str, number: str, **value: Any) -> None:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
        told = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        self.tell("whatsapp_business_account", id=account, changes=[{"field": "messages", "value": told}])


class ThreadsWorld(Knocking, ProfileApi):
    """A Threads profile with one post. Whoever shows neither its token nor the one that renewed it is refused."""

    def take(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        is_known = self.headers[-1].get("authorization") in {f"Bearer {TOKEN}", "Bearer THAA-new"}
        return super().take(method, path, given) if is_known else fault(401, 190)

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        reply = super().answer(method, path, given)
        if method == "DELETE":
            self.delete(path)
        return reply

    def says(self, who: str, text: str) -> str:
        """Somebody's reply right under our post, told to whoever asks: in the conversation, and among our mentions if it names us. Gives its id."""
        post = _post(who, text, root_post={"id": ROOT}, is_reply=True, has_replies=False, is_reply_owned_by_me=False)
        self.conversation.append(post)
        if "@aurora.air" in text:
            self.mentions.append(post)
        return str(post["id"])

    def pushes(self, who: str, text: str) -> str:
        """The same, told by webhook before anybody asks."""
        post = _post(who, text, root_post={"id": ROOT, "owner_id": PROFILE, "username": "aurora.air"})
        self.deliver(told("replies", post))
        self.conversation.append({**post, "root_post": {"id": ROOT}})
        return str(post["id"])

    def delete(self, post: str) -> None:
        """Nobody is told of it."""
        self.gone.add(post)
        for name in ("conversation", "mentions", "replies"):
            setattr(self, name, [one for one in getattr(self, name) if one["id"] != post])

    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """What was asked for that changes something, in order."""
        return [(path, given) for method, path, given in self.requests if method == "POST"]


def _post(who: str, text: str, **more: Any) -> dict[str, Any]:
    """The fields of documentation/threads/reference/reply-management and .../webhooks, read 2026-11-22."""
    number = str(next(_POSTS))
    return {
        "id": number,
        "username": who,
        "text": text,
        "media_type": "TEXT_POST",
        "permalink": f"https://www.threads.net/@{who}/post/{number}",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "replied_to": {"id": ROOT},
        **more,
    }


def knock(address: str, verify_token: str) -> str:
    """What the address answers to the handshake; empty where nobody agrees."""
    query = {"hub.mode": "subscribe", "hub.challenge": CHALLENGE, "hub.verify_token": verify_token}
    try:
        with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def openssl(body: bytes) -> str:
    """HMAC-SHA256 by another implementation than ours."""
    command = ["openssl", "dgst", "-sha256", "-hmac", APP_SECRET, "-hex"]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode().split()[-1]
