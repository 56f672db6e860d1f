"""What the widget needs from the rest of the house, as a Protocol: intake.widget_door implements it, tests build a small one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from careline.channels.base import ChannelView, Part


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


class WidgetDoor(Protocol):
    """Everything the widget may ask for. Methods raise the errors of careline.errors."""

    trusted_proxies: frozenset[str]
    """Addresses whose X-Forwarded-For is believed."""

    def close(self) -> None:
        """End all streams: listeners hear "closing". Safe from a signal handler."""
        ...

    async def channel(self, key: str) -> ChannelView:
        """The active web chat behind a public key, cached for some seconds. Raises NotFound."""
        ...

    async def submit(self, channel: ChannelView, parts: list[Part]) -> None:
        """Keep parts durably before returning. Raises Unavailable."""
        ...

    async def history(self, channel: ChannelView, thread_key: str, *, before: int, limit: int) -> History:
        """Messages of a visitor's thread older than message id `before` (0: the newest)."""
        ...

    async def changes(self, channel: ChannelView, thread_key: str, after: int) -> Changes:
        """What a visitor may see of what happened to their thread after event number `after`."""
        ...

    def listen(self, channel: ChannelView, thread_key: str, ring: Callable[[str], None]) -> Callable[[], None]:
        """Call `ring` ("changed" or "typing", from any thread) when there may be something to see. Returns the way out."""
        ...

    async def keep_upload(self, channel: ChannelView, name: str, content: bytes) -> KeptUpload:
        """Put a file aside until its message comes; swept after a day without one. Raises TooLarge."""
        ...

    async def read_upload(self, channel: ChannelView, file_id: int) -> bytes:
        """The bytes put aside. Raises NotFound."""
        ...

    async def read_attachment(self, channel: ChannelView, thread_key: str, attachment_id: int) -> FileBytes:
        """A file of a message of this thread. Raises NotFound for any other."""
        ...

    async def availability(self, channel: ChannelView) -> Availability:
        """Office hours and the median of recent waits, cached for some seconds."""
        ...

    async def keep_address(self, channel: ChannelView, thread_key: str, email: str) -> None:
        """Note, unproven, where a visitor wants answers when away. Raises NotFound before their first message."""
        ...

    async def show_typing(self, workspace_id: int, case_id: int) -> None:
        """An agent writes a private answer in this case: ring "typing" at its visitors' open widgets."""
        ...

    async def typing_audience(self, channel: ChannelView, thread_key: str) -> Typing | None:
        """Who may be told that this visitor types; None before their first message."""
        ...
