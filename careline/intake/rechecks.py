"""Asks again about the messages of others where a network tells nobody of a deletion (`delete.duty: recheck`): what is gone loses its words.

Young messages are asked about every `recheck_every_s`, all that are kept once in 24 such times. A round is a lease nobody gives back: one round in
its time, in all processes. What the network answers goes through the journal like anything else that arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, ParamSpec, TypeVar

from careline.channels import registry
from careline.channels.base import ChannelView, KnownMessage, Tools
from careline.clocks import leases
from careline.errors import ChannelError, Unavailable
from careline.intake.journal import Journal, row_of
from careline.intake.readers import listening_channels
from careline.kit import clock, ids
from careline.kit.connections import refresh_connections
from careline.threads.models import Message

SCAN_S = 10.0
PAGE: Final = 100
YOUNG_FOR: Final = timedelta(days=1)
ROUNDS_UNTIL_ALL: Final = 24
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """One channel's messages from an id on, on the surfaces that want it."""

    channel: ChannelView
    surfaces: tuple[str, ...]
    since_id: int


class Rechecks:
    """Runs in the network loop beside the readers."""

    def __init__(self, journal: Journal, tools: Tools, pool: ThreadPoolExecutor) -> None:
        self._journal = journal
        self._tools = tools
        self._pool = pool

    async def run(self) -> None:
        """For ever."""
        while True:
            for one in await self._in_thread(due_rounds):
                await self._ask(one)
            await asyncio.sleep(SCAN_S)

    async def _ask(self, one: Round) -> None:
        """A platform that is away ends the round; the next one asks again."""
        after, network = one.since_id, registry.network(one.channel.network)
        try:
            while page := await self._in_thread(known_messages, one, after):
                found = await network.recheck(tuple(known for _, known in page), one.channel, self._tools)
                rows = [row_of(one.channel.workspace_id, one.channel.id, part) for part in found]
                await asyncio.wrap_future(self._journal.submit(rows))
                after = page[-1][0]
        except (ChannelError, Unavailable):
            return

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def due_rounds() -> list[Round]:
    """Rounds whose time has come, taken for this process. Two statements, and two for each that is due."""
    found = []
    for channel in listening_channels().values():
        wanted = [
            one for one in registry.network(channel.network).effective(channel).surfaces if one.delete.duty == "recheck"
        ]
        if wanted:
            every_s = max(1, min(one.delete.recheck_every_s or 3600 for one in wanted))
            names = tuple(one.name for one in wanted)
            young_id = ids.id_at(int((clock.epoch_s() - YOUNG_FOR.total_seconds()) * 1000))
            if _take(f"recheck-all:{channel.id}", every_s * ROUNDS_UNTIL_ALL):
                found.append(Round(channel, names, 0))
            elif _take(f"recheck:{channel.id}", every_s):
                found.append(Round(channel, names, young_id))
    return found


def _take(name: str, lasts_s: float) -> bool:
    """A fresh owner each time, so that our own last round is no reason to run again."""
    return bool(leases.take([name], lasts_s=lasts_s, owner=f"{leases.OWNER}-{ids.new_token(6)}"))


def known_messages(one: Round, after: int) -> list[tuple[int, KnownMessage]]:
    """The next page of what others said and still stands, oldest first. One statement."""
    rows = Message.objects.filter(
        workspace_id=one.channel.workspace_id,
        channel_id=one.channel.id,
        direction="inbound",
        surface__in=one.surfaces,
        deleted_at__isnull=True,
        platform_id__isnull=False,
        thread__isnull=False,
        id__gt=after,
    )
    page = rows.order_by("id").values_list("id", "platform_id", "thread__key", "surface")[:PAGE]
    return [(int(row_id), KnownMessage(str(name), str(key), str(surface))) for row_id, name, key, surface in page]
