"""How bad a spike is, 1 to 10, as a sum of parts that can be shown; reach is capped, so that fame never decides."""

from __future__ import annotations

import math
from typing import NamedTuple


class Part(NamedTuple):
    """Points of one reason and the most it can give."""

    name: str
    points: float
    most: float


def severity_parts(
    *, ratio: float, p: float, count: int, authors: int, negative_share: float, reach: int
) -> tuple[Part, ...]:
    """What each reason adds. A spike that only just fires gets little from each."""
    return (
        _part("ratio", math.log2(max(ratio, 1.8) / 1.8), 2.5),
        _part("p", (-math.log10(max(p, 1e-300)) - 4) / 8, 1.5),
        _part("count", math.log10(max(count, 5) / 5), 1.5),
        _part("authors", math.log10(max(authors, 5) / 5), 1.5),
        _part("negative_share", 1.5 * negative_share, 1.5),
        _part("reach", math.log10(1 + max(0, reach)) / 12, 0.5),
    )


def _part(name: str, points: float, most: float) -> Part:
    return Part(name, round(min(max(points, 0.0), most), 2), most)


def severity_of(parts: tuple[Part, ...]) -> int:
    """1 to 10."""
    return max(1, min(10, round(1 + sum(part.points for part in parts))))
