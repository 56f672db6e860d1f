"""How alike two names are: Spanish names with one or two surnames, accents, order, handles. Pure; a likeness suggests
and never links.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

SAME_NAME: Final = 0.82
ONE_SURNAME_LESS: Final = 0.78
SAME_HANDLE: Final = 0.70
MOST_KEY_CHARS: Final = 160
# Words inside names that do not tell people apart (Spanish, Portuguese, Italian, Dutch, German).
_PARTICLES: Final = frozenset(
    {"de", "del", "la", "las", "los", "y", "da", "do", "dos", "di", "van", "von", "der", "den"}
)
_WORD: Final = regex.compile(r"[\p{L}\p{M}]+")


def name_key(name: str) -> str:
    """A name without case, accents, marks and particles: `María de la Cruz` is `maria cruz`. '' for a name without
    letters.
    """
    folded = "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(char))
    return " ".join(word for word in _WORD.findall(folded) if word not in _PARTICLES)[:MOST_KEY_CHARS]


def name_likeness(one: str, other: str) -> float:
    """0, or how likely two people of these names are one: both need a given name and a surname, and agree in every
    word of the shorter.
    """
    words, others = name_key(one).split(), name_key(other).split()
    if min(len(words), len(others)) < 2:
        return 0.0
    if sorted(words) == sorted(others):
        return SAME_NAME
    shorter, longer = sorted((words, others), key=len)
    return ONE_SURNAME_LESS if longer[: len(shorter)] == shorter and len(longer) - len(shorter) == 1 else 0.0


def handle_likeness(one: str, other: str) -> float:
    """0, or the likeness of equal handles on two networks; short ones say nothing."""
    plain = one.lstrip("@").casefold()
    return SAME_HANDLE if len(plain) >= 6 and plain == other.lstrip("@").casefold() and "@" not in plain else 0.0
