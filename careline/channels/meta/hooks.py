"""Meta's deliveries: the handshake, the signature over the raw bytes, and the envelope that all its products share.

Source: developers.facebook.com/docs/graph-api/webhooks/getting-started (2026), read 2026-11-22: GET with hub.mode, hub.verify_token and
hub.challenge; POST signed by X-Hub-Signature-256 with the app's secret; up to 1,000 changes in a delivery, unordered, repeated for up to 36 hours
(WhatsApp: 7 days, .../business-messaging/whatsapp/webhooks/overview).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from careline.channels.base import ConnectionView, HookAnswer, HookRequest, Part
from careline.errors import ForeignPayload, SignInRequired, UnknownEvent

SIGNATURE: Final = "x-hub-signature-256"
CHALLENGE_CHARS: Final = 200
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")


class Change(msgspec.Struct, frozen=True):
    field: str
    value: msgspec.Raw


class Entry(msgspec.Struct, frozen=True):
    """News of one account. `time` counts seconds in changes and milliseconds in messages. `standby` is another app's conversation.

    Apps with Instagram's own login get a change's `field` and `value` on the entry itself
    (instagram-platform/webhooks/examples, updated 2025-11-24).
    """

    id: str
    time: int = 0
    changes: tuple[Change, ...] = ()
    messaging: tuple[msgspec.Raw, ...] = ()
    standby: tuple[msgspec.Raw, ...] = ()
    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"")

    def told(self) -> tuple[Change, ...]:
        """All its changes."""
        own = (Change(self.field, self.value),) if self.field else ()
        return (*self.changes, *own)


class Envelope(msgspec.Struct, frozen=True):
    object: str
    entry: tuple[Entry, ...]


Cut = Callable[[Entry], Iterable[Part]]


def check_signature(request: HookRequest, connection: ConnectionView) -> None:
    """Raises SignInRequired unless the bytes as they came were signed with the app's secret."""
    secret = connection.secrets.get("app_secret", "")
    if not secret:
        raise SignInRequired("secret_missing", "This connection has no app secret.")
    expected = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").encode()):
        raise SignInRequired("signature_wrong", "The delivery is not signed with this app's secret.")


def answer_challenge(request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
    """The challenge itself, for whoever knows our verify token."""
    if request.method != "GET" or request.query.get("hub.mode") != "subscribe":
        return None
    known, shown = connection.secrets.get("verify_token", ""), request.query.get("hub.verify_token", "")
    if not known or not hmac.compare_digest(known.encode(), shown.encode()):
        raise SignInRequired("verify_token_wrong", "The verify token is not ours.")
    return HookAnswer(200, request.query.get("hub.challenge", "")[:CHALLENGE_CHARS].encode())


def split(request: HookRequest, connection: ConnectionView, topic: str, cut: Cut) -> list[Part]:
    """Parts of the accounts of this connection.

    Raises ForeignPayload for other bytes or another product's; UnknownEvent where nothing is for an account of ours, which Meta
    must not repeat.
    """
    envelope = decode(request.body, Envelope)
    if envelope.object != topic:
        raise ForeignPayload(f"This is not a delivery of {topic}.")
    try:
        parts = [part for entry in envelope.entry for part in cut(entry)]
    except UNREADABLE as broken:
        raise ForeignPayload("This delivery is not written as Meta writes it.") from broken
    ours = [part for part in parts if part.account_key in connection.accounts]
    if not ours:
        raise UnknownEvent("no account of ours")
    return ours


def decode(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Raises ForeignPayload."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREADABLE as broken:
        raise ForeignPayload("This is no event of Meta's.") from broken


def digest(*parts: str | bytes) -> str:
    """An event's id where the platform gives none: a hash of what it says."""
    content = b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(content).hexdigest()[:32]


def storable(text: str) -> str:
    """PostgreSQL takes no NUL in text."""
    return text.replace("\0", "")
