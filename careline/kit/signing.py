"""Signatures: HMAC-SHA256 over exact bytes, Standard Webhooks headers, and signed tickets with an end.

Standard Webhooks: signed content is `id.timestamp.body`, header `webhook-signature: v1,<base64>` (several, space separated);
secrets read `whsec_<base64>`. Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-21.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from careline.errors import SignInRequired
from careline.kit import clock

TOLERANCE_S = 300


def sign(secret: bytes, content: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes."""
    return hmac.new(secret, content, hashlib.sha256).digest()


def is_signed(secret: bytes, content: bytes, signature: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(sign(secret, content), signature)


def webhook_secret_bytes(secret: str) -> bytes:
    """The key bytes of a `whsec_...` secret. A secret without the prefix is used as its own UTF-8 bytes."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    return base64.b64decode(secret.removeprefix("whsec_"))


def webhook_headers(secret: str, webhook_id: str, body: bytes, *, at_s: int | None = None) -> dict[str, str]:
    """The three headers of a signed webhook."""
    stamp = str(int(clock.epoch_s()) if at_s is None else at_s)
    signature = base64.b64encode(sign(webhook_secret_bytes(secret), f"{webhook_id}.{stamp}.".encode() + body)).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def check_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raise SignInRequired unless one `v1` signature fits the raw body and the timestamp lies within five minutes."""
    webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise SignInRequired(
            "signature_missing", "The webhook-id and webhook-timestamp headers are missing or malformed."
        )
    if abs(clock.epoch_s() - int(stamp)) > TOLERANCE_S:
        raise SignInRequired("timestamp_stale", "The webhook-timestamp is more than five minutes away.")
    expected = sign(webhook_secret_bytes(secret), f"{webhook_id}.{stamp}.".encode() + body)
    for candidate in headers.get("webhook-signature", "").split(" "):
        version, _, encoded = candidate.partition(",")
        if version == "v1" and _same(expected, encoded):
            return
    raise SignInRequired("signature_wrong", "No signature fits this body.")


def _same(expected: bytes, encoded: str) -> bool:
    try:
        return hmac.compare_digest(expected, base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return False


def seal(secret: bytes, purpose: str, claims: dict[str, object], *, lasts_s: int) -> str:
    """A URL-safe signed ticket: readable by its bearer, forged by nobody, dead after `lasts_s`."""
    body = msgspec.json.encode({**claims, "_until": int(clock.epoch_s()) + lasts_s})
    return f"{_b64(body)}.{_b64(sign(secret, purpose.encode() + b'|' + body))}"


def unseal(secret: bytes, purpose: str, ticket: str) -> dict[str, object]:
    """The claims of a ticket made for `purpose`. Raises SignInRequired when forged, foreign or over."""
    encoded, _, signature = ticket.partition(".")
    try:
        body = _unb64(encoded)
        genuine = is_signed(secret, purpose.encode() + b"|" + body, _unb64(signature))
        claims = msgspec.json.decode(body, type=dict[str, object]) if genuine else {}
    except (ValueError, msgspec.DecodeError):
        genuine, claims = False, {}
    until = claims.pop("_until", 0)
    if not genuine or not isinstance(until, int):
        raise SignInRequired("ticket_wrong", "This address is not valid.")
    if until < clock.epoch_s():
        raise SignInRequired("ticket_over", "This address has expired. Open the page again.")
    return claims


def short_tag(secret: bytes, purpose: str, content: str, *, size_bytes: int = 10) -> str:
    """A short lower-case base32 tag (16 characters for 80 bits) for places that must survive mail: Message-IDs, plus-addresses."""
    digest = sign(secret, f"{purpose}|{content}".encode())[:size_bytes]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    """Raises ValueError for anything but the one spelling `_b64` writes: the library skips foreign characters and spare bits."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _b64(content) != text:
        raise ValueError("not canonical base64")
    return content
