"""Spikes by simulation: the worlds the benchmark measures at length, and a short seeded run of the ones that are promised."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from careline.triage.spikes.counts import BRAND, BUCKET, Counts, Seen
from careline.triage.spikes.defaults import DEFAULTS, Defaults
from careline.triage.spikes.judging import judge_unit

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
DAY = 288
_HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 12, 11, 11, 11, 12, 13, 13, 14, 14, 13, 11, 8, 4], float)
_WEEKDAYS = np.array([1.1, 1.1, 1.0, 1.0, 1.15, 0.8, 0.85])


@dataclass(frozen=True)
class World:
    """Messages an hour on average over the week; how often bursts come and how strong; the hours of the day they begin in."""

    per_hour: float
    strength: float
    hours: tuple[int, int] = (8, 21)
    days: int = 42
    judged_from: int = 28
    hour_shape: float = 8.0  # of the gamma each hour is multiplied by: 8 is +-35 %, about what airline posts show
    bucket_shape: float = 0.0  # the same for each five minutes; 0 is none


# Noise of each five minutes, +-50 %, as the reference's; the default is whole hours that are rough, which is harder.
FINE = {"hour_shape": 0.0, "bucket_shape": 4.0}


@dataclass(frozen=True)
class Result:
    """What one run of a world gave."""

    bursts: int
    delays: tuple[float, ...]  # minutes, of those found
    false_alarms: int
    weeks: float


def simulate(world: World, seed: int, defaults: Defaults = DEFAULTS) -> Result:
    """Three-hour bursts every other day from the judged days on, in counts that vary by hour, weekday and chance."""
    chance = np.random.default_rng(seed)
    rates = _rates(world, chance)
    bursts = _bursts(world, chance)
    for burst in bursts:
        rates[burst : burst + 36] *= world.strength
    counts = chance.poisson(rates).astype(np.int64)
    fired = _judge(world, counts, chance, defaults)
    delays: list[float] = []
    used: set[float] = set()
    for burst in bursts:
        begin = 5.0 * burst
        inside = [at for at in fired if begin < at <= begin + 180 + 15]
        used.update(at for at in fired if begin < at <= begin + 180 + 60)
        delays += [inside[0] - begin] if inside else []
    return Result(len(bursts), tuple(delays), len(set(fired) - used), (world.days - world.judged_from) / 7)


def _rates(world: World, chance: np.random.Generator) -> np.ndarray:
    hours = np.tile(_HOURS / _HOURS.mean(), world.days)
    weekdays = np.repeat(np.resize(_WEEKDAYS / _WEEKDAYS.mean(), world.days), 24)
    rough = chance.gamma(world.hour_shape, 1 / world.hour_shape, world.days * 24) if world.hour_shape else 1.0
    rates = np.repeat(world.per_hour / 12 * hours * weekdays * rough, 12)
    return rates * chance.gamma(world.bucket_shape, 1 / world.bucket_shape, rates.size) if world.bucket_shape else rates


def _bursts(world: World, chance: np.random.Generator) -> list[int]:
    if world.strength <= 1:
        return []
    first, last = world.hours
    days = range(world.judged_from, world.days - 1, 2)
    return [day * DAY + int(chance.integers(first * 12, last * 12)) for day in days]


def _judge(world: World, counts: np.ndarray, chance: np.random.Generator, defaults: Defaults) -> list[float]:
    """Every minute; one author in ten says more than one thing. Minutes since the beginning at which it fired."""
    fired: list[float] = []
    recent: deque[Seen] = deque()
    fired_at = None
    for at in range((world.judged_from * DAY) - 12, len(counts)):
        begin = MONDAY + at * BUCKET
        coming = deque(_messages(begin, counts[at], chance))
        for minute in range(1, 6):
            now = begin + timedelta(minutes=minute)
            while coming and coming[0].at <= now:
                recent.append(coming.popleft())
            while recent and recent[0].at <= now - timedelta(hours=1):
                recent.popleft()
            if len(recent) < defaults.count or (fired_at and now - fired_at < defaults.quiet):
                continue
            history = Counts(BRAND, MONDAY, counts[: at + minute // 5], tuple(recent))
            if judge_unit(history, now, defaults):
                fired.append(5.0 * at + minute)
                fired_at = now
    return fired


def _messages(begin: datetime, count: int, chance: np.random.Generator) -> list[Seen]:
    seconds = np.sort(chance.uniform(0, 300, count))
    repeats = chance.random(count) < 0.1
    start = int(begin.timestamp())
    return [
        Seen(start + number, str(start + number - bool(repeats[number])), begin + timedelta(seconds=float(second)))
        for number, second in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("world", "recall", "delay_min", "alarms"),
    [(World(10, 5, **FINE), 0.95, 25, 1), (World(10, 5), 0.95, 40, 1), (World(2, 10), 0.95, 45, 1)],
    ids=["x5 at 10 an hour", "x5 at 10 an hour where hours are rough", "x10 at 2 an hour"],
)
def test_bursts_are_found_soon_and_little_else(world: World, recall: float, delay_min: float, alarms: int) -> None:
    """Seven bursts in two weeks each; the benchmark measures many more and is what is promised (`alarms`: half of one a week)."""
    result = simulate(world, seed=3)
    assert len(result.delays) >= recall * result.bursts
    assert float(np.median(result.delays)) <= delay_min
    assert result.false_alarms <= alarms
