"""The load generator: N signed events at R a second, seeded, with a share of duplicates and disorder, over kept-open connections.

It speaks to a hook directly, as fast as it is told, and notes what was acknowledged: the judge of a load or crash test.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import msgspec

from careline.channels.simulated import wire
from careline.kit import clock, ids, signing
from careline.simulator.content import Speech, persona
from careline.simulator.courier import delivery_body

PEOPLE: Final = 400
SPREAD_S: Final = 600.0
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.05, 1.0


class Load(msgspec.Struct, frozen=True):
    """What to send. `rate` is events a second, 0 for as fast as the hook takes them; shares are 0 to 1.

    `batch` events travel in one delivery, `connections` deliveries at once. `threads` is how many conversations the events fall into.
    `retry_s`: a delivery without a 2xx is repeated for so long, as platforms do (0: not at all).
    """

    hook_url: str
    hook_secret: str
    account: str
    events: int
    rate: float = 0.0
    batch: int = 1
    connections: int = 8
    threads: int = 200
    duplicates: float = 0.0
    disorder: float = 0.0
    retry_s: float = 60.0
    seed: int = 1


class Outcome(msgspec.Struct, frozen=True):
    """What came of it. `acked` holds event ids a 2xx came for, in order; latencies are seconds of each delivery's last try."""

    acked: tuple[str, ...]
    refused: tuple[str, ...]
    deliveries: int
    seconds: float
    latencies_s: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Acknowledged events a second."""
        return len(self.acked) / self.seconds if self.seconds else 0.0

    def percentile_s(self, share: float) -> float:
        """The latency that `share` (0 to 1) of the deliveries stayed within."""
        ranked = sorted(self.latencies_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


class Event(msgspec.Struct, frozen=True):
    """One event ready to travel. `text` begins with its number in its thread, so that order can be judged."""

    id: str
    thread: str
    text: str
    body: bytes


def make_events(load: Load) -> list[Event]:
    """The same events for the same seed: direct messages and public posts of invented customers."""
    speech, chance = Speech(load.seed), random.Random(load.seed)  # noqa: S311 - repeatable
    step_s = SPREAD_S / max(1, load.events)
    begun_at = clock.now() - timedelta(seconds=SPREAD_S)
    counts: Counter[int] = Counter()
    made = []
    for number in range(load.events):
        place = chance.randrange(load.threads)
        counts[place] += 1
        at = begun_at + timedelta(seconds=step_s * number)
        made.append(_event(load, speech, number=number, place=place, count=counts[place], at=at))
    return made


def _event(load: Load, speech: Speech, *, number: int, place: int, count: int, at: datetime) -> Event:
    person, language = persona(place % PEOPLE)
    thread, is_public = f"load_{load.seed}_{place}", place % 2 == 0
    root = f"{thread}_root" if is_public else ""
    text = f"#{count} {speech.fill(speech.pick(speech.topic(language).opens))}"
    event = wire.MessageCreated(
        id=f"ev_load_{load.seed}_{number}",
        account=load.account,
        kind="message.created",
        at=at,
        thread=thread,
        conversation=wire.Conversation("post" if is_public else "dm", person.id, person.name, root),
        message=wire.Utterance(
            id=root if is_public and count == 1 else f"m_load_{load.seed}_{number}",
            author=wire.Speaker(person.id, person.handle, person.name),
            text=text,
            mentions=(load.account,) if is_public else (),
        ),
    )
    return Event(event.id, thread, text, msgspec.json.encode(event))


def plan_deliveries(load: Load, events: Sequence[Event]) -> list[tuple[Event, ...]]:
    """Which events travel together, and in which order: some early, some late, some twice."""
    chance = random.Random(load.seed + 1)  # noqa: S311 - repeatable
    places = [
        (number + (chance.uniform(1, 40) if chance.random() < load.disorder else 0), one)
        for number, one in enumerate(events)
    ]
    ordered = [one for _, one in sorted(places, key=lambda pair: pair[0])]
    batches = [tuple(ordered[start : start + load.batch]) for start in range(0, len(ordered), load.batch)]
    return [batch for one in batches for batch in ([one, one] if chance.random() < load.duplicates else [one])]


async def run_load(load: Load, events: Sequence[Event] | None = None) -> Outcome:
    """Send everything, then say what was acknowledged. Loopback only by its use: it knows one address."""
    deliveries = plan_deliveries(load, make_events(load) if events is None else events)
    connector = aiohttp.TCPConnector(limit=load.connections)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        return await _Run(load, deliveries, session).outcome()


class _Run:
    """One run: workers that take the next delivery when its moment has come."""

    def __init__(self, load: Load, deliveries: Sequence[tuple[Event, ...]], session: aiohttp.ClientSession) -> None:
        self._load = load
        self._session = session
        self._queue = iter(enumerate(deliveries))
        self._count = len(deliveries)
        self._acked: dict[str, None] = {}
        self._refused: dict[str, None] = {}
        self._latencies_s: list[float] = []
        self._begun_s = 0.0

    async def outcome(self) -> Outcome:
        self._begun_s = time.perf_counter()
        await asyncio.gather(*(self._work() for _ in range(self._load.connections)))
        seconds = time.perf_counter() - self._begun_s
        refused = tuple(one for one in self._refused if one not in self._acked)
        return Outcome(tuple(self._acked), refused, self._count, seconds, tuple(self._latencies_s))

    async def _work(self) -> None:
        for number, batch in self._queue:
            await self._wait_for_turn(number)
            is_taken = await self._deliver(batch)
            (self._acked if is_taken else self._refused).update(dict.fromkeys(one.id for one in batch))

    async def _wait_for_turn(self, number: int) -> None:
        if self._load.rate > 0:
            turn_s = self._begun_s + number * self._load.batch / self._load.rate
            await asyncio.sleep(max(0.0, turn_s - time.perf_counter()))

    async def _deliver(self, batch: Sequence[Event]) -> bool:
        """Until a 2xx, with backoff, for `retry_s`."""
        end_s = time.perf_counter() + self._load.retry_s
        backoff_s = FIRST_BACKOFF_S
        while True:
            if 200 <= await self._post(batch) < 300:
                return True
            if time.perf_counter() + backoff_s > end_s:
                return False
            await asyncio.sleep(backoff_s)
            backoff_s = min(LONGEST_BACKOFF_S, backoff_s * 2)

    async def _post(self, batch: Sequence[Event]) -> int:
        """One try. 0 when there was no answer."""
        body = delivery_body([one.body for one in batch])
        headers = signing.webhook_headers(self._load.hook_secret, f"d_{ids.new_id()}", body)
        started_s = time.perf_counter()
        try:
            async with self._session.post(self._load.hook_url, data=body, headers=headers) as answer:
                await answer.read()
                self._latencies_s.append(time.perf_counter() - started_s)
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0
