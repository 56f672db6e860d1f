"""Files that came as addresses: fetched after the digest, through the guard, typed by content, kept like any other file.

An address a customer or platform names goes through the guarded client; only a host the administrator typed into the channel's own settings (a server in
the house, the simulator) may be a private one. An address that begins with the network's own name is first asked of the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog
from django.conf import settings

from careline.channels import access, registry
from careline.channels.base import FileSource, Tools
from careline.channels.models import Channel
from careline.clocks import leases
from careline.errors import CarelineError, ChannelError, InputRefused, TooLarge
from careline.events.recording import unit_of_work
from careline.files import storing
from careline.kit.connections import refresh_connections
from careline.kit.http import MAX_REDIRECTS, REDIRECTS, Answer, GuardedClient
from careline.kit.places import place_of
from careline.threads.models import Attachment

POLL_S: Final = 1.0
AT_ONCE: Final = 8
TRIES: Final = 3
PAUSE_S: Final = 2.0
_log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """A file to fetch."""

    attachment_id: int
    workspace_id: int
    url: str
    name: str
    hosts: frozenset[str]
    """Hosts an administrator typed for this channel."""
    channel_id: int = 0
    network: str = ""

    @property
    def is_asked_for(self) -> bool:
        """Whether the network must say where the bytes are."""
        return bool(self.network) and self.url.startswith(f"{self.network}:")


class Fetcher:
    """One per worker process; a lease lets only one process fetch at a time."""

    def __init__(self, tools: Tools, outside: GuardedClient, pool: ThreadPoolExecutor) -> None:
        self._tools = tools
        self._clients = {True: tools.http, False: outside}
        self._pool = pool

    async def run(self) -> None:
        """Until cancelled. A slow server holds up its own file only, unless it has taken all places."""
        running: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                wanted = await self._look(list(running), AT_ONCE - len(running))
                running |= {one.attachment_id: asyncio.create_task(self._fetch(one)) for one in wanted}
                if not wanted and not running:
                    await asyncio.sleep(POLL_S)
                    continue
                await asyncio.wait(running.values(), timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                running = {key: task for key, task in running.items() if not self._has_ended(task)}
        finally:
            for task in running.values():
                task.cancel()

    async def _look(self, running: list[int], places: int) -> list[Wanted]:
        if not places:
            return []
        try:
            return await self._in_thread(_take, running, places)
        except Exception as error:  # the worker loop
            _log.error("fetching_failed", error=place_of(error))
            return []

    def _has_ended(self, task: asyncio.Task[None]) -> bool:
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is not None:
            _log.error("fetching_failed", error=place_of(error))
        return task.done()

    async def _fetch(self, wanted: Wanted) -> None:
        problem = "not_fetched"
        for number in range(TRIES):
            try:
                answer = await self._get(wanted)
            except TooLarge:
                problem = "too_large"
                break
            except InputRefused:
                problem = "address_refused"
                break
            except ChannelError as refused:
                problem = refused.code
                if refused.permanent:
                    break
                await asyncio.sleep(refused.retry_after_s or PAUSE_S * (number + 1))
                continue
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(PAUSE_S * (number + 1))
                continue
            if answer.status == 200:
                await self._in_thread(keep_fetched, wanted, answer.body)
                return
            problem = f"status_{answer.status}"
            if answer.status < 500:
                break
        await self._in_thread(give_up, wanted, problem)

    async def _get(self, wanted: Wanted) -> Answer:
        """A server in the house may send us on, but no further into the house: what it names is an address like any other."""
        limit_bytes = settings.UPLOAD_LIMIT_BYTES
        source = await self._locate(wanted)
        url, headers = source.url, dict(source.headers)
        if _place(url) not in wanted.hosts:
            return await self._clients[False].request("GET", url, headers=headers, limit_bytes=limit_bytes)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._clients[True].request(
                "GET", url, headers=headers, limit_bytes=limit_bytes, follow=False
            )
            where = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not where:
                return answer
            url = _joined(url, where)
            if _place(url) != _place(source.url):
                return await self._clients[False].request("GET", url, limit_bytes=limit_bytes)
        raise InputRefused("address_refused")

    async def _locate(self, wanted: Wanted) -> FileSource:
        if not wanted.is_asked_for:
            return FileSource(wanted.url)
        channel = await self._in_thread(access.view_of, wanted.channel_id)
        return await registry.network(wanted.network).locate_file(wanted.url, channel, self._tools)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _take(running: Sequence[int], places: int) -> list[Wanted]:
    unfetched = Attachment.objects.select_related("message").exclude(fetch_url="").filter(file__isnull=True, problem="")
    waiting = list(unfetched.exclude(id__in=running).order_by("id")[:places])
    if not waiting or not leases.take(["fetching"], lasts_s=60):
        return []
    channels = access.channels_by_id(sorted({row.message.channel_id or 0 for row in waiting}))
    return [_wanted(row, channels.get(row.message.channel_id or 0)) for row in waiting]


def _wanted(row: Attachment, channel: Channel | None) -> Wanted:
    hosts = _house_hosts(channel) if channel else frozenset()
    network = channel.network if channel and channel.network in registry.networks() else ""
    return Wanted(row.id, row.workspace_id, row.fetch_url, row.name, hosts, channel.id if channel else 0, network)


def _house_hosts(channel: Channel) -> frozenset[str]:
    """Hosts typed by an administrator."""
    fields = registry.networks()[channel.network].fields if channel.network in registry.networks() else ()
    addresses = [str(channel.settings.get(field.name, "")) for field in fields if field.kind == "address"]
    return frozenset(place for address in addresses if (place := _place(address)))


def _place(address: str) -> str:
    """Host and port; empty for what is no address, so that it is never taken for one of the house."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _joined(address: str, where: str) -> str:
    try:
        return urljoin(address, where)
    except ValueError as malformed:
        raise InputRefused("address_refused") from malformed


def keep_fetched(wanted: Wanted, content: bytes) -> None:
    """Store the bytes and show them. A message whose words were deleted meanwhile has no attachment row left: then nothing is kept."""
    try:
        prepared = storing.prepare_file(wanted.workspace_id, content, wanted.name)
    except CarelineError as refused:
        give_up(wanted, refused.code)
        return
    with unit_of_work() as work:
        row = (
            Attachment.objects.select_for_update(of=("self",))
            .select_related("message")
            .filter(id=wanted.attachment_id, file__isnull=True)
            .first()
        )
        if row is None:
            return
        file_id = storing.save_files([prepared])[(wanted.workspace_id, prepared.sha256)]
        storing.count_references([file_id])
        row.file_id, row.fetch_url = file_id, ""
        row.save(update_fields=["file", "fetch_url"])
        message = row.message
        work.record_event(
            message.workspace_id,
            "message.filed",
            case_id=message.case_id,
            thread_id=message.thread_id,
            message_id=message.id,
            channel_id=message.channel_id,
        )


def give_up(wanted: Wanted, problem: str) -> None:
    """The file could not be had; the message says so."""
    with unit_of_work() as work:
        row = Attachment.objects.select_related("message").filter(id=wanted.attachment_id, file__isnull=True).first()
        if row is None:
            return
        Attachment.objects.filter(id=row.id).update(problem=problem[:60], fetch_url="")
        message = row.message
        work.record_event(
            message.workspace_id,
            "message.filed",
            case_id=message.case_id,
            thread_id=message.thread_id,
            message_id=message.id,
            channel_id=message.channel_id,
        )
