"""A double of Meta's platform: a Graph API on loopback that knocks at hook addresses and posts to them as Meta does.

Its answers are the examples of Meta's documents; every request it gets is held against Meta's own descriptions. Signatures come from openssl.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from typing import Any

from careline.channels.meta.facebook.tests.page import PageApi
from careline.channels.meta.instagram.tests.account import AccountApi
from careline.channels.meta.tests.graph import APP_SECRET, GraphServer, Reply, fault
from careline.channels.meta.whatsapp.tests.cloud import CloudApi

CHALLENGE = "1158201444"


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

    def tell(self, topic: str, **entry: Any) -> None:
        """One delivery, signed; escaped as Meta escapes it."""
        body = json.dumps({"object": topic, "entry": [entry]}, ensure_ascii=True).encode()
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

    def enter(self, address: str, verify_token: str) -> None:
        """What the administrator does there; Meta knocks and must be answered."""
        assert knock(address, "another") == ""
        assert knock(address, verify_token) == CHALLENGE
        self.hook = address


class NumberWorld(Knocking, CloudApi):
    """A WhatsApp number."""

    def value(self, account: str, number: str, **value: Any) -> None:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
        told = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        self.tell("whatsapp_business_account", id=account, changes=[{"field": "messages", "value": told}])


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
