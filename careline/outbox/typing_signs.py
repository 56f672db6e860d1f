"""Tells a customer that someone types a private answer, where their network shows such a sign. Best effort: nothing is kept, nothing is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, ParamSpec, TypeVar

import structlog

from careline.channels import access, registry
from careline.channels.base import ChannelView, Tools
from careline.channels.capabilities import Surface
from careline.clocks import leases
from careline.errors import ChannelError, Unavailable
from careline.kit import ids
from careline.kit.connections import refresh_connections
from careline.threads.queries import thread_ids_of_case, threads_by_id
from careline.threads.starting import wire_key
from careline.workspaces.models import Installation

SHOWN_FOR_S = 10.0
_log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


class Sign(NamedTuple):
    """One conversation in which to show it."""

    thread_key: str
    channel: ChannelView


class TypingSigns:
    """Lives in the network loop; `hear` may be called from any thread."""

    def __init__(self, tools: Tools, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        self._tools = tools
        self._pool = pool
        self._loop = loop
        self._showing: set[asyncio.Task[None]] = set()

    def hear(self, workspace_id: int, case_id: int) -> None:
        """An agent types a private answer in this case."""
        self._loop.call_soon_threadsafe(self._begin, workspace_id, case_id)

    def _begin(self, workspace_id: int, case_id: int) -> None:
        task = self._loop.create_task(self._show(workspace_id, case_id))
        self._showing.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A sign nobody misses must not disturb, whatever an adapter raised."""
        self._showing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("typing_sign_failed", error=type(error).__name__)

    async def _show(self, workspace_id: int, case_id: int) -> None:
        try:
            sign = await self._in_thread(sign_for, workspace_id, case_id)
            if sign is not None:
                network = registry.network(sign.channel.network)
                await asyncio.wait_for(network.show_typing(sign.thread_key, sign.channel, self._tools), SHOWN_FOR_S)
        except (ChannelError, Unavailable, TimeoutError):
            return

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await self._loop.run_in_executor(self._pool, run)


def sign_for(workspace_id: int, case_id: int) -> Sign | None:
    """The case's newest private conversation on a network that shows typing, once in the time a sign stands, in all processes. Seven statements."""
    threads = threads_by_id(workspace_id, thread_ids_of_case(workspace_id, case_id)).values()
    private = [one for one in threads if not one.is_public and one.last_inbound_at is not None and wire_key(one)]
    if not private or Installation.objects.filter(is_held=True).exists():
        return None
    newest = max(private, key=lambda one: (one.last_inbound_at, one.id))
    row = access.channels_by_id([newest.channel_id])[newest.channel_id]
    if row.state == "off" or row.held_at is not None:
        return None
    channel = access.view_channel(row)
    surface = _surface(channel, newest.surface)
    if surface is None or not surface.typing.outbound:
        return None
    owner = f"{leases.OWNER}-{ids.new_token(6)}"
    is_mine = leases.take([f"typing:{newest.id}"], lasts_s=max(1, surface.typing.ttl_s - 1), owner=owner)
    return Sign(wire_key(newest), channel) if is_mine else None


def _surface(channel: ChannelView, name: str) -> Surface | None:
    surfaces = registry.network(channel.network).effective(channel).surfaces
    return next((one for one in surfaces if one.name == name), None)
