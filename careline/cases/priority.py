"""Priority 0 to 100 that explains itself: a list of (reason, points) whose sum is the score. Pure."""

from __future__ import annotations

import math
from typing import Final

from careline.cases.models import Case

# PRODUCT.md, "Order of the queue". Sentiment, legal and value join when triage and customer facts exist.
WAITING_POINTS: Final = {0: 0, 25: 8, 50: 15, 80: 24, 100: 30}
HARM_POINTS: Final = 25
REPEAT_MOST, REPEAT_EACH = 15, 5
EXPOSURE_MOST, EXPOSURE_PER_DECADE = 10, 2


def priority_of(case: Case) -> list[tuple[str, int]]:
    """Reasons with their points, most points first, none with 0. Codes: waiting, harm, repeat, exposure."""
    points = {
        "waiting": WAITING_POINTS.get(case.clock_percent, 0) if case.waiting_since else 0,
        "harm": HARM_POINTS if case.is_harm else 0,
        "repeat": _repeat(case),
        "exposure": exposure(case.reach) if case.is_public else 0,
    }
    return sorted(
        ((code, worth) for code, worth in points.items() if worth), key=lambda reason: (-reason[1], reason[0])
    )


def exposure(reach: int) -> int:
    """Points for being seen: two per decade of reach, capped, so that waiting outranks fame."""
    return min(EXPOSURE_MOST, round(EXPOSURE_PER_DECADE * math.log10(reach))) if reach > 1 else 0


def _repeat(case: Case) -> int:
    contacts = max(0, case.unanswered_count - 1) + case.reopen_count + (1 if case.follows_id else 0)
    return min(REPEAT_MOST, REPEAT_EACH * contacts)
