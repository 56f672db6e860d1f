"""Carries events to the apps' hooks: signed, in batches, again and again until a 2xx, with the mischief that was asked
for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import aiohttp
import msgspec
import structlog

from careline.errors import CarelineError
from careline.kit import clock, ids, signing
from careline.kit.http import GuardedClient
from careline.simulator.behaviour import Temper
from careline.simulator.ledger import Ledger
from careline.simulator.records import App, EventRow

IDLE_S: Final = 0.05
LOOK_AHEAD: Final = 1000
MAIL: Final = "mail"
_log = structlog.get_logger()


class Courier:
    """One per simulator. At least once: an event is due until some delivery of it was answered with a 2xx."""

    def __init__(self, ledger: Ledger, temper: Temper) -> None:
        self._ledger = ledger
        self._temper = temper
        self._under_way: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: set[int] = set()

    async def run(self) -> None:
        """Until cancelled."""
        client = GuardedClient(allow_private=True, timeout_s=10.0)
        try:
            while True:
                found_some = self._start_some(client)
                if len(self._tasks) >= self._temper.now.concurrency:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(0 if found_some else IDLE_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await client.close()

    def _start_some(self, client: GuardedClient) -> bool:
        """Start what may run beside what is under way. Whether anything was due."""
        behaviour = self._temper.now
        free = behaviour.concurrency - len(self._tasks)
        if not behaviour.pushes or free <= 0:
            return False
        found = self._ledger.due_events(min(LOOK_AHEAD, behaviour.batch * free), skip=frozenset(self._under_way))
        due = self._mix(found)
        apps = {app.id: app for app in self._ledger.apps()}
        batches = [(apps[app_id], batch) for app_id, batch in _batches(due, behaviour.batch) if app_id in apps]
        for app, batch in batches[:free]:
            self._spawn(client, app, batch)
        return bool(found)

    def _mix(self, due: list[EventRow]) -> list[EventRow]:
        """Hold some events back the first time they are seen, so that later ones overtake them."""
        behaviour, chance = self._temper.now, self._temper.chance
        if behaviour.disorder <= 0:
            return due
        fresh = [one for one in due if one.seq not in self._seen]
        self._seen.update(one.seq for one in fresh)
        held = [one.seq for one in fresh if chance.random() < behaviour.disorder]
        self._ledger.put_off(held, clock.epoch_s() + chance.uniform(0.02, behaviour.disorder_s))
        return [one for one in due if one.seq not in set(held)]

    def _spawn(self, client: GuardedClient, app: App, batch: list[EventRow]) -> None:
        self._under_way.update(one.seq for one in batch)
        task = asyncio.create_task(self._carry(client, app, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: GuardedClient, app: App, batch: list[EventRow]) -> None:
        try:
            status = await post_delivery(client, app, batch)
            self._settle(batch, status)
            if 200 <= status < 300 and self._temper.chance.random() < self._temper.now.duplicates:
                again = await post_delivery(client, app, batch)
                self._settle(batch, again)
        finally:
            self._under_way.difference_update(one.seq for one in batch)

    def _settle(self, batch: Sequence[EventRow], status: int) -> None:
        seqs = [one.seq for one in batch]
        if 200 <= status < 300:
            self._ledger.mark_acked(seqs, status)
            return
        behaviour = self._temper.now
        tries = min(one.tries for one in batch)
        backoff_s = min(behaviour.longest_backoff_s, behaviour.first_backoff_s * 2**tries)
        _log.debug("simulated_delivery_failed", status=status, events=len(seqs))
        self._ledger.mark_failed(seqs, status, due_at=clock.epoch_s() + backoff_s)


def _batches(due: list[EventRow], size: int) -> list[tuple[str, list[EventRow]]]:
    """Events of one app travel together; a mail travels alone."""
    by_app: dict[str, list[EventRow]] = defaultdict(list)
    for one in due:
        by_app[one.app].append(one)
    batches = []
    for app, events in by_app.items():
        step = 1 if any(one.kind == MAIL for one in events) else size
        batches += [(app, events[start : start + step]) for start in range(0, len(events), step)]
    return batches


def delivery_body(events: Sequence[bytes]) -> bytes:
    """The bytes of one webhook."""
    return msgspec.json.encode({"delivery": f"d_{ids.new_id()}", "events": [msgspec.Raw(one) for one in events]})


async def post_delivery(client: GuardedClient, app: App, batch: Sequence[EventRow]) -> int:
    """Sign and post. Gives the status, 0 when there was none."""
    is_mail = batch[0].kind == MAIL
    body = batch[0].body if is_mail else delivery_body([one.body for one in batch])
    content_type = "message/rfc822" if is_mail else "application/json"
    headers = signing.webhook_headers(app.hook_secret, f"d_{ids.new_id()}", body) | {"content-type": content_type}
    try:
        return (await client.request("POST", app.hook_url, headers=headers, body=body)).status
    except (aiohttp.ClientError, TimeoutError, OSError, CarelineError):
        return 0
