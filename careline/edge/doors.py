"""What the edge needs from the rest of the house, as Protocols: asgi.py builds the one implementation, tests build small ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from careline.channels.base import ConnectionView, Part


class Frame(msgspec.Struct, frozen=True):
    """One event ready for a stream: its number (0 for presence and other frames without one), type, who may be told, JSON body.

    `aside_audience` may know that it happened, but no longer what it looks like: a case that left their sight. They get `aside_body` as type `gone`.
    """

    n: int
    type: str
    audience: str
    body: bytes
    aside_audience: str = ""
    aside_body: bytes = b""


class FileContent(msgspec.Struct, frozen=True):
    """A file as the browser gets it."""

    content: bytes
    content_type: str
    name: str
    is_inline: bool


class StoredUpload(msgspec.Struct, frozen=True):
    """A file just taken in. `file_id` is text: a browser's numbers are too short for it."""

    file_id: str
    name: str
    size_bytes: int
    content_type: str
    url: str


class Doors(Protocol):
    """Everything the edge may ask for. Methods raise the errors of careline.errors."""

    async def connection(self, network: str, hook_token: str) -> ConnectionView:
        """The connection behind a hook address, cached for some seconds. Raises NotFound."""
        ...

    async def journal(self, connection: ConnectionView, parts: list[Part]) -> int:
        """Keep parts durably. Returns how many belonged to a channel of this connection. Raises Unavailable."""
        ...

    async def refuse(self, connection: ConnectionView, raw: bytes, reason: str) -> None:
        """Keep a delivery that was signed but cannot be cut apart."""
        ...

    def ticket(self, purpose: str, ticket: str) -> Mapping[str, object]:
        """The claims of a signed ticket. Raises SignInRequired."""
        ...

    async def frames_after(self, workspace_id: int, n: int, locale: str) -> tuple[list[Frame], bool]:
        """Frames with numbers above n, and whether older ones are gone (the stream must reset)."""
        ...

    async def latest(self, workspace_id: int) -> int:
        """The newest number of a workspace."""
        ...

    async def stream_claims(self, claims: Mapping[str, object]) -> Mapping[str, object]:
        """Check again that a stream's agent still may; fresh claims. Raises SignInRequired."""
        ...

    async def read_file(self, workspace_id: int, file_id: int, name: str) -> FileContent:
        """Raises NotFound."""
        ...

    async def store_upload(self, claims: Mapping[str, object], content: bytes, name: str) -> StoredUpload:
        """Raises TooLarge, InputRefused."""
        ...

    async def is_ready(self) -> tuple[bool, str]:
        """Whether requests can be served, and why not."""
        ...

    async def metrics(self) -> bytes:
        """Prometheus text."""
        ...


Wake = Callable[[int, int], Awaitable[None]]
