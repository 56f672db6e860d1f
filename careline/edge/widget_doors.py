"""What the widget needs from the rest of the house, as a Protocol: intake.widget_door implements it, tests build a small one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from careline.channels.base import ChannelView, Part
from careline.channels.webchat.showing import (
    Availability,
    Changes,
    ChatFile,
    ChatMessage,
    FileBytes,
    History,
    KeptUpload,
    Typing,
)

__all__ = [
    "Availability",
    "Changes",
    "ChatFile",
    "ChatMessage",
    "FileBytes",
    "History",
    "KeptUpload",
    "Typing",
    "WidgetDoor",
]


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
