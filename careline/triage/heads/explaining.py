"""Why a head said so: what each word of the text adds to the score of a label, by the head's own weights for words and their pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import regex

from careline.triage.heads.features import count_grams
from careline.triage.heads.head import Head, Part
from careline.triage.normalising import normalise
from careline.triage.protocol import Span

_WORD: Final = regex.compile(r"[\w'’]+|\p{Emoji_Presentation}|[!?]+")
_MOST_WORDS: Final = 80
_MOST_HEARD: Final = 20_000


def why(head: Head, text: str, *, label: str, most: int = 3) -> list[Span]:
    """Strongest first; offsets are code points of `text`. When no word speaks for the label, an empty list."""
    part = next((part for part in head.parts if part.views == ("words",)), None)
    spans = [match.span() for match in _WORD.finditer(text)][:_MOST_WORDS]
    if part is None or not spans or label not in head.card.labels:
        return []
    words = [text[start:end].lower() for start, end in spans]
    _hear(head, part, [word for word in dict.fromkeys(words) if word not in head.heard])
    code = head.card.labels.index(label)
    speaks = np.array([head.heard[word][code] for word in words])
    best = [number for number in np.argsort(-speaks, kind="stable")[:most] if speaks[number] > 0]
    return [Span(spans[number][0], spans[number][1], label) for number in best]


def _hear(head: Head, part: Part, words: Sequence[str]) -> None:
    """Remember what new words speak for: their part of each label's score beyond the labels' mean."""
    if not words:
        return
    if len(head.heard) > _MOST_HEARD:
        head.heard.clear()
    counts = count_grams([normalise(word) for word in words])
    rows, columns, values = head.views.words.pick(counts)
    for number, word in enumerate(words):
        own = slice(*np.searchsorted(rows, (number, number + 1)))
        speaks = values[own] @ part.linear.weights[columns[own]]
        head.heard[word] = speaks - speaks.mean()
