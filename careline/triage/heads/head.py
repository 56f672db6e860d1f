"""A head: labelled rows in, judgements out. One way for every verdict, data set and size; nothing here knows what a label means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from careline.triage import encoders
from careline.triage.encoders import Vectors
from careline.triage.heads.blending import Blend, measure_familiar
from careline.triage.heads.examples import Examples
from careline.triage.heads.linear import Linear, Scores
from careline.triage.heads.rows import Row, labelled
from careline.triage.heads.views import Known, View, Views, see
from careline.triage.normalising import normalise
from careline.triage.protocol import Span

# light: words and USE, for the live engine; multilingual: the same at length; english: with MiniLM.
Reading = Literal["light", "multilingual", "english"]
VERSION: Final = 1
_JUDGED_AT_ONCE: Final = 2_000
_PERCENTS: Final = np.arange(101)


class Part(Struct, frozen=True):
    """One classifier over some views side by side."""

    views: tuple[View, ...]
    linear: Linear


class Guess(Struct, frozen=True):
    """A label with its calibrated probability; `probabilities` stand in the order of the head's labels.

    `familiar`, 0 to 1, is how much the text is like anything the head knows; it tells what belongs to no label better than
    the confidence does (CLINC150, 10 shots: AUROC .98 against .94).
    """

    label: str
    confidence: float
    probabilities: npt.NDArray[np.float64]
    familiar: float


class Card(Struct, frozen=True):
    """What a head was made from and how good it was on rows held out from it."""

    labels: tuple[str, ...]
    examples: tuple[int, ...]
    rows: int
    accuracy: float
    macro_f1: float
    folds: int
    seed: int
    reading: Reading
    parts: tuple[str, ...]
    version: int
    made_at: str


class Head(Struct, frozen=True, eq=False):
    """Judges texts by one verdict. `doubt[i]` and `strange[i]` are the confidence and familiarity that i % of the held-out rows fell
    below; `examples` are some of the rows;
    `heard` remembers what words speak for, and is no part of the bytes.
    """

    card: Card
    views: Views
    parts: tuple[Part, ...]
    blend: Blend
    doubt: npt.NDArray[np.float32]
    strange: npt.NDArray[np.float32]
    examples: Examples
    heard: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        rows: Sequence[Row],
        *,
        reading: Reading = "light",
        seed: int = 42,
        vectors: Vectors | None = None,
        known: tuple[Known, ...] = (),
    ) -> Head:
        """Learn from rows; those without a label are passed over. `vectors` are USE's, a row each, of the labelled rows' normalised texts.

        The same rows and seed give the same head. Raises InputRefused when fewer than two labels remain.
        """
        from careline.triage.heads.fitting import fit_head

        return fit_head(rows, reading=reading, seed=seed, vectors=vectors, known=known)

    @staticmethod
    def from_bytes(content: bytes) -> Head:
        """Raises InputRefused for what is no head, or one of another version."""
        from careline.triage.heads.storing import from_bytes

        return from_bytes(content)

    def to_bytes(self) -> bytes:
        """For a file or a row; the same head gives the same bytes."""
        from careline.triage.heads.storing import to_bytes

        return to_bytes(self)

    def judge(self, texts: Sequence[str], *, vectors: Vectors | None = None) -> list[Guess]:
        """One guess a text, in order. `vectors` are USE's of the normalised texts, where they are known already."""
        scores = self._scores(texts, vectors=vectors)
        chances, familiar = (
            self.blend.probabilities(scores),
            measure_familiar(scores, [part.linear.way for part in self.parts]),
        )
        labels = self.card.labels
        return [
            Guess(labels[int(row.argmax())], float(row.max()), row, float(known))
            for row, known in zip(chances, familiar, strict=True)
        ]

    def probabilities(self, texts: Sequence[str], *, vectors: Vectors | None = None) -> Scores:
        """Texts x labels."""
        return self.blend.probabilities(self._scores(texts, vectors=vectors))

    def is_unknown(self, guess: Guess, given_up: float) -> bool:
        """Whether the text belongs to no label, if that share (0 to 1) of what the head was made for may be given up."""
        return guess.familiar < float(np.interp(given_up * 100, _PERCENTS, self.strange))

    def _scores(self, texts: Sequence[str], *, vectors: Vectors | None) -> Scores:
        found = [np.empty((0, len(self.parts), len(self.card.labels)))]
        for start in range(0, len(texts), _JUDGED_AT_ONCE):
            some = [normalise(text) for text in texts[start : start + _JUDGED_AT_ONCE]]
            given = None if vectors is None else vectors[start : start + _JUDGED_AT_ONCE]
            seen = see(some, with_minilm=self.card.reading == "english", use=given)
            shown = self.views.show(seen)
            scores = [part.linear.score(shown.together(part.views)) for part in self.parts]
            found.append(np.stack(scores, axis=1))
        return np.concatenate(found)

    def why(self, text: str, most: int = 3, *, label: str = "") -> list[Span]:
        """The words that speak most for `label` (or for what the head would say), strongest first; offsets are code points of `text`."""
        from careline.triage.because import Because

        return list(Because([text]).words(0, self, label or self.judge([text])[0].label, most))

    def nearest(self, text: str, most: int = 3) -> list[tuple[Row, float]]:
        """The examples the head kept that mean nearly the same, nearest first, with their cosine."""
        return self.examples.nearest(encoders.use().encode([normalise(text)])[0], most)

    def accuracy_on(self, rows: Sequence[Row]) -> float:
        """The share of the labelled rows it judges as labelled; rows it was fitted on flatter it."""
        known = labelled(rows)
        guesses = self.judge([row.text for row in known])
        return sum(guess.label == row.label for guess, row in zip(guesses, known, strict=True)) / max(len(known), 1)

    def threshold(self, given_up: float) -> float:
        """The confidence below which that share (0 to 1) of what the head was made for falls."""
        return float(np.interp(given_up * 100, _PERCENTS, self.doubt))
