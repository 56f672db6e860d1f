"""What the widget's door journals, typed: a visitor's words, and signs that an answer arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class SpokenFile(msgspec.Struct, frozen=True):
    """A file that came with a message, whole: the journal alone must be enough."""

    name: str
    content: bytes


class Spoken(msgspec.Struct, frozen=True, tag="spoken"):
    """A visitor's message. `client_id` is made by the browser, so that sending it twice keeps it once.

    `proven` are keys the site signed for; `email` is merely what the visitor typed.
    """

    visitor: str
    client_id: str
    text: str
    at: datetime
    name: str = ""
    email: str = ""
    proven: tuple[tuple[str, str], ...] = ()
    page: str = ""
    files: tuple[SpokenFile, ...] = ()


class Arrived(msgspec.Struct, frozen=True, tag="arrived"):
    """The visitor's browser got one of our messages, or showed it."""

    visitor: str
    platform_id: str
    state: Literal["delivered", "read"]
    at: datetime


Journalled = Spoken | Arrived
