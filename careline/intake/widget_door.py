"""What the widget is handed by the core: the one implementation of edge.widget_doors.WidgetDoor, on Django, in a small thread pool."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connection

from careline.cases.models import Case
from careline.channels import access
from careline.channels.base import ChannelView, Part
from careline.channels.models import Channel
from careline.channels.webchat import typing_board
from careline.channels.webchat.setup import CHAT
from careline.channels.webchat.showing import Availability, Changes, FileBytes, History, KeptUpload, Typing
from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.files import storing, typing_content
from careline.intake import channel_facts, widget_addresses, widget_history
from careline.intake.journal import Journal, row_of
from careline.intake.widget_following import Follower
from careline.kit import clock
from careline.kit.connections import refresh_connections
from careline.threads.models import Thread
from careline.workspaces import calendars

THREADS = 2
CHANNEL_CACHE_S, AVAILABILITY_CACHE_S, AUDIENCE_CACHE_S = 5.0, 30.0, 10.0
MOST_CACHED = 10_000
# A median of fewer answers than this says nothing honest.
FEWEST_WAITS, NEWEST_WAITS = 5, 50
WAITS_OF = timedelta(hours=24)
P = ParamSpec("P")
T = TypeVar("T")


class CoreWidgetDoor:
    """Implements edge.widget_doors.WidgetDoor."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="widget-door")
        self._follower = Follower()
        self._channels: dict[str, tuple[float, ChannelView]] = {}
        self._availability: dict[int, tuple[float, Availability]] = {}
        self._audiences: dict[tuple[int, str], tuple[float, Typing]] = {}
        self.trusted_proxies = frozenset(settings.TRUSTED_PROXIES)

    def close(self) -> None:
        """End all widget streams, before the server waits for them."""
        self._follower.close()

    def forget(self) -> None:
        """Read everything anew: after settings changed, and in tests."""
        for cache in (self._channels, self._availability, self._audiences):
            cache.clear()

    def shut(self) -> None:
        """After `close`: wait for what is under way, and let the database go."""
        self._follower.join()
        together = threading.Barrier(THREADS)
        for _ in range(THREADS):
            self._pool.submit(_let_go, together)
        self._pool.shutdown(wait=True)

    async def channel(self, key: str) -> ChannelView:
        known = self._channels.get(key)
        if known is not None and time.monotonic() - known[0] < CHANNEL_CACHE_S:
            return known[1]
        found = await self._in_thread(_access_channel, key)
        _remember(self._channels, key, found)
        return found

    async def submit(self, channel: ChannelView, parts: list[Part]) -> None:
        rows = [row_of(channel.workspace_id, channel.id, part) for part in parts]
        await asyncio.wrap_future(self._journal.submit(rows))

    async def history(self, channel: ChannelView, thread_key: str, *, before: int, limit: int) -> History:
        return await self._in_thread(widget_history.history, channel, thread_key, before=before, limit=limit)

    async def changes(self, channel: ChannelView, thread_key: str, after: int) -> Changes:
        return await self._in_thread(widget_history.changes, channel, thread_key, after)

    def listen(self, channel: ChannelView, thread_key: str, ring: Callable[[str], None]) -> Callable[[], None]:
        leave_board = typing_board.subscribe(channel.id, thread_key, lambda: ring("typing"))
        leave_log = self._follower.listen(channel.workspace_id, channel.id, thread_key, ring)

        def leave() -> None:
            leave_board()
            leave_log()

        return leave

    async def keep_upload(self, channel: ChannelView, name: str, content: bytes) -> KeptUpload:
        return await self._in_thread(_keep_upload, channel, typing_content.safe_name(name), content)

    async def read_upload(self, channel: ChannelView, file_id: int) -> bytes:
        _, content = await self._in_thread(storing.read_file, channel.workspace_id, file_id)
        return content

    async def read_attachment(self, channel: ChannelView, thread_key: str, attachment_id: int) -> FileBytes:
        return await self._in_thread(widget_history.read_attachment, channel, thread_key, attachment_id)

    async def availability(self, channel: ChannelView) -> Availability:
        known = self._availability.get(channel.id)
        if known is not None and time.monotonic() - known[0] < AVAILABILITY_CACHE_S:
            return known[1]
        found = await self._in_thread(_availability, channel)
        _remember(self._availability, channel.id, found)
        return found

    async def keep_address(self, channel: ChannelView, thread_key: str, email: str) -> None:
        await self._in_thread(widget_addresses.keep_address, channel, thread_key, email)

    async def show_typing(self, workspace_id: int, case_id: int) -> None:
        if not self._follower.is_anyone_here(workspace_id):
            return
        for channel_id, thread_key in await self._in_thread(_chat_threads, workspace_id, case_id):
            typing_board.tell(channel_id, thread_key)

    async def typing_audience(self, channel: ChannelView, thread_key: str) -> Typing | None:
        known = self._audiences.get((channel.id, thread_key))
        if known is not None and time.monotonic() - known[0] < AUDIENCE_CACHE_S:
            return known[1]
        found = await self._in_thread(_typing_audience, channel, thread_key)
        if found is not None:
            _remember(self._audiences, (channel.id, thread_key), found)
        return found

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _let_go(together: threading.Barrier) -> None:
    """Each thread of the pool closes its own connection: none may take two of these."""
    together.wait(timeout=5)
    connection.close()


K = TypeVar("K")


def _remember(cache: dict[K, tuple[float, T]], key: K, value: T) -> None:
    if len(cache) >= MOST_CACHED:
        cache.clear()
    cache[key] = (time.monotonic(), value)


def _access_channel(key: str) -> ChannelView:
    """The channel of the connection whose hook token is the public key. Raises NotFound. One statement."""
    rows = Channel.objects.select_related("connection", "brand").exclude(state="off")
    row = rows.filter(network="webchat", connection__hook_token=key).order_by("id").first()
    if row is None:
        raise NotFound("chat_unknown", "There is no such chat.")
    return access.view_channel(row)


def _keep_upload(channel: ChannelView, name: str, content: bytes) -> KeptUpload:
    """A stored file that nothing refers to yet: the sweep takes it after a day unless its message came."""
    prepared = storing.prepare_file(channel.workspace_id, content, name)
    with unit_of_work():
        file_id = storing.save_files([prepared])[(channel.workspace_id, prepared.sha256)]
    return KeptUpload(file_id, prepared.size_bytes, prepared.content_type)


def _availability(channel: ChannelView) -> Availability:
    """Two statements."""
    row = access.channels_by_id([channel.id]).get(channel.id)
    if row is None:
        raise NotFound("chat_unknown", "There is no such chat.")
    hours, now = channel_facts.hours_of(row), clock.now()
    if not calendars.is_open_at(now, hours):
        opens_at = calendars.add_open_time(now, 1, hours) - timedelta(seconds=1)
        return Availability(is_open=False, opens_at=opens_at if calendars.is_open_at(opens_at, hours) else None)
    return Availability(median_wait_s=_median_wait_s(channel))


def _median_wait_s(channel: ChannelView) -> int | None:
    answered = Case.objects.filter(
        workspace_id=channel.workspace_id, channel_id=channel.id, first_answer_s__isnull=False
    )
    newest = answered.filter(opened_at__gt=clock.now() - WAITS_OF).order_by("-opened_at")[:NEWEST_WAITS]
    waits = [wait_s for wait_s in newest.values_list("first_answer_s", flat=True) if wait_s is not None]
    return round(statistics.median(waits)) if len(waits) >= FEWEST_WAITS else None


def _chat_threads(workspace_id: int, case_id: int) -> list[tuple[int, str]]:
    """One statement."""
    found = Thread.objects.filter(workspace_id=workspace_id, bound_case_id=case_id, surface=CHAT.name)
    return list(found.values_list("channel_id", "key"))


def _typing_audience(channel: ChannelView, thread_key: str) -> Typing | None:
    """Two statements."""
    thread = widget_history.thread_of(channel, thread_key)
    case_id = thread.bound_case_id if thread is not None else None
    case = Case.objects.filter(id=case_id, workspace_id=channel.workspace_id).first() if case_id is not None else None
    if case is None:
        return None
    names = [f"team:{case.team_id or 0}", *([f"agent:{case.assignee_id}"] if case.assignee_id else [])]
    return Typing(case.workspace_id, ",".join(names), case.id)
