"""Secrets that change by themselves (rotated refresh tokens, sessions): renewed by one task at a time, stored before they are used."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, ParamSpec, TypeVar

from django.db import connection

from careline.channels import alerting
from careline.channels.access import open_secrets, seal_secrets, view_of
from careline.channels.base import ChannelView, Renew, Renewed, renew_in_memory
from careline.channels.models import Channel, Connection
from careline.clocks import leases
from careline.clocks.firing import on
from careline.clocks.models import Clock
from careline.clocks.setting import due, set_clocks, stop_clocks
from careline.errors import ChannelError
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.kit.connections import refresh_connections

END_CLOCK: Final = "channel.secrets_end"
SAID_BEFORE: Final = timedelta(days=7)
LEASE_S: Final = 60.0
PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.05
P = ParamSpec("P")
T = TypeVar("T")
_renewing: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


async def renew_and_keep(channel: ChannelView, renew: Renew) -> ChannelView:
    """`Tools.renew` for connected channels. Raises ChannelError when another renewal takes too long, or what `renew` raises."""
    if not channel.id:
        return await renew_in_memory(channel, renew)
    lock = _renewing[channel.id]
    await _until(lambda: lock.acquire(blocking=False))
    try:
        return await _alone_in_this_process(channel, renew)
    finally:
        lock.release()


async def _alone_in_this_process(channel: ChannelView, renew: Renew) -> ChannelView:
    connection_id = await _in_thread(_connection_of, channel.id)
    lease = f"renewal:{connection_id}"
    await _until_async(lambda: _in_thread(leases.take, [lease], lasts_s=LEASE_S))
    try:
        present = await _in_thread(view_of, channel.id)
        if present.secrets != channel.secrets:
            return present
        renewed = await renew(present)
        return await _in_thread(keep_renewed, channel.id, renewed)
    finally:
        await _in_thread(leases.give_back, [lease])


def keep_renewed(channel_id: int, renewed: Renewed) -> ChannelView:
    """Store new secrets beside the others of the connection, and watch over their end."""
    with unit_of_work() as work:
        row = Connection.objects.select_for_update().get(channels__id=channel_id)
        kept = open_secrets(row.sealed_secrets)
        secrets = {**kept, **renewed.secrets}
        if secrets != kept:
            Connection.objects.filter(id=row.id).update(sealed_secrets=seal_secrets(secrets))
        watch_end(work, row, renewed.end_at)
    return view_of(channel_id)


def watch_end(work: UnitOfWork, row: Connection, end_at: datetime | None) -> None:
    """Owners are told a week before a person must renew these secrets; None: nobody need do anything."""
    del work  # proves the transaction
    Connection.objects.filter(id=row.id).update(secrets_end_at=end_at)
    if end_at is None:
        stop_clocks(END_CLOCK, [row.id])
        return
    set_clocks([due(row.workspace_id, END_CLOCK, row.id, max(clock.now(), end_at - SAID_BEFORE))])


@on(END_CLOCK)
def _tell_of_the_end(work: UnitOfWork, fired: Clock) -> None:
    for row in Channel.objects.filter(connection_id=fired.subject_id).exclude(state="off"):
        alerting.announce_ending(work, row)


def _connection_of(channel_id: int) -> int:
    return int(Channel.objects.values_list("connection_id", flat=True).get(id=channel_id))


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(round(PATIENCE_S / PAUSE_S)):
        if holds():
            return
        await asyncio.sleep(PAUSE_S)
    raise ChannelError("renewal_busy", "Another renewal of this channel's access takes too long.")


async def _until_async(ask: Callable[[], object]) -> None:
    for _ in range(round(PATIENCE_S / PAUSE_S)):
        if await ask():  # type: ignore[misc] # an awaitable
            return
        await asyncio.sleep(PAUSE_S)
    raise ChannelError("renewal_busy", "Another renewal of this channel's access takes too long.")


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    def run() -> T:
        refresh_connections()
        try:
            return work(*args, **kwargs)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return await asyncio.to_thread(run)
