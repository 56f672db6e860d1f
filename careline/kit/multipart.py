"""Forms with files (multipart/form-data, RFC 7578, July 2015), for platforms that take uploads that way."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Upload(NamedTuple):
    """A file of a form; `field` is the name the other side knows it by."""

    field: str
    name: str
    content_type: str
    content: bytes


def encode(fields: Mapping[str, bytes], files: Sequence[Upload]) -> tuple[str, bytes]:
    """The value of Content-Type, with its boundary, and the body."""
    boundary = secrets.token_hex(16)
    parts = [_part(f'name="{_quoted(name)}"', "", value) for name, value in fields.items()]
    parts += [
        _part(f'name="{_quoted(one.field)}"; filename="{_quoted(one.name)}"', one.content_type, one.content)
        for one in files
    ]
    mark = f"--{boundary}\r\n".encode()
    body = b"".join(mark + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _part(disposition: str, content_type: str, content: bytes) -> bytes:
    typed = f"\r\nContent-Type: {content_type}" if content_type else ""
    return f"Content-Disposition: form-data; {disposition}{typed}\r\n\r\n".encode() + content


def _quoted(name: str) -> str:
    """Quotes and line ends would end the header early."""
    return name.replace('"', "%22").replace("\r", " ").replace("\n", " ")
