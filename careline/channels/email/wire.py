"""A mail as it travels here: the journal's envelope line, and the parsed mail as frozen types. Nothing is interpreted
yet.

The envelope is one header line in front of the untouched RFC 822 bytes, so that a journal row saved as `.eml` still
opens in any mail program. Reader and HTTP intake always write it, therefore a line of that name inside a customer's own
mail is never believed.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

import msgspec

from careline.errors import ForeignPayload

ENVELOPE = b"Careline-Envelope: "
_MAX_ENVELOPE = 4096


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the carrier knew: when the server took the mail, how large it is, and whether only its beginning was
    fetched.

    `problem` is set where there is no mail at all, only the server's refusal to hand it out.
    """

    received_at: datetime | None = None
    via: str = "imap"
    size_bytes: int = 0
    is_cut: bool = False
    problem: str = ""
    folder: str = ""
    uid: int = 0


class Leaf(msgspec.Struct, frozen=True):
    """One part of a mail that is not a container. `content` is transfer-decoded; `path` is its place, such as `1.2`."""

    path: str
    content_type: str
    content: bytes
    charset: str = ""
    name: str = ""
    disposition: str = ""
    content_id: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    container: str = ""
    """Type of the multipart that holds it, such as multipart/related."""
    alternative: str = ""
    """Path of the nearest multipart/alternative around it, empty when there is none."""
    is_broken: bool = False

    def parameter(self, name: str) -> str:
        """A Content-Type parameter, lower-case name; empty when absent."""
        return next((value for key, value in self.parameters if key == name), "")


class Mail(msgspec.Struct, frozen=True):
    """A whole mail: headers in order (lower-case names, unfolded raw bytes) and leaves in order. `notes` name what
    limits cut away.
    """

    headers: tuple[tuple[str, bytes], ...]
    leaves: tuple[Leaf, ...]
    content_type: str = "text/plain"
    parameters: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def raw(self, name: str) -> bytes:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    def all(self, name: str) -> list[bytes]:
        """Every header of that name, top to bottom."""
        return [value for key, value in self.headers if key == name]

    def has(self, name: str) -> bool:
        """Whether a header of that name exists, be it empty."""
        return any(key == name for key, _ in self.headers)


def wrap(envelope: Envelope, raw: bytes) -> bytes:
    """The bytes of a journal row."""
    return ENVELOPE + urlsafe_b64encode(msgspec.json.encode(envelope)) + b"\r\n" + raw


def unwrap(row: bytes) -> tuple[Envelope, bytes]:
    """Envelope and mail. A row without the line is a bare mail (an import, a fixture). Raises ForeignPayload for a
    damaged line.
    """
    if not row.startswith(ENVELOPE):
        return Envelope(via="bare"), row
    line, _, raw = row.partition(b"\r\n")
    encoded = line[len(ENVELOPE) :]
    try:
        if len(encoded) > _MAX_ENVELOPE:
            raise ValueError("too long")
        return msgspec.json.decode(urlsafe_b64decode(encoded), type=Envelope), raw
    except (binascii.Error, ValueError, msgspec.DecodeError) as damaged:
        raise ForeignPayload("The envelope line of this mail is damaged.") from damaged
