"""Fetching what is not pushed: one task a listening channel, under a lease, in the network loop. The cursor commits with its rows.

Readers hold no database connection; the few statements they need run in the loop's small pool.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog

from careline.channels import access, alerting, registry
from careline.channels.base import ChannelView, Tools
from careline.channels.models import Channel
from careline.clocks import leases
from careline.errors import ChannelError, Unavailable
from careline.intake.journal import Cursor, Journal, NewRow, row_of
from careline.kit.connections import refresh_connections
from careline.kit.places import place_of

SCAN_S = 2.0
LEASE_S = 20.0
LONGEST_PAUSE_S = 120.0
_log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    """Starts and stops a reader for each channel that listens, as leases, settings and holds decide."""

    def __init__(self, journal: Journal, tools: Tools, pool: ThreadPoolExecutor) -> None:
        self._journal = journal
        self._tools = tools
        self._pool = pool
        self._tasks: dict[int, tuple[asyncio.Task[None], ChannelView]] = {}
        self._stopping = False
        self._scanning = asyncio.Lock()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping:
            async with self._scanning:
                await self._scan()
            await asyncio.sleep(SCAN_S)

    async def _scan(self) -> None:
        if self._stopping:
            return
        try:
            wanted = await self._in_thread(listening_channels)
            names = [_lease(channel_id) for channel_id in wanted]
            held = await self._in_thread(leases.take, names, lasts_s=LEASE_S)
            self._match({channel_id: view for channel_id, view in wanted.items() if _lease(channel_id) in held})
        except Exception as error:  # the worker loop
            _log.error("readers_scan_failed", error=place_of(error))

    async def stop(self) -> None:
        """End all readers and give their leases back, after a scan under way: it would take them once more."""
        self._stopping = True
        async with self._scanning:
            await self._end_all()

    async def _end_all(self) -> None:
        names = [_lease(channel_id) for channel_id in self._tasks]
        tasks = [task for task, _ in self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if names:
            await self._in_thread(leases.give_back, names)

    def _match(self, wanted: dict[int, ChannelView]) -> None:
        for channel_id, (task, view) in list(self._tasks.items()):
            if task.done() or wanted.get(channel_id) != view:
                task.cancel()
                del self._tasks[channel_id]
        for channel_id, view in wanted.items():
            if channel_id not in self._tasks:
                self._tasks[channel_id] = (asyncio.create_task(self._read_for_ever(view)), view)

    async def _read_for_ever(self, channel: ChannelView) -> None:
        failures = 0
        while not self._stopping:
            try:
                await self._read(channel)
                failures = 0
                await asyncio.sleep(SCAN_S)  # `listen` promises to go on for ever; one that ends must not spin
            except asyncio.CancelledError:
                raise
            except ChannelError as error:
                failures += 1
                await self._in_thread(_note_failure, channel.id, error)
                await asyncio.sleep(_pause_s(failures, error.retry_after_s))
            except Exception as error:  # the worker loop: an adapter's mistake must not end other readers
                failures += 1
                _log.error("reader_failed", network=channel.network, channel=channel.id, error=place_of(error))
                await self._in_thread(alerting.record_failure, channel.id, "reader_failed", type(error).__name__)
                await asyncio.sleep(_pause_s(failures, None))

    async def _read(self, channel: ChannelView) -> None:
        network = registry.network(channel.network)
        cursor = await self._in_thread(_cursor_of, channel.id)
        async for fetched in network.listen(channel, cursor, self._tools):
            rows = [row_of(channel.workspace_id, channel.id, part) for part in fetched.parts]
            await self._keep(rows, Cursor(channel.id, dict(fetched.cursor)))
            await self._in_thread(_note_contact, channel.id, bool(rows))

    async def _keep(self, rows: list[NewRow], cursor: Cursor) -> None:
        while True:
            try:
                await asyncio.wrap_future(self._journal.submit(rows, cursor))
                return
            except Unavailable:
                await asyncio.sleep(1.0)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def listening_channels() -> dict[int, ChannelView]:
    """Channels whose network wants to listen, not held, not off. Two statements."""
    return {view.id: view for view in access.awake_channels() if registry.network(view.network).listens(view)}


def _note_failure(channel_id: int, error: ChannelError) -> None:
    if error.unauthorised:
        alerting.record_unauthorised(channel_id, error.code)
    else:
        alerting.record_failure(channel_id, error.code)


def _note_contact(channel_id: int, received: bool) -> None:
    alerting.record_contact(channel_id, received=received)


def _cursor_of(channel_id: int) -> dict[str, object]:
    return dict(Channel.objects.values_list("cursor", flat=True).get(id=channel_id))


def _lease(channel_id: int) -> str:
    return f"reader:{channel_id}"


def _pause_s(failures: int, retry_after_s: float | None) -> float:
    return (
        retry_after_s
        if retry_after_s is not None
        else min(LONGEST_PAUSE_S, 2.0 ** min(failures, 7)) * random.uniform(0.7, 1.0)  # noqa: S311 - jitter
    )
