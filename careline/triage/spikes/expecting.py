"""What would be usual now: a trimmed mean of the same weekday and hour of earlier weeks, and how much such counts vary. Honest when there is little to go by."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from careline.triage.spikes.counts import BUCKET, UNKNOWN, Counts
from careline.triage.spikes.defaults import Defaults

Basis = Literal["weeks", "days", "pooled"]
_HOUR: Final = timedelta(hours=1) // BUCKET
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_NEIGHBOURS: Final = _HOUR  # counted on both sides of the same time
_LEVEL_BLOCKS, _LEVEL_BLOCK = 4, 3 * _HOUR  # the last twelve hours, in blocks, of which the middle decides
_PRIOR: Final = 0.5  # messages seen beforehand (Jeffreys): silence is no proof that nothing can come
_LEAST_DISPERSION: Final = 0.02
_ROUGH: Final = 0.15  # dispersion taken for granted when earlier spikes are looked for
_OUTLIER_P: Final = 1e-3
_OUTLIER_RATIO: Final = 1.8
_FEWEST_TO_TRIM: Final = 6
# What a basis cannot know, as dispersion: other weekdays; other hours of the day (a morning is five nights).
_BLIND: Final[dict[Basis, float]] = {"weeks": 0.0, "days": 0.25, "pooled": 1.0}


class Expected(NamedTuple):
    """`mean` messages in the window; variance is mean + dispersion x mean^2. `samples`: earlier periods it rests on. `level`: how much more
    than usual the last twelve hours already were (1 to 3).
    """

    mean: float
    dispersion: float
    basis: Basis
    samples: int
    level: float = 1.0

    def tail(self, count: int) -> float:
        """The probability of as many or more (negative binomial)."""
        if count <= 0:
            return 1.0
        size = 1 / self.dispersion
        return float(betainc(count, size, self.mean / (size + self.mean)))


def expect(history: Counts, end: datetime, buckets: int, defaults: Defaults, *, worth: float = 0.0) -> Expected | None:
    """For the window of so many buckets that ends at `end` (a whole five minutes). None when there is too little history to say, and when
    the mean is above `worth` (0: never), where the rest would be worked out in vain.
    """
    last = history.index(end)
    known = int(np.count_nonzero(history.buckets[: max(0, last - buckets)] >= 0))
    if known < defaults.fewest_hours * _HOUR:
        return None
    ends = _earlier_ends(history, end, timedelta(days=7), defaults.most_weeks)
    if len(ends) >= defaults.fewest_weeks:
        return _by_period(history, last, buckets, ends, "weeks", worth)
    ends = _earlier_ends(history, end, timedelta(days=1), 7 * defaults.fewest_weeks)
    if len(ends) >= defaults.fewest_days:
        return _by_period(history, last, buckets, ends, "days", worth)
    return _pooled(history, last, buckets)


def _earlier_ends(history: Counts, end: datetime, period: timedelta, most: int) -> list[int]:
    """The same time by the clock on the wall in earlier periods, as bucket indexes, as far as the whole hour around it is known."""
    zone = ZoneInfo(history.zone)
    wall = end.astimezone(zone).replace(tzinfo=None)
    ends = []
    for back in range(1, most + 1):
        at = history.index((wall - back * period).replace(tzinfo=zone))
        if at - _NEIGHBOURS - _HOUR < 0:
            break
        around = history.buckets[at - _NEIGHBOURS - _HOUR : at + _NEIGHBOURS]
        if np.count_nonzero(around >= 0) >= around.size / 2:
            ends.append(at)
    return ends


def _by_period(
    history: Counts, last: int, buckets: int, ends: list[int], basis: Basis, worth: float
) -> Expected | None:
    """Trimmed mean of the hours around the same time, each brought to this time by the shape of the day."""
    period = _WEEK if basis == "weeks" else _DAY
    past = _Past(_without_spikes(history.buckets[:last], period))
    blocks = np.array([-_NEIGHBOURS, 0, _NEIGHBOURS]) + (_HOUR - buckets) // 2
    shape = _shape_of_day(past, last + blocks)
    rates = _trimmed((past.rates(np.array(ends)[:, None] + blocks, _HOUR) * shape[1] / shape).reshape(-1))
    count = float(rates.sum())
    mean = (count + _PRIOR) / max(1, rates.size) * buckets / _HOUR
    if 0 < worth < mean:
        return None
    spread = max(_LEAST_DISPERSION, _dispersion(past.buckets, buckets, period))
    level = _level(_Past(history.buckets), past, last - buckets, np.array(ends) - buckets)
    unsure = 1 / (count + _PRIOR) + spread / len(ends)
    return Expected(mean * level, spread + unsure + _BLIND[basis], basis, len(ends), level)


class _Past:
    """Sums over any slots of the past at once, made up for what is unknown of them."""

    def __init__(self, buckets: NDArray[np.int64]) -> None:
        self.buckets = buckets
        known = buckets >= 0
        self._counts = np.concatenate([[0], np.cumsum(np.where(known, buckets, 0))])
        self._known = np.concatenate([[0], np.cumsum(known)])

    def rates(self, ends: NDArray[np.int64], size: int) -> NDArray[np.float64]:
        """Messages in the slots of `size` buckets with these ends; nan where less than half is known."""
        until, since = np.clip(ends, 0, len(self.buckets)), np.clip(ends - size, 0, len(self.buckets))
        counts, known = self._counts[until] - self._counts[since], self._known[until] - self._known[since]
        return np.where(2 * known >= size, counts * size / np.maximum(known, 1), np.nan)


def _shape_of_day(past: _Past, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """How busy these hours are on an average day of all the past: what turns a neighbour's count into this hour's."""
    days = np.arange(1, len(past.buckets) // _DAY + 1)
    rates = past.rates(ends[None, :] - days[:, None] * _DAY, _HOUR)
    return np.asarray(
        (np.nansum(rates, axis=0) + 1) / (np.count_nonzero(~np.isnan(rates), axis=0) + 1), dtype=np.float64
    )


def _trimmed(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the highest and the lowest eighth, one of either at least."""
    rates = np.sort(rates[~np.isnan(rates)])
    cut = max(1, rates.size // 8)
    return rates[cut:-cut] if rates.size >= _FEWEST_TO_TRIM else rates


def _without_spikes(buckets: NDArray[np.int64], period: int) -> NDArray[np.int64]:
    """Hours far above the same hour of the other periods become unknown, with those beside them, which hold
    their beginnings and ends: no ordinary hour reaches such a count.
    """
    periods = len(buckets) // period
    if periods < 2:
        return buckets
    start = len(buckets) - periods * period
    table = buckets[start:].reshape(periods, period // _HOUR, _HOUR)
    known = (table >= 0).all(axis=2)
    hours = np.where(known, table.sum(axis=2), 0)
    rest = hours.sum(axis=0) - hours + _PRIOR
    others = rest / np.maximum(np.count_nonzero(known, axis=0) - known, 1)
    shape = 1 / (_ROUGH + 1 / rest)
    high = known & (hours > _OUTLIER_RATIO * others)
    high[high] = betainc(hours[high], shape[high], others[high] / (shape[high] + others[high])) < _OUTLIER_P
    line = high.reshape(-1)
    around = line | np.append(line[1:], False) | np.insert(line[:-1], 0, False)
    cleaned = buckets.copy()
    cleaned[start:][np.repeat(around, _HOUR)] = UNKNOWN
    return cleaned


def _dispersion(buckets: NDArray[np.int64], size: int, period: int) -> float:
    """By moments: how much more than chance the slots of the period differ from one period to the next."""
    periods = len(buckets) // period
    if periods < 2:
        return 0.0
    rows = buckets[len(buckets) - periods * period :].reshape(periods, period)
    table = rows[:, : period // size * size].reshape(periods, -1, size)
    sums = np.where((table >= 0).all(axis=2), table.sum(axis=2), np.nan)
    seen = np.count_nonzero(~np.isnan(sums), axis=0)
    sums, seen = sums[:, seen >= 2], seen[seen >= 2]
    mean = np.nansum(sums, axis=0) / seen
    variance = np.nansum((sums - mean) ** 2, axis=0) / (seen - 1)
    square = float((mean**2 - variance / seen).sum())
    return max(0.0, float((variance - mean).sum()) / square) if square > 0 else 0.0


def _level(now: _Past, past: _Past, last: int, ends: NDArray[np.int64]) -> float:
    """How far the last twelve hours were above their own expectation, beyond chance: a busy day is no spike in each of its hours."""
    back = _LEVEL_BLOCK * np.arange(_LEVEL_BLOCKS)
    said = now.rates(last - back, _LEVEL_BLOCK)
    before = past.rates(ends[:, None] - back, _LEVEL_BLOCK)
    known = ~np.isnan(said) & ~np.isnan(before).all(axis=0)
    if not known.any():
        return 1.0
    usual = np.nansum(before, axis=0)[known] / np.count_nonzero(~np.isnan(before), axis=0)[known]
    ratios = (said[known] - 2 * np.sqrt(said[known])) / np.maximum(usual, 1.0)
    return float(np.clip(np.median(ratios), 1.0, 3.0))


def _pooled(history: Counts, last: int, buckets: int) -> Expected:
    """One rate for all that exists, and wide."""
    past = history.buckets[: last - buckets]
    known = past[past >= 0]
    count = float(known.sum())
    mean = (count + _PRIOR) * buckets / known.size
    return Expected(mean, _BLIND["pooled"] + 1 / (count + _PRIOR), "pooled", 1)
