"""Personal data in words: where it stands in a message, and the words without it. The detectors live a floor above and register here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

# Hidden until somebody says why they need it. Telephone numbers, addresses and booking references are found too, but they are what an
# agent works with; a workspace may hide them as well.
SENSITIVE: Final = ("card", "iban", "national_id", "ssn", "passport")
Place = Sequence[int | str]
"""(start, end, kind), code points, end exclusive."""

Finder = Callable[[str], list[Place]]
Masker = Callable[[str, Sequence[Place], Collection[str]], str]
_finder: Finder | None = None
_masker: Masker | None = None


def register_detectors(finder: Finder, masker: Masker) -> None:
    """Called once, when the floor above is ready."""
    global _finder, _masker
    _finder, _masker = finder, masker


def find_places(text: str) -> list[Place]:
    """Where personal data stands in a text."""
    return _finder(text) if _finder is not None and text else []


def hide(text: str, places: Sequence[Place] | None = None, kinds: Collection[str] = SENSITIVE) -> str:
    """The words with what is of these kinds hidden; `places` are looked for where they are not known."""
    found = find_places(text) if places is None else places
    wanted = [place for place in found if place[2] in kinds]
    return _masker(text, wanted, kinds) if wanted and _masker is not None else text


def hidden_kinds(places: Sequence[Place], kinds: Collection[str] = SENSITIVE) -> tuple[str, ...]:
    """The kinds of what `hide` hides, each once, in order."""
    return tuple(dict.fromkeys(str(place[2]) for place in places if place[2] in kinds))
