"""How long a text is, in the unit a network counts. A network brings further units by registering a function.

chars and codepoints differ in name only where a platform documents one of them: both count Unicode code points.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

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
    """Cut `text` into parts of at most `limit` units, at paragraph, sentence or word ends where they exist; never inside a grapheme."""
    parts: list[str] = []
    rest = text.strip()
    while measure(rest, unit) > limit:
        head = _longest_head(rest, unit, limit)
        cut = _break_before(rest, len(head))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def _longest_head(text: str, unit: str, limit: int) -> str:
    low, high = 1, len(text)
    clusters = [match.end() for match in _GRAPHEME.finditer(text)]
    low, high = 0, len(clusters) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[: clusters[middle]], unit) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[: clusters[low]]


def _break_before(text: str, end: int) -> int:
    for mark in ("\n\n", "\n", ". ", "? ", "! ", " "):
        at = text.rfind(mark, end // 2, end)
        if at > 0:
            return at + len(mark)
    return end
