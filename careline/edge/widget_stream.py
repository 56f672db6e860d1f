"""The visitor's stream: answers with event numbers, resumed from the database; typing signs without numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.responses import Response, StreamingResponse

from careline.channels.base import ChannelView
from careline.channels.webchat import inbound
from careline.channels.webchat.visitors import Visitor
from careline.edge.doors import Frame
from careline.edge.widget_doors import ChatMessage, Typing, WidgetDoor
from careline.errors import RateLimited, Unavailable

BEAT_S = 20.0
MOST_STREAMS, MOST_STREAMS_OF_VISITOR = 10_000, 8
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Shown(msgspec.Struct, frozen=True):
    """A message with the receipt its visitor may hand back."""

    message: ChatMessage
    receipt: str = ""


def shown(channel: ChannelView, visitor: Visitor, message: ChatMessage) -> Shown:
    """A message as it leaves the house; only answers need receipts."""
    wants_receipt = message.is_ours and bool(message.platform_id)
    return Shown(
        message, inbound.receipt_tag(channel, visitor.thread_key, message.platform_id) if wants_receipt else ""
    )


def typing_frame(whom: Typing) -> Frame:
    """A customer types: for the agents who may see the case."""
    return Frame(0, "typing", whom.audience, msgspec.json.encode({"case": str(whom.case_id)}))


class Bell:
    """Rung from any thread, heard in the stream's own loop; rings while nobody listens are kept as one of each kind."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._kinds: set[str] = set()

    def ring(self, kind: str) -> None:
        """From any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hear, kind)

    def _hear(self, kind: str) -> None:
        self._kinds.add(kind)
        self._rung.set()

    async def wait(self, timeout_s: float) -> set[str]:
        """What rang since the last call; empty after `timeout_s` of silence."""
        try:
            await asyncio.wait_for(self._rung.wait(), timeout_s)
        except TimeoutError:
            return set()
        self._rung.clear()
        heard, self._kinds = self._kinds, set()
        return heard


class Streams:
    """All open widget streams of this process."""

    def __init__(self, door: WidgetDoor) -> None:
        self._door = door
        self._open: dict[str, int] = {}

    def answer(self, channel: ChannelView, visitor: Visitor, after: int) -> Response:
        """An event stream from `after` on. Raises Unavailable or RateLimited when too many are open."""
        name = f"{channel.id}:{visitor.id}"
        if sum(self._open.values()) >= MOST_STREAMS:
            raise Unavailable("too_many_streams", "Too many chats are open. Try again in a few seconds.")
        if self._open.get(name, 0) >= MOST_STREAMS_OF_VISITOR:
            raise RateLimited("too_many_tabs", "This chat is open in too many tabs.", retry_after_s=30)
        return StreamingResponse(
            self._chunks(name, channel, visitor, after), headers=HEADERS, media_type="text/event-stream"
        )

    async def _chunks(self, name: str, channel: ChannelView, visitor: Visitor, after: int) -> AsyncIterator[bytes]:
        self._open[name] = self._open.get(name, 0) + 1
        bell = Bell()
        # Listening begins before reading: what happens in between rings, and is read again.
        leave = self._door.listen(channel, visitor.thread_key, bell.ring)
        try:
            yield b"retry: 1000\n\n"
            heard = {"changed"}
            while "closing" not in heard:
                if "typing" in heard:
                    yield b"event: typing\ndata: {}\n\n"
                if "changed" in heard:
                    changes = await self._door.changes(channel, visitor.thread_key, after)
                    after = changes.n
                    yield _encode(channel, visitor, changes.messages, changes.n, is_reset=changes.is_reset)
                heard = await bell.wait(BEAT_S)
                if not heard:
                    yield b": beat\n\n"
        finally:
            leave()
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]


def _encode(
    channel: ChannelView, visitor: Visitor, messages: tuple[ChatMessage, ...], n: int, *, is_reset: bool
) -> bytes:
    body = msgspec.json.encode([shown(channel, visitor, one) for one in messages])
    return f"id: {n}\nevent: {'reset' if is_reset else 'messages'}\ndata: ".encode() + body + b"\n\n"
