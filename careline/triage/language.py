"""The language of a text, in about 15 microseconds: eldc (measured in reference/triage.md). Too little text means no answer, never a guess."""

from __future__ import annotations

import html
import threading
from functools import lru_cache
from typing import Final

import eldc
import regex

_NOISE = regex.compile(r"https?://\S+|[@#]\w+|[\d\p{S}\p{P}]+")
_MOST_CHARS = 600
_FEWEST_LETTERS = 6
_MOST_SCORES: Final = 20
# What eldc calls Indonesian and written Norwegian.
_OUR_CODES: Final = {"ms": "id", "no": "nb"}
# A word or two fit several languages: what most posts are written in goes first. Measured by benchmarks/triage_heads.py language:
# short posts .939 -> .960 with all 60 languages open, .970 -> .971 among eight; word pairs in 26 languages unchanged.
_WEIGHTS: Final = {"en": 1.1, "es": 1.05, "pt": 1.05, "fr": 1.05, "de": 1.05, "it": 1.05}
_lock = threading.Lock()


@lru_cache(maxsize=1)
def _ready() -> bool:
    eldc.init()
    eldc.set_scores(_MOST_SCORES)
    return True


def detect_language(text: str) -> str:
    """ISO 639-1 code, or '' when the text is too short or the detector is not sure."""
    plain = _NOISE.sub(" ", text[:_MOST_CHARS]).strip()
    if sum(map(str.isalpha, plain)) < _FEWEST_LETTERS:
        return ""
    with _lock:
        _ready()
        found = eldc.detect_details(plain)
    return str(found.language or "")[:8] if found.reliable or len(plain) > 40 else ""


def guess_language(text: str, among: tuple[str, ...] = ()) -> str:
    """The likeliest ISO 639-1 code, always one; `among` are the only codes that come into question, if any are given."""
    plain = html.unescape(text[:_MOST_CHARS])
    with _lock:
        _ready()
        found = eldc.detect_details(_NOISE.sub(" ", plain).strip()).scores
    scores = {_OUR_CODES.get(code, code): score * _WEIGHTS.get(code, 1.0) for code, score in found.items()}
    open_to = {code: score for code, score in scores.items() if not among or code in among}
    if "¿" in plain or "¡" in plain:
        open_to |= {"es": 2.0} if not among or "es" in among else {}
    if not open_to:
        return max(among or ("en",), key=lambda code: _WEIGHTS.get(code, 1.0))
    return str(max(open_to, key=lambda code: open_to[code]))
