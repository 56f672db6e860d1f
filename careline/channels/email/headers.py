"""Addresses, Message-IDs, dates and parameters out of header bytes; tolerant, linear in their length, never raising."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

import msgspec

from careline.channels.email.charsets import decode_bytes, decode_header, decode_words, display_name

MAX_ADDRESSES = 100
# Where a mail may name the mailbox it was meant for.
RECIPIENT_HEADERS = (
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
    "resent-to",
)
# Bytes without any of these are no mail.
KNOWN_HEADERS = frozenset(
    {"from", "to", "subject", "date", "message-id", "received", "return-path", "sender", "mime-version", "content-type"}
)
_MAX_ADDRESS_BYTES = 256 * 1024
_MAX_ID = 300
_ID = re.compile(r"<([^<>\s]{1,300})>")
_COMMENT = re.compile(r"\([^()]*\)")
_ADDRESS = re.compile(r"^[^\s@<>(),;:\"\[\]\\]{1,64}@[^\s@<>(),;:\"\\]{1,255}$")


class Address(msgspec.Struct, frozen=True):
    """One mailbox: `email` with its domain in lower case, `name` decoded and safe to show."""

    email: str
    name: str = ""


def addresses(raw_values: list[bytes], limit: int = MAX_ADDRESSES) -> tuple[list[Address], bool]:
    """The mailboxes of address headers in order, without repeats, at most `limit`; and whether some were left out."""
    found: dict[str, Address] = {}
    is_capped = False
    for raw in raw_values:
        is_capped = is_capped or len(raw) > _MAX_ADDRESS_BYTES
        for token in _split_addresses(raw[:_MAX_ADDRESS_BYTES].decode("utf-8", "surrogateescape")):
            one = parse_address(token)
            if one is None or one.email.lower() in found:
                continue
            if len(found) >= limit:
                return list(found.values()), True
            found[one.email.lower()] = one
    return list(found.values()), is_capped


def _split_addresses(text: str) -> Iterator[str]:
    """Cut at commas and semicolons outside quotes, comments and angle brackets; a piece without any address joins the
    next one, because people write `Smith, John <john@...>` without quotes.
    """
    carried = ""
    for piece in _pieces(text):
        whole = f"{carried}, {piece.strip()}" if carried else piece.strip()
        if "@" in whole or not whole:
            carried = ""
            yield whole
        else:
            carried = whole[-200:]


def _pieces(text: str) -> Iterator[str]:
    start, depth, is_quoted, in_angle, at = 0, 0, False, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == '"' and not depth:
            is_quoted = not is_quoted
        elif is_quoted:
            pass
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif not depth and char in "<>":
            in_angle = char == "<"
        elif not depth and not in_angle and char in ",;":
            yield text[start:at]
            start = at + 1
        elif not depth and not in_angle and char == ":" and "@" not in text[start:at]:
            # The name of a group (RFC 5322 section 3.4): `undisclosed-recipients:;`.
            start = at + 1
        at += 1
    yield text[start:]


def parse_address(token: str) -> Address | None:
    """One mailbox; None when there is no usable address in it."""
    token = token.strip()
    if not token or len(token) > 4000:
        return None
    name, email = _name_and_email(token)
    email = _plain_email(email)
    if not email:
        return None
    return Address(email, _decoded_name(name, email))


def _name_and_email(token: str) -> tuple[str, str]:
    opened = token.rfind("<")
    if opened >= 0:
        closed = token.find(">", opened)
        return token[:opened].strip(), token[opened + 1 : closed if closed > 0 else None]
    comment = _COMMENT.search(token)
    plain = _COMMENT.sub(" ", token).strip()
    return (comment.group(0)[1:-1] if comment else ""), plain


def _plain_email(text: str) -> str:
    """The address with its domain in lower case (Unicode domains kept as written); empty when it is none."""
    text = _COMMENT.sub("", text).strip().strip("'\"").replace(" ", "")
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not text.isascii() else text
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    local, at, domain = text.rpartition("@")
    email = f"{local}{at}{domain.rstrip('.').lower()}"
    return email if _ADDRESS.match(email) and email.isprintable() else ""


def _decoded_name(name: str, email: str) -> str:
    name = name.strip()
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    raw = name.encode("utf-8", "surrogateescape")
    decoded = display_name(decode_words(decode_bytes(raw) if not raw.isascii() else name)).strip("\"' ")
    return "" if decoded.lower() == email.lower() else decoded


def identity_key(email: str) -> str:
    """The exact key of a mailbox: the whole address in lower case. (RFC 5321 lets local parts differ by case; no
    provider does.)
    """
    return email.strip().lower()


def message_ids(raw: bytes, limit: int = 200) -> list[str]:
    """The Message-IDs of a header in order, each with its brackets, newest `limit` kept. Anything else in the header is
    ignored.
    """
    text = decode_bytes(raw[:65536])
    found = [f"<{one}>" for one in _ID.findall(text)]
    return list(dict.fromkeys(found))[-limit:]


def own_message_id(raw: bytes) -> str:
    """A mail's own Message-ID with brackets, or empty when it is missing or unusable. Brackets are added where a sender
    forgot them.
    """
    found = message_ids(raw)
    if found:
        return found[0]
    bare = decode_bytes(raw).strip()
    is_usable = 3 <= len(bare) <= _MAX_ID and "@" in bare and bare.isprintable() and not set(bare) & set(" \t<>,;")
    return f"<{bare}>" if is_usable else ""


def parse_date(raw: bytes) -> datetime | None:
    """Aware UTC, or None. A date without a zone is read as UTC."""
    text = decode_bytes(raw[:200]).strip()
    if not text:
        return None
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_PARAMETER = re.compile(
    rb';\s*([!#$%&+\-^_`{}~0-9A-Za-z.*\']{1,60})\s*=\s*("(?:[^"\\]|\\.){0,4000}"|[^;"\s][^;]{0,4000}|)', re.DOTALL
)


def value_and_parameters(raw: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`type/subtype` in lower case and its parameters, RFC 2231 continuations and charsets joined, undecoded encoded
    words decoded.
    """
    raw = raw[:8192]
    head, _, _ = raw.partition(b";")
    value = decode_bytes(head).strip().lower().split()
    plain: dict[str, str] = {}
    extended: dict[str, list[tuple[int, bool, bytes]]] = {}
    for found in _PARAMETER.finditer(raw[len(head) :]):
        name, content = found.group(1).decode("ascii").lower(), _unquoted(found.group(2))
        if "*" in name:
            base, _, mark = name.partition("*")
            number = mark.rstrip("*")
            extended.setdefault(base, []).append(
                (int(number) if number.isdigit() and len(number) < 4 else 0, mark == "" or mark.endswith("*"), content)
            )
        else:
            plain.setdefault(name, decode_header(content))
    for base, pieces in extended.items():
        plain[base] = _join_extended(pieces)
    return (value[0] if value else ""), tuple(plain.items())


def _unquoted(raw: bytes) -> bytes:
    raw = raw.strip()
    if raw.startswith(b'"') and raw.endswith(b'"') and len(raw) > 1:
        return re.sub(rb"\\(.)", rb"\1", raw[1:-1])
    return raw


def _join_extended(pieces: list[tuple[int, bool, bytes]]) -> str:
    """RFC 2231: `name*0*=charset'lang'percent`, further pieces percent-encoded or plain. Bytes are joined before the
    charset is applied.
    """
    charset = ""
    joined = b""
    for number, (_, is_encoded, content) in enumerate(sorted(pieces, key=lambda piece: piece[0])):
        words = content
        if number == 0 and is_encoded and content.count(b"'") >= 2:
            label, _, words = content.split(b"'", 2)
            charset = label.decode("ascii", "replace")
        joined += unquote_to_bytes(words) if is_encoded else words
    return decode_bytes(joined, charset)
