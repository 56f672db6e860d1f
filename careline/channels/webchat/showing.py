"""What a visitor may be shown: the words between the widget's door and the rooms behind it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ChatFile(msgspec.Struct, frozen=True):
    """A file of a message, as the visitor sees it. `id` is text: 63 bits do not fit a browser's number."""

    id: str
    name: str
    content_type: str
    size_bytes: int
    width_px: int = 0
    height_px: int = 0


class ChatMessage(msgspec.Struct, frozen=True):
    """One message as the visitor sees it. `client_id` names the visitor's own; `platform_id` is what a receipt is for."""

    id: str
    version: int
    is_ours: bool
    text: str
    at: datetime
    author: str = ""
    client_id: str = ""
    platform_id: str = ""
    is_edited: bool = False
    is_deleted: bool = False
    is_read: bool = False
    files: tuple[ChatFile, ...] = ()


class History(msgspec.Struct, frozen=True):
    """The newest messages, oldest first, true for event number `n`: a stream opened after `n` misses nothing."""

    n: int
    messages: tuple[ChatMessage, ...]
    has_earlier: bool = False


class Changes(msgspec.Struct, frozen=True):
    """Messages that were added or changed after an event number. `is_reset`: too long ago, these are simply the newest."""

    n: int
    messages: tuple[ChatMessage, ...]
    is_reset: bool = False


class Availability(msgspec.Struct, frozen=True):
    """What can honestly be said about waiting. `median_wait_s` None when too few answers were given lately to say anything."""

    is_open: bool = True
    opens_at: datetime | None = None
    median_wait_s: int | None = None


class KeptUpload(msgspec.Struct, frozen=True):
    """A file taken in, not yet part of a message."""

    file_id: int
    size_bytes: int
    content_type: str


class FileBytes(msgspec.Struct, frozen=True):
    """A file handed out."""

    name: str
    content_type: str
    content: bytes
    is_inline: bool


class Typing(msgspec.Struct, frozen=True):
    """Whom to tell that a visitor types: the audience of their case."""

    workspace_id: int
    audience: str
    case_id: int
