"""How fast a visitor, and an address, may ask: token buckets in this process's memory, forgotten oldest first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from careline.errors import RateLimited

MOST_BUCKETS = 50_000


class Pace(NamedTuple):
    """At most `burst` at once, and `per_s` a second in the long run."""

    burst: float
    per_s: float


# A whole office or mobile network may share one address, so the address is allowed far more than a visitor.
MESSAGES, MESSAGES_OF_ADDRESS = Pace(20, 0.5), Pace(200, 10)
FILES, FILES_OF_ADDRESS = Pace(10, 0.1), Pace(60, 1)
SESSIONS_OF_ADDRESS = Pace(120, 4)
SIGNS = Pace(60, 4)
READS = Pace(120, 4)


class Limits:
    """All buckets of this process."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, name: str, pace: Pace) -> None:
        """Take one token. Raises RateLimited with the seconds until there is one again."""
        now_s = self._now_s()
        tokens, at_s = self._buckets.pop(name, (pace.burst, now_s))
        tokens = min(pace.burst, tokens + (now_s - at_s) * pace.per_s)
        taken = tokens >= 1
        self._buckets[name] = (tokens - 1 if taken else tokens, now_s)
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if not taken:
            raise RateLimited("too_fast", "Too much at once. Wait a moment.", retry_after_s=(1 - tokens) / pace.per_s)
