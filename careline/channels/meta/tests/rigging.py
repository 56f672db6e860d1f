"""What the rigs of Meta's networks share: signed deliveries, made without our own code, and the shape of a channel."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from careline.channels.base import ChannelView, HookRequest
from careline.channels.meta.tests.graph import APP_ID, APP_SECRET, TOKEN

SECRETS = {"token": TOKEN, "app_secret": APP_SECRET, "verify_token": "a-verify-token-of-the-tests"}


def channel_of(network: str, account: str, **settings: object) -> ChannelView:
    """A connected account, its API nowhere."""
    known = {"app_id": APP_ID, "api": "http://127.0.0.1:9/v26.0", **settings}
    return ChannelView(7, 1, network, account, "Aurora", "@aurora", known, SECRETS, signing_key=b"k" * 32)


def envelope(topic: str, entries: list[dict[str, Any]]) -> bytes:
    """A delivery, escaped as Meta escapes it: every character beyond ASCII as \\uXXXX (see the README of the transport)."""
    return json.dumps({"object": topic, "entry": entries}, ensure_ascii=True).encode()


def signed(network: str, body: bytes, secret: str = "") -> HookRequest:
    """With HMAC of the standard library over the raw bytes."""
    mark = hmac.new((secret or APP_SECRET).encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={mark}", "content-type": "application/json"}
    return HookRequest("POST", f"/hooks/{network}/t", headers, body)
