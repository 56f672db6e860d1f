"""What a detector answers, and the shape all detectors share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Found(NamedTuple):
    """Characters of the folded text, end exclusive."""

    start: int
    end: int
    what: str


# A folded text and the regions whose numbers are expected (ISO 3166, most likely first) to what was found, in order, not overlapping.
Detector = Callable[[str, tuple[str, ...]], Iterator[Found]]
