"""How long a text is, in the unit a network counts. A network brings further units by registering a function.

sms_septets and sms_segments are SMS (kit/sms.py). chars and codepoints differ in name only where a platform documents one of them: both count Unicode code points.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import regex

from careline.kit import sms

_GRAPHEME = regex.compile(r"\X")


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _graphemes(text: str) -> int:
    return sum(1 for _ in _GRAPHEME.finditer(text))


_UNITS: dict[str, Callable[[str], int]] = {
    "chars": len,
    "codepoints": len,
    "utf16": _utf16,
    "bytes": _bytes,
    "graphemes": _graphemes,
    "sms_septets": sms.septets,
    "sms_segments": sms.segments,
}


def register_unit(name: str, measure: Callable[[str], int]) -> None:
    """Add a network's own unit, such as X's weighted characters. `measure` is pure and takes the whole text."""
    _UNITS[name] = measure


def units() -> frozenset[str]:
    """Names of all known units."""
    return frozenset(_UNITS)


def measure(text: str, unit: str) -> int:
    """Length of `text` in `unit`. Raises KeyError for a unit nobody registered."""
    return _UNITS[unit](text)


def split(text: str, unit: str, limit: int) -> list[str]:
    """Cut `text` into parts of at most `limit` units, at paragraph, sentence or word ends where they exist.

    Never inside a grapheme, unless one alone is longer than the limit (a letter under a thousand accents); never inside a code point.
    """
    parts: list[str] = []
    rest = text.strip()
    while measure(rest, unit) > limit:
        ends = [match.end() for match in _GRAPHEME.finditer(rest)]
        if measure(rest[: ends[0]], unit) > limit:
            ends = list(range(1, ends[0] + 1))
        cut = _break_before(rest, _longest_head(rest, ends, unit, limit), ends)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def _longest_head(text: str, ends: list[int], unit: str, limit: int) -> int:
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[: ends[middle]], unit) <= limit:
            low = middle
        else:
            high = middle - 1
    return ends[low]


def _break_before(text: str, end: int, ends: list[int]) -> int:
    for mark in ("\n\n", "\n", ". ", "? ", "! ", " "):
        at = text.rfind(mark, end // 2, end)
        cut = at + len(mark)
        if at > 0 and ends[bisect_left(ends, cut)] == cut:
            return cut
    return end
