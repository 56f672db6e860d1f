"""Fan-out to open screens: one task a workspace reads the log once for all of its streams; each stream has a bounded buffer.

A stream that cannot keep up is dropped and resumes by number: nothing is lost, nobody else waits. Events arrive by a hint from the spine and,
should a hint be lost, by a poll every second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import msgspec
import structlog

from careline.edge.doors import Doors, Frame

POLL_S = 1.0
BUFFER_FRAMES = 512
WHISPERED = frozenset({"presence", "typing"})
RESET = b"event: reset\ndata: {}\n\n"
_log = structlog.get_logger()


class Stream:
    """One open screen: what it may see, and the bytes waiting for it."""

    def __init__(self, workspace_id: int, locale: str, sight: frozenset[str], agent_id: int) -> None:
        self.workspace_id = workspace_id
        self.locale = locale
        self.sight = sight
        self.agent_id = agent_id
        self.n = 0
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(BUFFER_FRAMES)
        self.is_open = True

    def offer(self, chunk: bytes) -> None:
        """Hand over a chunk, or end the stream when its buffer is full."""
        if not self.is_open:
            return
        try:
            self.queue.put_nowait(chunk)
        except asyncio.QueueFull:
            self.close()

    async def waiting(self) -> bytes | None:
        """Everything that waits, in one piece and one write; None when the stream has ended. What waits before its end comes first."""
        chunk = await self.queue.get()
        if chunk is None or self.queue.empty():
            return chunk
        chunks = [chunk]
        while not self.queue.empty():
            chunk = self.queue.get_nowait()
            if chunk is None:
                self.queue.put_nowait(None)
                break
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """End the stream; the browser reconnects where it was.

        What waits in a full buffer is dropped whole: were only the oldest dropped, the browser would resume after a younger one and miss it.
        """
        if self.is_open:
            self.is_open = False
            if self.queue.full():
                while not self.queue.empty():
                    self.queue.get_nowait()
            self.queue.put_nowait(None)


class Hub:
    """All open streams of this process. Lives in the edge's event loop."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._streams: dict[int, set[Stream]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._bells: dict[int, asyncio.Event] = {}
        self._closing = False
        self._closers: list[Callable[[], None]] = []
        self._overhearing: list[Callable[[int, Frame], None]] = []
        self._carry: Callable[[int, bytes], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Remember the running loop, so that `hint` can be called from any thread."""
        self._loop = asyncio.get_running_loop()

    def hint(self, workspace_id: int, n: int) -> None:
        """From any thread: the workspace is at n."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile: nobody follows any more
                self._loop.call_soon_threadsafe(self._ring, workspace_id)

    def _ring(self, workspace_id: int) -> None:
        bell = self._bells.get(workspace_id)
        if bell is not None:
            bell.set()

    @property
    def open_streams(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    def join(self, stream: Stream) -> None:
        """Add a stream that has been told everything up to `stream.n`."""
        self._streams.setdefault(stream.workspace_id, set()).add(stream)
        if stream.workspace_id not in self._tasks:
            self._bells[stream.workspace_id] = asyncio.Event()
            self._tasks[stream.workspace_id] = asyncio.create_task(self._follow(stream.workspace_id))

    def leave(self, stream: Stream) -> None:
        """Forget a stream."""
        streams = self._streams.get(stream.workspace_id, set())
        streams.discard(stream)

    def also_close(self, closer: Callable[[], None]) -> None:
        """Call `closer` when the streams end: other open answers (the widget's) end with them."""
        self._closers.append(closer)

    def overhear(self, listener: Callable[[int, Frame], None]) -> None:
        """Call `listener(workspace_id, frame)` in the edge's loop for each frame of `tell`. Must not block."""
        self._overhearing.append(listener)

    def carry_to(self, carry: Callable[[int, bytes], None]) -> None:
        """Call `carry(workspace_id, said)` with each frame of `tell`, for the hubs of other processes. Must not block."""
        self._carry = carry

    def tell(self, workspace_id: int, frame: Frame, *, but: Stream | None = None) -> None:
        """Send a frame without number (presence, typing) to everyone who may see it, on screens of other processes too."""
        self._spread(workspace_id, frame, but)
        if self._carry is not None:
            self._carry(workspace_id, msgspec.json.encode(frame))

    def heard_elsewhere(self, workspace_id: int, said: bytes) -> None:
        """From any thread: another process's hub was told this. What is no frame without number is nothing."""
        try:
            frame = msgspec.json.decode(said, type=Frame)
        except msgspec.DecodeError:
            return
        if self._loop is not None and frame.n == 0 and frame.type in WHISPERED:
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile
                self._loop.call_soon_threadsafe(self._spread, workspace_id, frame)

    def _spread(self, workspace_id: int, frame: Frame, but: Stream | None = None) -> None:
        for listener in self._overhearing:
            listener(workspace_id, frame)
        chunk = encode(frame)
        for stream in list(self._streams.get(workspace_id, ())):
            if stream is not but and may_see(frame.audience, stream.sight):
                stream.offer(chunk)

    def close(self) -> None:
        """End all streams, before the server stops: it would wait for them for ever."""
        self._closing = True
        for closer in self._closers:
            closer()
        for streams in self._streams.values():
            for stream in list(streams):
                stream.close()
        for task in self._tasks.values():
            task.cancel()

    async def _follow(self, workspace_id: int) -> None:
        bell = self._bells[workspace_id]
        try:
            while self._streams.get(workspace_id) and not self._closing:
                bell.clear()
                if await self._deliver(workspace_id):
                    continue
                try:
                    await asyncio.wait_for(bell.wait(), POLL_S)
                except TimeoutError:
                    pass
        finally:
            self._tasks.pop(workspace_id, None)
            self._bells.pop(workspace_id, None)
            # Streams that joined while this task was ending would wait for nobody.
            for stream in list(self._streams.get(workspace_id, ())):
                stream.close()

    async def _deliver(self, workspace_id: int) -> bool:
        """Read on from the stream that knows least. Returns whether anything came."""
        by_locale: dict[str, list[Stream]] = {}
        for stream in self._streams.get(workspace_id, ()):
            by_locale.setdefault(stream.locale, []).append(stream)
        came = False
        for locale, streams in by_locale.items():
            try:
                frames, is_gone = await self._doors.frames_after(
                    workspace_id, min(stream.n for stream in streams), locale
                )
            except Exception as error:  # the edge handler: the next poll tries again
                _log.error("follow_failed", error=type(error).__name__)
                continue
            if is_gone:
                self._reset(streams)
            for frame in frames:
                send(frame, streams)
                if frame.type == "agent":
                    await self._check_again(streams, agent_of(frame))
            came = came or bool(frames)
        return came

    def _reset(self, streams: list[Stream]) -> None:
        for stream in streams:
            stream.offer(RESET)
            stream.close()

    async def _check_again(self, streams: list[Stream], agent_id: int) -> None:
        for stream in streams:
            if agent_id not in {0, stream.agent_id}:
                continue
            try:
                claims = await self._doors.stream_claims({"ws": stream.workspace_id, "agent": stream.agent_id})
                stream.sight = sight_of(claims)
            except Exception:  # the edge handler: no right, no stream
                stream.close()


def send(frame: Frame, streams: list[Stream]) -> None:
    """Offer a numbered frame to every stream that has not had it: encoded once, judged once for each distinct sight."""
    chunk, silent = encode(frame), encode_number(frame.n)
    aside = encode(Frame(frame.n, "gone", frame.aside_audience, frame.aside_body)) if frame.aside_audience else silent
    verdicts: dict[frozenset[str], bytes] = {}
    for stream in streams:
        if frame.n <= stream.n:
            continue
        stream.n = frame.n
        chosen = verdicts.get(stream.sight)
        if chosen is None:
            is_aside = bool(frame.aside_audience) and may_see(frame.aside_audience, stream.sight)
            chosen = verdicts[stream.sight] = (
                chunk if may_see(frame.audience, stream.sight) else aside if is_aside else silent
            )
        stream.offer(chosen)


def chunk_for(frame: Frame, sight: frozenset[str]) -> bytes:
    """What one stream gets of a frame; nothing when it may not even know of it."""
    if may_see(frame.audience, sight):
        return encode(frame)
    if frame.aside_audience and may_see(frame.aside_audience, sight):
        return encode(Frame(frame.n, "gone", frame.aside_audience, frame.aside_body))
    return b""


def encode(frame: Frame) -> bytes:
    """A server-sent event."""
    number = f"id: {frame.n}\n".encode() if frame.n else b""
    return number + f"event: {frame.type}\n".encode() + b"data: " + frame.body + b"\n\n"


def encode_number(n: int) -> bytes:
    """Moves Last-Event-ID on without saying what happened."""
    return f"id: {n}\nevent: n\ndata: {n}\n\n".encode()


def may_see(audience: str, sight: frozenset[str]) -> bool:
    """The rule of events.feed.is_for, for the side of the house without Django."""
    if audience == "workspace":
        return True
    named = set(audience.split(","))
    only = {name.removeprefix("only:") for name in named if name.startswith("only:")}
    if only:
        return not sight.isdisjoint(only)
    return "all" in sight or not sight.isdisjoint(named)


def agent_of(frame: Frame) -> int:
    """Whose rights an `agent` frame is about; 0 when it does not say, so everybody's."""
    said = msgspec.json.decode(frame.body, type=_Changed).agent_id
    return int(said) if said.isdigit() else 0


class _Changed(msgspec.Struct, frozen=True):
    agent_id: str = ""


def sight_of(claims: Mapping[str, object]) -> frozenset[str]:
    """The sight in a ticket's claims; none when malformed."""
    names = claims.get("sight", [])
    return frozenset(str(name) for name in names) if isinstance(names, list | tuple) else frozenset()
