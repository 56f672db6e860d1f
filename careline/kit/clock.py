"""The one source of "now" (aware UTC), so that tests can set it. Nothing else in the product calls datetime.now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """Current time, aware UTC, moved by `travel` in tests."""
    return datetime.now(UTC) + _shift


def epoch_s() -> float:
    """Seconds since 1970, moved like `now`."""
    return time.time() + _shift.total_seconds()


def from_epoch(seconds: float) -> datetime:
    """Aware UTC from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def parse_iso(text: str) -> datetime:
    """Aware UTC from ISO 8601. Raises ValueError for a naive or malformed time."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)


@contextmanager
def travel(by: timedelta) -> Iterator[None]:
    """For tests: everything inside happens `by` later (or earlier)."""
    global _shift
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before
