"""Our signed names in mail: the plus-address and the Message-ID that carry a thread, and the key header that carries a
delivery.

All three are statements of ours that nobody else can make: HMAC-SHA256 with the channel's own key, 80 bits kept,
compared in constant time after lower-casing (mail systems change case). What they say is read from them; nothing is
stored.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re

import msgspec

from careline.channels.base import ChannelView
from careline.kit.signing import short_tag

KEY_HEADER = "X-Careline-Key"
_PLUS = re.compile(r"^([a-z2-7]{1,13})\.([a-z2-7]{16})$")
_MESSAGE_ID = re.compile(r"^<c\.([a-z2-7]{1,13})\.([a-z2-7]{1,13})\.([a-z2-7]{16})@[^<>\s]{1,255}>$")
_KEY = re.compile(r"^(\S{1,80})\.([a-z2-7]{16})$")
MAX_LOCAL_PART = 64


class OurId(msgspec.Struct, frozen=True):
    """What a genuine Message-ID of ours says."""

    delivery_id: int
    thread_id: int


def encode_number(number: int) -> str:
    """A 63-bit id in lower-case base32 without leading zero bytes or padding."""
    size = max(1, (number.bit_length() + 7) // 8)
    return base64.b32encode(number.to_bytes(size, "big")).decode().rstrip("=").lower()


def decode_number(text: str) -> int:
    """The id, or 0 for anything that is none."""
    try:
        number = int.from_bytes(base64.b32decode(text.upper() + "=" * (-len(text) % 8)), "big")
    except (binascii.Error, ValueError):
        return 0
    return number if number < 1 << 63 else 0


def _is_tagged(key: bytes, purpose: str, content: str, tag: str) -> bool:
    return bool(key) and hmac.compare_digest(short_tag(key, purpose, content), tag)


def reply_address(address: str, thread_id: int, key: bytes) -> str:
    """`local+<thread>.<tag>@domain`; the bare address where the local part would grow over 64 characters (RFC 5321
    section 4.5.3.1.1).
    """
    local, _, domain = address.partition("@")
    name = encode_number(thread_id)
    signed = f"{local}+{name}.{short_tag(key, 'plus-address', name)}"
    return f"{signed}@{domain}" if thread_id and len(signed) <= MAX_LOCAL_PART else address


def thread_of_address(address: str, own: str, key: bytes) -> int:
    """The thread a genuine plus-address of `own` names, else 0."""
    local, _, domain = address.lower().rpartition("@")
    own_local, _, own_domain = own.lower().rpartition("@")
    base, plus, detail = local.partition("+")
    found = _PLUS.match(detail)
    if not plus or base != own_local.partition("+")[0] or domain != own_domain or found is None:
        return 0
    return decode_number(found.group(1)) if _is_tagged(key, "plus-address", found.group(1), found.group(2)) else 0


def message_id(delivery_id: int, thread_id: int, domain: str, key: bytes) -> str:
    """`<c.<delivery>.<thread>.<tag>@domain>`: the same at every attempt of one delivery."""
    content = f"{encode_number(delivery_id)}.{encode_number(thread_id)}"
    return f"<c.{content}.{short_tag(key, 'message-id', content)}@{domain}>"


def read_message_id(identifier: str, key: bytes) -> OurId | None:
    """What a Message-ID says if it is genuinely ours, else None. The domain is not part of the proof: relays rewrite
    it.
    """
    found = _MESSAGE_ID.match(identifier.lower())
    if found is None or not _is_tagged(key, "message-id", f"{found.group(1)}.{found.group(2)}", found.group(3)):
        return None
    return OurId(decode_number(found.group(1)), decode_number(found.group(2)))


def key_header(idempotency_key: str, key: bytes) -> str:
    """The value of KEY_HEADER: bounces bring it back, so that a delivery with unknown outcome is still found."""
    return f"{idempotency_key}.{short_tag(key, 'delivery', idempotency_key)}"


def read_key_header(value: str, key: bytes) -> str:
    """The idempotency key in a genuine KEY_HEADER, else empty."""
    found = _KEY.match(value.strip())
    return found.group(1) if found and _is_tagged(key, "delivery", found.group(1), found.group(2)) else ""


def own_address(channel: ChannelView) -> str:
    """The mailbox's address in lower case."""
    return (channel.setting("address") or channel.account_key).strip().lower()


def without_detail(address: str) -> str:
    """An address in lower case without its plus detail."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
