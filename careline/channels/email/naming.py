"""Which names a mail gets in the journal and on the channel: its event, its platform id, its place in the order. All
from its bytes alone.
"""

from __future__ import annotations

import hashlib

import msgspec

from careline.channels.base import Part
from careline.channels.email.headers import message_ids, own_message_id
from careline.channels.email.mime import body_of, read_headers
from careline.channels.email.wire import Envelope, wrap

_SEPARATOR = "#"
_NAMED = ("message-id", "from", "date", "subject")


class MailName(msgspec.Struct, frozen=True):
    """`event_key` is the journal's; `platform_id` the message's; `root` the first mail of its chain as the mail itself
    claims.
    """

    event_key: str
    platform_id: str
    message_id: str
    root: str
    order_key: str


def name_mail(raw: bytes, *, is_cut: bool = False, size_bytes: int = 0) -> MailName:
    """The names of a mail. The same mail fetched again, from another folder or by another road gets the same ones;
    another mail under the same Message-ID (some programs use one for all, some leave it empty) gets its own, because
    the content is part of the name.
    """
    headers = read_headers(raw)
    values = {name: value for name, value in reversed(headers)}
    digest = _digest(values, b"" if is_cut else body_of(raw), size_bytes if is_cut else 0)
    own = own_message_id(values.get("message-id", b""))
    chain = [*message_ids(values.get("references", b"")), *message_ids(values.get("in-reply-to", b""))]
    platform_id = f"{own}{_SEPARATOR}{digest[:12]}" if own else f"sha256:{digest}"
    root = chain[0] if chain else own or platform_id
    return MailName(f"mail:{digest}", platform_id, own, root, f"mail:{hash_name(root)}")


def _digest(values: dict[str, bytes], body: bytes, size_bytes: int) -> str:
    named = b"\0".join(b" ".join(values.get(name, b"").split()) for name in _NAMED)
    plain = body.replace(b"\r\n", b"\n").rstrip() if body else str(size_bytes).encode()
    return hashlib.sha256(named + b"\0" + plain).hexdigest()


def hash_name(*words: str) -> str:
    """A short stable name for keys of limited length: 40 hexadecimal characters."""
    return hashlib.blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def message_id_of(platform_id: str) -> str:
    """The Message-ID inside a platform id, for In-Reply-To; empty when the mail had none."""
    identifier = platform_id.partition(_SEPARATOR)[0]
    return identifier if identifier.startswith("<") and identifier.endswith(">") else ""


def make_part(account_key: str, envelope: Envelope, raw: bytes) -> Part:
    """The journal row of one mail."""
    name = name_mail(raw, is_cut=envelope.is_cut, size_bytes=envelope.size_bytes)
    return Part(account_key, name.event_key, name.order_key, wrap(envelope, raw))
