"""Priority 0 to 100 that explains itself: a list of (reason, points) whose sum is the score. Pure."""

from __future__ import annotations

import math
from typing import Final

from careline.cases.models import Case
from careline.cases.signs import stands, value_of

# PRODUCT.md, "Order of the queue". Value and tier join when facts of customers exist.
WAITING_POINTS: Final = {0: 0, 25: 8, 50: 15, 80: 24, 100: 30}
HARM_POINTS: Final = 25
REPEAT_MOST, REPEAT_EACH = 15, 5
EXPOSURE_MOST, EXPOSURE_PER_DECADE = 10, 2
SENTIMENT_MOST: Final = 10
LEGAL_POINTS: Final = 5


def priority_of(case: Case) -> list[tuple[str, int]]:
    """Reasons with their points, most points first, none with 0. Codes: waiting, harm, failed_elsewhere or repeat, sentiment,
    exposure, legal.
    """
    elsewhere = REPEAT_MOST if stands(case.signs, "failed_elsewhere") else 0
    points = {
        "waiting": WAITING_POINTS.get(case.clock_percent, 0) if case.waiting_since else 0,
        "harm": HARM_POINTS if case.is_harm or stands(case.signs, "harm") else 0,
        "failed_elsewhere": elsewhere,
        "repeat": 0 if elsewhere else _repeat(case),
        "sentiment": _sentiment(case),
        "legal": LEGAL_POINTS if stands(case.signs, "legal") or value_of(case.signs, "harm") == "press" else 0,
        "exposure": exposure(case.reach) if case.is_public else 0,
    }
    return sorted(
        ((code, worth) for code, worth in points.items() if worth), key=lambda reason: (-reason[1], reason[0])
    )


def _sentiment(case: Case) -> int:
    """Points for anger, from a little below neutral to the worst."""
    return (
        round(SENTIMENT_MOST * -case.sentiment_now) if case.sentiment_now is not None and case.sentiment_now < 0 else 0
    )


def exposure(reach: int) -> int:
    """Points for being seen: two per decade of reach, capped, so that waiting outranks fame."""
    return min(EXPOSURE_MOST, round(EXPOSURE_PER_DECADE * math.log10(reach))) if reach > 1 else 0


def _repeat(case: Case) -> int:
    contacts = max(0, case.unanswered_count - 1) + case.reopen_count + (1 if case.follows_id else 0)
    return min(REPEAT_MOST, REPEAT_EACH * contacts)
