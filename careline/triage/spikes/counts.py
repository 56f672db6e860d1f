"""What is counted: units, their five-minute counts, and the messages of the last hour. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

BUCKET: Final = timedelta(minutes=5)
UNKNOWN: Final = -1  # a bucket in which nothing was collected: no count, not a count of none


class Unit(NamedTuple):
    """Topic x place x language; all empty is the brand as a whole. A place is a channel or a surface of one, by the caller's own key."""

    topic: str = ""
    place: str = ""
    language: str = ""


BRAND: Final = Unit()


def units_of(topic: str, place: str, language: str) -> tuple[Unit, ...]:
    """Where a message counts."""
    return BRAND, Unit(topic, place, language)


class Seen(Struct, frozen=True):
    """One message. `author` and `cluster` are keys, `reach` people, `text` already masked."""

    id: int
    author: str
    at: datetime
    text: str = ""
    topic: str = ""
    cluster: int | None = None
    is_negative: bool = False
    reach: int = 0


class Usage(Struct, frozen=True):
    """In how many messages of an ordinary time each term stood."""

    messages: int
    terms: Mapping[str, int]


class Counts(Struct, frozen=True):
    """One unit's history. `buckets[i]` counts the messages from `began_at` + i x 5 min on; -1 where nothing was collected (an outage, the
    time of an earlier spike). `began_at` is aware and whole five minutes. `recent` are all messages of the last hour, or of longer. `usual` is how
    often words are used when nothing is going on; without it no cause is told. `zone`: whose weekdays and hours these are.
    """

    unit: Unit
    began_at: datetime
    buckets: NDArray[np.int64]
    recent: tuple[Seen, ...] = ()
    usual: Usage | None = None
    fired_at: datetime | None = None
    zone: str = "UTC"

    def index(self, at: datetime) -> int:
        """The bucket a time falls into."""
        return (at - self.began_at) // BUCKET


def bucket_counts(times: Iterable[datetime], began_at: datetime, until: datetime) -> NDArray[np.int64]:
    """Counts per bucket of the times from `began_at` up to `until`; both aware, `began_at` whole five minutes."""
    size = max(0, (until - began_at) // BUCKET)
    at = np.fromiter(((time - began_at) // BUCKET for time in times), dtype=np.int64)
    return np.bincount(at[(at >= 0) & (at < size)], minlength=size).astype(np.int64)


def floor_bucket(at: datetime) -> datetime:
    """The beginning of the bucket, in UTC."""
    at = at.astimezone(UTC)
    return at - (at - datetime(2000, 1, 1, tzinfo=UTC)) % BUCKET
