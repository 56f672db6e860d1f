"""Why a head said so: what each word of the text adds to the score of a label, by the head's own weights for words and their pieces."""

from __future__ import annotations

from typing import Final

import numpy as np
import regex

from careline.triage.heads.features import count_grams
from careline.triage.heads.head import Head
from careline.triage.normalising import normalise
from careline.triage.protocol import Span

_WORD: Final = regex.compile(r"[\w'’]+|\p{Emoji_Presentation}|[!?]+")
_MOST_WORDS: Final = 80


def why(head: Head, text: str, *, label: str, most: int = 3) -> list[Span]:
    """Strongest first; offsets are code points of `text`. When no word speaks for the label, an empty list."""
    part = next((part for part in head.parts if part.views == ("words",)), None)
    spans = [match.span() for match in _WORD.finditer(text)][:_MOST_WORDS]
    if part is None or not spans or label not in head.card.labels:
        return []
    rows = head.views.words.weigh(count_grams([normalise(text[start:end]) for start, end in spans]))
    weights = part.linear.weights
    speaks = rows @ (weights[:, head.card.labels.index(label)] - weights.mean(axis=1))
    best = [number for number in np.argsort(-speaks, kind="stable")[:most] if speaks[number] > 0]
    return [Span(spans[number][0], spans[number][1], label) for number in best]
