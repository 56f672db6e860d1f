"""The earlier weeks of units, read from their buckets once and kept up to date: what was usual. Nothing is judged here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db.models import Min, QuerySet
from numpy.typing import NDArray

from careline.triage.models import Bucket, Spike
from careline.triage.spikes.counts import BUCKET, UNKNOWN, Unit, floor_bucket
from careline.triage.watching.counting import BUCKET_S

WEEKS: Final = 7  # six weeks are compared, and the hour before the oldest of them
_SPAN: Final = timedelta(weeks=WEEKS) // BUCKET
_AHEAD: Final = timedelta(days=1) // BUCKET  # then everything is read anew
_BECOMES_USUAL: Final = timedelta(days=1)
_OVERLAP: Final = timedelta(hours=2)  # messages that were judged late
_MOST: Final = 65_535  # a bucket of more is as many
Span = tuple[datetime, datetime]


class Histories:
    """Of one workspace's units, those asked for last: at most `most`, 29 kB each."""

    def __init__(self, workspace_id: int, most: int = 1200) -> None:
        self._workspace_id = workspace_id
        self._most = most
        self._base: datetime | None = None
        self._read_at: datetime | None = None
        self._counts: OrderedDict[Unit, NDArray[np.uint16]] = OrderedDict()
        self._starts: dict[Unit, int] = {}
        self._spikes: dict[Unit, list[Span]] = {}

    def bring(self, units: Collection[Unit], now: datetime) -> None:
        """Read what is not known of them. Five statements at most, none when nothing is new since the last five minutes."""
        bucket = floor_bucket(now)
        if self._base is None or not timedelta(0) <= bucket - self._base < (_SPAN + _AHEAD) * BUCKET:
            self._base = bucket - _SPAN * BUCKET
            self._counts.clear()
            self._read_at = None
        if self._read_at is not None and self._read_at < bucket:
            self._take(Bucket.objects.filter(began_at__gte=self._read_at - _OVERLAP))
        if missing := [unit for unit in units if unit not in self._counts]:
            self._load(missing)
        self._read_at = bucket
        for unit in units:
            self._counts.move_to_end(unit)
        while len(self._counts) > max(self._most, len(units)):
            self.forget(next(iter(self._counts)))

    def forget(self, unit: Unit) -> None:
        """It is read anew when next asked for."""
        self._counts.pop(unit, None)
        self._starts.pop(unit, None)
        self._spikes.pop(unit, None)

    def of(self, unit: Unit, now: datetime, going_on: Span | None = None) -> tuple[datetime, NDArray[np.int64]]:
        """(when it begins, counts up to now): unknown before anything was collected and while spikes went on."""
        assert self._base is not None
        buckets = self._counts[unit][: (floor_bucket(now) - self._base) // BUCKET].astype(np.int64)
        buckets[: self._starts[unit]] = UNKNOWN
        for since, until in [*self._spikes.get(unit, ()), *([going_on] if going_on else [])]:
            buckets[max(0, self._place(since)) : max(0, self._place(until) + 1)] = UNKNOWN
        return self._base, buckets

    def _place(self, at: datetime) -> int:
        assert self._base is not None
        return (at - self._base) // BUCKET

    def _load(self, units: list[Unit]) -> None:
        for unit in units:
            self._counts[unit] = np.zeros(_SPAN + _AHEAD, dtype=np.uint16)
        places, topics = {unit.place for unit in units}, {unit.topic for unit in units}
        wanted = Bucket.objects.filter(place__in=places, topic__in=topics, began_at__gte=self._base)
        self._take(wanted.filter(language__in={unit.language for unit in units}), set(units))
        self._find_starts(units)
        self._find_spikes(units)

    def _take(self, rows: QuerySet[Bucket], only: Collection[Unit] | None = None) -> None:
        """Counts of units that are known."""
        assert self._base is not None
        base_s = self._base.timestamp()
        columns = rows.filter(workspace_id=self._workspace_id).values_list(
            "topic", "place", "language", "began_at", "count"
        )
        wanted = self._counts if only is None else {unit: self._counts[unit] for unit in only}
        for topic, place, language, began_at, count in columns.iterator(chunk_size=5000):
            known = wanted.get(Unit(topic, place, language))
            at = int(began_at.timestamp() - base_s) // BUCKET_S
            if known is not None and 0 <= at < known.size:
                known[at] = min(count, _MOST)

    def _find_starts(self, units: Iterable[Unit]) -> None:
        """Since when is counted: a topic or a channel that is new says nothing of the time before. Two statements."""
        mine = Bucket.objects.filter(workspace_id=self._workspace_id, began_at__gte=self._base)
        by_place = mine.filter(place__in={unit.place for unit in units})
        places = dict(by_place.values_list("place").annotate(first=Min("began_at")).order_by())
        topics: dict[str, datetime] = {}
        if named := {unit.topic for unit in units if unit.topic}:
            topics = dict(mine.filter(topic__in=named).values_list("topic").annotate(first=Min("began_at")).order_by())
        for unit in units:
            known = [one for one in (places.get(unit.place), topics.get(unit.topic)) if one is not None]
            self._starts[unit] = max((self._place(one) for one in known), default=_SPAN + _AHEAD)

    def _find_spikes(self, units: Iterable[Unit]) -> None:
        """When they were not as usual. What a person dismissed was usual after all. One statement."""
        ended = Spike.objects.filter(workspace_id=self._workspace_id, rule="unit", ended_at__gte=self._base)
        spans: dict[Unit, list[Span]] = {}
        for one in ended.exclude(state="dismissed").only(
            "topic", "place", "language", "first_at", "last_at", "window_s"
        ):
            unit = Unit(one.topic, one.place, one.language)
            spans.setdefault(unit, []).append(span_of(one))
        self._spikes.update({unit: spans[unit] for unit in units if unit in spans})


def span_of(spike: Spike) -> Span:
    """When it went on, as far as it was out of the usual: what lasts longer than a day is becoming the usual, and must be learned."""
    return spike.first_at - timedelta(seconds=spike.window_s), min(spike.last_at, spike.first_at + _BECOMES_USUAL)
