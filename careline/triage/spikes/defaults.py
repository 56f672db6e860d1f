"""When a spike fires: the numbers of PRODUCT.md, with their units, in one frozen place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Defaults:
    """`windows`: the spans counted, ending now. A unit fires when all four hold in one of them: tail probability below `p`, at least
    `ratio` times the expected, at least `count` messages by at least `authors` authors.
    """

    windows: tuple[timedelta, ...] = (timedelta(minutes=15), timedelta(minutes=60))
    p: float = 1e-4
    ratio: float = 1.8
    count: int = 5
    authors: int = 5
    cold_window: timedelta = timedelta(minutes=30)  # a new cluster needs `authors` within it
    quiet: timedelta = timedelta(minutes=60)  # after firing
    fewest_weeks: int = 3  # to expect by weekday and hour
    most_weeks: int = 6
    fewest_days: int = 3  # to expect by hour of the day, before there are weeks
    fewest_hours: int = 6  # to expect anything at all
    examples: int = 3
    causes: int = 5


DEFAULTS: Final = Defaults()
