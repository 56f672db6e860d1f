"""Bytes to Mail: headers and parts, cut apart by our own loop.

Why not `email.parser`: its feed parser nests one generator per level (10,000 nested multiparts end the process by
recursion, and every line is tested against every open boundary), and the header registry of `email.policy.default`
raises on malformed headers. Here nesting is a stack with a limit, each level is one pass over its bytes, and every
limit leaves a note instead of an exception.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import NamedTuple

from careline.channels.email.headers import value_and_parameters
from careline.channels.email.wire import Leaf, Mail
from careline.errors import ForeignPayload

MAX_DEPTH = 30
MAX_PARTS = 400
MAX_HEADER_BYTES = 512 * 1024
MAX_HEADERS = 1000
MAX_HEADER_VALUE = 400 * 1024
MAX_CONTENT_BYTES = 64 * 1024 * 1024
_NAME = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:[ \t]?")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?$", re.MULTILINE)


def parse_mail(raw: bytes) -> Mail:
    """The whole mail. Raises ForeignPayload only for bytes without a single header line."""
    headers, body, notes = _headers(raw.removeprefix(b"\xef\xbb\xbf"))
    if not headers:
        raise ForeignPayload("These bytes are not a mail: there is no header line.")
    walk = _Walk(list(notes))
    walk.run(headers, body)
    content_type, parameters = _type_of(headers, "text/plain")
    return Mail(tuple(headers), tuple(walk.leaves), content_type, parameters, tuple(dict.fromkeys(walk.notes)))


def read_headers(raw: bytes) -> list[tuple[str, bytes]]:
    """Only the headers, in order, for readers that need an id before anything else. Never raises."""
    return _headers(raw.removeprefix(b"\xef\xbb\xbf"))[0]


def body_of(raw: bytes) -> bytes:
    """Everything after the headers."""
    return _headers(raw.removeprefix(b"\xef\xbb\xbf"))[1]


def _headers(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes, list[str]]:
    head, body, notes = _cut_head(raw)
    lines: list[tuple[str, list[bytes]]] = []
    for line in head.splitlines():
        if line[:1] in {b" ", b"\t"} and lines:
            lines[-1][1].append(line.strip())
            continue
        name = _NAME.match(line)
        if name is None:
            # mbox's "From " line, or garbage between headers: not ours to judge.
            continue
        if len(lines) >= MAX_HEADERS:
            notes.append("headers_capped")
            break
        lines.append((name.group(1).decode("ascii").lower(), [line[name.end() :].strip()]))
    return [(name, _joined(pieces, notes)) for name, pieces in lines], body, notes


def _joined(pieces: list[bytes], notes: list[str]) -> bytes:
    value = b" ".join(pieces).replace(b"\0", b"")
    if len(value) > MAX_HEADER_VALUE:
        notes.append("header_too_long")
        return value[:MAX_HEADER_VALUE]
    return value


def _cut_head(raw: bytes) -> tuple[bytes, bytes, list[str]]:
    if raw.startswith((b"\r\n", b"\n")):
        return b"", raw.lstrip(b"\r\n"), []
    ends = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n", b"\r\r") if (at := raw.find(mark)) >= 0]
    at, width = min(ends, default=(len(raw), 0))
    head, body = raw[:at], raw[at + width :]
    if len(head) > MAX_HEADER_BYTES:
        return head[:MAX_HEADER_BYTES], body, ["headers_capped"]
    return head, body, []


def _type_of(headers: list[tuple[str, bytes]], default: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    raw = next((value for name, value in headers if name == "content-type"), b"")
    content_type, parameters = value_and_parameters(raw)
    return (content_type if re.fullmatch(r"[\w.+\-]{1,60}/[\w.+\-]{1,100}", content_type) else default), parameters


class _Entry(NamedTuple):
    """A part still to be walked."""

    headers: list[tuple[str, bytes]]
    body: bytes
    path: str
    depth: int = 0
    container: str = ""
    alternative: str = ""


class _Walk:
    """One depth-first walk with an explicit stack."""

    def __init__(self, notes: list[str]) -> None:
        self.leaves: list[Leaf] = []
        self.notes = notes
        self._seen = 0
        self._bytes_left = MAX_CONTENT_BYTES

    def run(self, headers: list[tuple[str, bytes]], body: bytes) -> None:
        stack = [_Entry(headers, body, "1")]
        while stack:
            entry = stack.pop()
            self._seen += 1
            if self._seen > MAX_PARTS:
                self.notes.append("parts_capped")
                return
            content_type, parameters = _type_of(entry.headers, _default_type(entry.container))
            children = self._children(entry, content_type, parameters)
            if children is None:
                self._add_leaf(
                    entry, "text/plain" if content_type.startswith("multipart/") else content_type, parameters
                )
            else:
                stack.extend(reversed(children))

    def _children(
        self, entry: _Entry, content_type: str, parameters: tuple[tuple[str, str], ...]
    ) -> list[_Entry] | None:
        """The parts of a container; None for a leaf, or for a container that holds nothing its boundary would find."""
        boundary = next((value for name, value in parameters if name == "boundary"), "")
        if not content_type.startswith("multipart/") or not boundary:
            return None
        if entry.depth >= MAX_DEPTH:
            self.notes.append("nesting_capped")
            return []
        pieces = split_parts(entry.body, boundary.encode("utf-8", "replace"), MAX_PARTS)
        alternative = entry.path if content_type == "multipart/alternative" else entry.alternative
        children = []
        for number, piece in enumerate(pieces, 1):
            headers, body, _ = _headers(piece)
            children.append(_Entry(headers, body, f"{entry.path}.{number}", entry.depth + 1, content_type, alternative))
        return children or None

    def _add_leaf(self, entry: _Entry, content_type: str, parameters: tuple[tuple[str, str], ...]) -> None:
        headers = entry.headers
        content, is_broken = decode_transfer(
            entry.body, next((value for name, value in headers if name == "content-transfer-encoding"), b"")
        )
        if len(content) > self._bytes_left:
            self.notes.append("content_capped")
            content, is_broken = content[: self._bytes_left], True
        self._bytes_left -= len(content)
        disposition, more = value_and_parameters(
            next((value for name, value in headers if name == "content-disposition"), b"")
        )
        by_name = {**dict(parameters), **dict(more)}
        identifier = next((value for name, value in headers if name == "content-id"), b"")
        self.leaves.append(
            Leaf(
                path=entry.path,
                content_type=content_type,
                content=content,
                charset=by_name.get("charset", ""),
                name=by_name.get("filename", "") or by_name.get("name", ""),
                disposition=disposition,
                content_id=identifier.decode("utf-8", "replace").strip().strip("<>")[:200],
                parameters=parameters,
                container=entry.container,
                alternative=entry.alternative,
                is_broken=is_broken,
            )
        )


def _default_type(container: str) -> str:
    return "message/rfc822" if container == "multipart/digest" else "text/plain"


def split_parts(body: bytes, boundary: bytes, limit: int) -> list[bytes]:
    """The parts between boundary lines in one pass; the last may lack its end (a cut mail keeps what is there)."""
    mark = b"--" + boundary.strip()
    parts: list[bytes] = []
    start = -1
    at = 0 if body.startswith(mark) else _next_mark(body, mark, 0)
    while at >= 0:
        line_end = body.find(b"\n", at)
        line_end = len(body) if line_end < 0 else line_end
        rest = body[at + len(mark) : line_end].strip()
        if rest in {b"", b"--"}:
            if start >= 0:
                parts.append(_without_last_break(body[start:at]))
            start = line_end + 1
            if rest == b"--" or len(parts) >= limit:
                return parts
        at = _next_mark(body, mark, line_end)
    if 0 <= start < len(body):
        parts.append(body[start:])
    return parts


def _next_mark(body: bytes, mark: bytes, after: int) -> int:
    found = body.find(b"\n" + mark, after)
    return found + 1 if found >= 0 else -1


def _without_last_break(part: bytes) -> bytes:
    if part.endswith(b"\r\n"):
        return part[:-2]
    return part[:-1] if part.endswith(b"\n") else part


def decode_transfer(body: bytes, encoding: bytes) -> tuple[bytes, bool]:
    """Content without its transfer encoding, and whether the encoding was damaged. Unknown encodings are taken as they
    are.
    """
    name = encoding.strip().lower().split(b";")[0]
    if name == b"base64":
        return _base64(body)
    if name == b"quoted-printable":
        return quopri.decodestring(body), False
    if name in {b"x-uuencode", b"uuencode", b"x-uue", b"uue"}:
        return _uuencoded(body)
    return body, False


def _base64(body: bytes) -> tuple[bytes, bool]:
    # A footer a mailing list glued behind the padding is no base64.
    body = body.partition(b"=")[0] if b"=" in body else body
    letters = _NOT_BASE64.sub(b"", body)
    usable = len(letters) - (1 if len(letters) % 4 == 1 else 0)
    try:
        return base64.b64decode(letters[:usable] + b"=" * (-usable % 4)), usable != len(letters)
    except (binascii.Error, ValueError):
        return b"", True


def _uuencoded(body: bytes) -> tuple[bytes, bool]:
    begin = _UU_BEGIN.search(body)
    lines = body[begin.end() :].splitlines() if begin else body.splitlines()
    out, is_broken = bytearray(), False
    for line in lines:
        if line.strip() in {b"end", b"`"}:
            break
        try:
            out += binascii.a2b_uu(line.rstrip(b"\r\n")) if line.strip() else b""
        except binascii.Error:
            is_broken = True
    return bytes(out), is_broken
