"""The server's stream, which says at once what looking would find later. It tells at most once, so looking goes on beside it.

Source: docs.joinmastodon.org/methods/streaming. A deletion is told to those whom the post named (app/services/remove_status_service.rb of
mastodon/mastodon), an edit only to followers; a stream that nothing happens on carries a heartbeat. Read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Final, NamedTuple

from careline.channels.mastodon.calling import Caller
from careline.errors import ChannelError

AGAIN_S: Final = 30.0
GATHERED_S: Final = 0.2
MOST_WAITING: Final = 1000


class Told(NamedTuple):
    """One event of the stream, as it stands there."""

    name: str
    words: bytes


class Stream:
    """Listens in the background and keeps what matters until it is asked for; what does not fit is found by looking."""

    def __init__(self, caller: Caller, matters: Callable[[Told], bool]) -> None:
        self._caller = caller
        self._matters = matters
        self._waiting: asyncio.Queue[Told] = asyncio.Queue(MOST_WAITING)
        self._task = asyncio.create_task(self._run())

    async def wait(self, for_s: float) -> list[Told]:
        """What was told within so many seconds: sooner, once there is something."""
        try:
            found = [await asyncio.wait_for(self._waiting.get(), for_s)]
        except TimeoutError:
            return []
        await asyncio.sleep(GATHERED_S)
        while not self._waiting.empty():
            found.append(self._waiting.get_nowait())
        return found

    def stop(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                async for told in told_by(self._caller.lines("/api/v1/streaming/user")):
                    if self._matters(told) and not self._waiting.full():
                        self._waiting.put_nowait(told)
            except ChannelError:  # a server without one, or a break: looking goes on
                pass
            await asyncio.sleep(AGAIN_S)


async def told_by(lines: AsyncIterable[bytes]) -> AsyncIterator[Told]:
    """Events of server-sent lines (html.spec.whatwg.org, section 9.2.6, read 2026-11-22): one ends at an empty line; a colon begins a comment."""
    name, words = "", b""
    async for line in lines:
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif field == b"data":
            words += value.strip()
        elif not line:
            if name:
                yield Told(name, words)
            name, words = "", b""
