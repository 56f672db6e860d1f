"""How the mail tests read: a listener in a task whose yields are collected, as the reader of the core does it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import uvloop

from careline.channels.base import ChannelView, Happening, Part, Said, Tools
from careline.channels.email import NETWORK
from careline.errors import ChannelError
from careline.kit.http import guarded_client

T = TypeVar("T")


def on_loop(work: Coroutine[object, object, T]) -> T:
    """Run on the loop the product uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@asynccontextmanager
async def tools() -> AsyncIterator[Tools]:
    """The guarded client, allowed to reach this machine."""
    async with guarded_client(allow_private=True) as client:
        yield Tools(http=client)


class Listener:
    """Collects parts and keeps the last cursor; reconnects like the core, with a short pause, when `reconnects`."""

    def __init__(
        self, channel: ChannelView, cursor: dict[str, object] | None = None, *, reconnects: bool = False
    ) -> None:
        self.channel, self.cursor, self._reconnects = channel, dict(cursor or {}), reconnects
        self.parts: list[Part] = []
        self.errors: list[ChannelError] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Listener:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ChannelError):
                await self._task

    async def _run(self) -> None:
        async with tools() as given:
            while True:
                try:
                    async for fetched in NETWORK.listen(self.channel, self.cursor, given):
                        self.parts.extend(fetched.parts)
                        self.cursor = dict(fetched.cursor)
                        self._news.set()
                except ChannelError as failed:
                    self.errors.append(failed)
                    self._news.set()
                    if not self._reconnects:
                        raise
                    await asyncio.sleep(0.2)

    async def started(self) -> None:
        """Until the first cursor was committed."""
        await self._until(lambda: bool(self.cursor))

    async def heard(self, count: int, within_s: float = 15.0) -> list[Part]:
        """Until that many parts came."""
        await self._until(lambda: len(self.parts) >= count, within_s)
        return self.parts

    async def failed(self, within_s: float = 15.0) -> ChannelError:
        """Until an error was raised."""
        await self._until(lambda: bool(self.errors), within_s)
        return self.errors[0]

    async def _until(self, is_true: object, within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s):
            while not is_true():  # type: ignore[operator]
                self._news.clear()
                await self._news.wait()

    def happenings(self) -> list[Happening]:
        """Everything normalised."""
        return [one for part in self.parts for one in NETWORK.normalise(part, self.channel)]

    def said(self) -> list[Said]:
        """Only the messages."""
        return [one for one in self.happenings() if isinstance(one, Said)]
