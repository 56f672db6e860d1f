"""Business time: when a clock that counts only open hours is due. Pure; times are aware UTC, durations seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

_LONGEST_LOOK_DAYS = 400


@dataclass(frozen=True)
class OpenHours:
    """A calendar ready to count with. `week` maps weekday 0-6 to (start, end) pairs of local minutes; empty is around the clock."""

    zone: str = "UTC"
    week: tuple[tuple[tuple[int, int], ...], ...] = ()
    holidays_country: str = ""
    closed_days: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_always_open(self) -> bool:
        return not any(self.week) and not self.holidays_country and not self.closed_days


ALWAYS = OpenHours()


def open_hours(
    zone: str, hours: dict[str, list[list[str]]], holidays_country: str = "", closed_days: list[str] | None = None
) -> OpenHours:
    """From a Calendar row's columns. Raises ValueError for a malformed time or an end before its start."""
    week = (
        tuple(tuple(_span(start, end) for start, end in hours.get(str(day), [])) for day in range(7)) if hours else ()
    )
    return OpenHours(zone, week, holidays_country, frozenset(closed_days or ()))


def _span(start: str, end: str) -> tuple[int, int]:
    first, last = _minutes(start), _minutes(end)
    if last <= first:
        raise ValueError(f"{start} to {end} is not a span of one day")
    return first, last


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    value = int(hours) * 60 + int(minutes or 0)
    if not 0 <= value <= 24 * 60:
        raise ValueError(text)
    return value


def add_open_time(start_at: datetime, seconds: float, hours: OpenHours) -> datetime:
    """When `seconds` of open time have passed since `start_at`. A calendar that never opens within 400 days counts around the clock."""
    if hours.is_always_open:
        return start_at + timedelta(seconds=seconds)
    left_s = seconds
    for opens_at, closes_at in _openings(start_at, hours):
        begin_at = max(opens_at, start_at)
        span_s = (closes_at - begin_at).total_seconds()
        if span_s >= left_s:
            return begin_at + timedelta(seconds=left_s)
        left_s -= max(0.0, span_s)
    return start_at + timedelta(seconds=seconds)


def open_seconds_between(start_at: datetime, end_at: datetime, hours: OpenHours) -> float:
    """Open time between two moments, seconds; 0 when the end is not after the start."""
    if end_at <= start_at:
        return 0.0
    if hours.is_always_open:
        return (end_at - start_at).total_seconds()
    total_s = 0.0
    for opens_at, closes_at in _openings(start_at, hours):
        if opens_at >= end_at:
            break
        total_s += max(0.0, (min(closes_at, end_at) - max(opens_at, start_at)).total_seconds())
    return total_s


def is_open_at(at: datetime, hours: OpenHours) -> bool:
    """Whether the calendar is open at a moment."""
    return hours.is_always_open or any(
        opens_at <= at < closes_at
        for opens_at, closes_at in _day_openings(at.astimezone(ZoneInfo(hours.zone)).date(), hours)
    )


def _openings(start_at: datetime, hours: OpenHours) -> Iterator[tuple[datetime, datetime]]:
    first_day = start_at.astimezone(ZoneInfo(hours.zone)).date()
    for offset in range(_LONGEST_LOOK_DAYS):
        for opens_at, closes_at in _day_openings(first_day + timedelta(days=offset), hours):
            if closes_at > start_at:
                yield opens_at, closes_at


def _day_openings(day: date, hours: OpenHours) -> Iterator[tuple[datetime, datetime]]:
    if day.isoformat() in hours.closed_days or day in _holidays(hours.holidays_country, day.year):
        return
    zone = ZoneInfo(hours.zone)
    spans = hours.week[day.weekday()] if any(hours.week) else ((0, 24 * 60),)
    for first, last in spans:
        yield _local(day, first, zone), _local(day, last, zone)


def _local(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, minutes = divmod(minutes, 24 * 60)
    return datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    nation, _, region = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(nation, subdiv=region or None, years=year))
    except NotImplementedError:
        return frozenset()
