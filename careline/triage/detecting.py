"""Gives the detectors of personal data to the threads a floor below."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from careline.threads.personal import Place, register_detectors
from careline.triage.personal import find_personal, mask
from careline.triage.protocol import Span


def find(text: str) -> list[Place]:
    """Places as they are kept with a message."""
    return [[span.start, span.end, span.what] for span in find_personal(text)]


def hide(text: str, places: Sequence[Place], kinds: Collection[str]) -> str:
    """The words without what stands at these places."""
    return mask(text, [Span(int(start), int(end), str(what)) for start, end, what in places])


register_detectors(find, hide)
