"""Why heads said what they said of a whole batch: the words that speak most for a label, read once for every head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import regex

from careline.triage.heads import Head
from careline.triage.heads.features import count_grams
from careline.triage.normalising import normalise
from careline.triage.protocol import Span

_WORD: Final = regex.compile(r"[\w'’]+|\p{Emoji_Presentation}|[!?]+")
_MOST_WORDS: Final = 80


class Because:
    """The words of a batch of texts. Scores are kept per head for the batch's life."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._spans = [[match.span() for match in _WORD.finditer(text)][:_MOST_WORDS] for text in texts]
        self._words: dict[str, int] = {}
        self._places = [
            [self._words.setdefault(normalise(text[start:end]), len(self._words)) for start, end in spans]
            for text, spans in zip(texts, self._spans, strict=True)
        ]
        self._counts = count_grams(list(self._words))
        self._scores: dict[int, npt.NDArray[np.float32] | None] = {}

    def words(self, number: int, head: Head, label: str, most: int) -> tuple[Span, ...]:
        """The strongest words of one text for a label, in the order of their strength; () when none speaks for it."""
        scores = self._of(head)
        places = self._places[number]
        if scores is None or not places or label not in head.card.labels:
            return ()
        speaks = scores[places, head.card.labels.index(label)]
        best = [at for at in np.argsort(-speaks, kind="stable")[:most].tolist() if speaks[at] > 0]
        return tuple(Span(self._spans[number][at][0], self._spans[number][at][1], label) for at in best)

    def _of(self, head: Head) -> npt.NDArray[np.float32] | None:
        if id(head) not in self._scores:
            part = next((part for part in head.parts if part.views == ("words",)), None)
            self._scores[id(head)] = self._score(head, part.linear.weights) if part is not None else None
        return self._scores[id(head)]

    def _score(self, head: Head, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        rows = head.views.words.weigh(self._counts)
        scores: npt.NDArray[np.float32] = np.asarray(rows @ (weights - weights.mean(axis=1, keepdims=True)))
        return scores
