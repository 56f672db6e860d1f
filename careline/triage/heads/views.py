"""How a head looks at texts: words, meaning, tone, and what the shipped heads say of them. Fitted once, then plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, Self

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from scipy import sparse

from careline.triage import encoders
from careline.triage.encoders import Vectors
from careline.triage.encoders.minilm import WIDTH
from careline.triage.heads.features import Centre, Words, count_grams
from careline.triage.heads.linear import Features, Linear

View = Literal["words", "use", "known", "sense", "pooled", "layers", "meaning"]
# How many of MiniLM's blocks each view takes: the sentence vector; with maximum and first token; with the layers below.
_BLOCKS: Final[dict[View, int]] = {"sense": 1, "pooled": 3, "layers": 7}
_KNOWN_WEIGHT: Final = 0.3
# What of the other views makes up the meaning, each of length 1; `layers` without the three blocks of `pooled`.
_MEANING: Final[dict[View, float]] = {"use": 0.6, "sense": 0.8, "layers": 0.8, "known": 0.2}
_MEANING_SIZE: Final = 512
# The live engine shows one batch to several heads: its n-grams are counted once.
_LIVE_BATCH: Final = 256


class Seen(Struct, frozen=True):
    """What was read of some texts before any head looks: counts of n-grams and vectors; what no view needs is empty."""

    counts: sparse.csr_matrix
    use: Vectors
    minilm: Vectors | None = None


class Known(Struct, frozen=True):
    """What heads fitted elsewhere say by meaning alone: one matrix for all of them side by side."""

    centre: Centre
    linears: tuple[Linear, ...]

    def say(self, use: Vectors) -> Vectors:
        found = [linear.score(self.centre.around(use)) for linear in self.linears]
        rows: Vectors = (_KNOWN_WEIGHT * np.maximum(np.concatenate(found, axis=1), -6)).astype(np.float32)
        return rows


class Views(Struct, frozen=True):
    """The fitted views of one head."""

    words: Words
    centres: dict[str, Centre]
    known: tuple[Known, ...] = ()
    axes: Vectors | None = None

    @classmethod
    def fit(cls, seen: Seen, *, most_words: int, known: tuple[Known, ...] = (), with_meaning: bool = False) -> Self:
        """`with_meaning` is for heads that are not in a hurry: the directions in which all that is known of a meaning varies."""
        centres = {"use": Centre.fit(seen.use)}
        if seen.minilm is not None:
            centres["minilm"] = Centre.fit(seen.minilm, blocks=_BLOCKS["layers"])
        views = cls(Words.fit(seen.counts, most=most_words), centres, known)
        return replace(views, axes=_find_axes(_mean(views.show(seen).views))) if with_meaning else views

    def show(self, seen: Seen) -> Shown:
        """Every view of the texts, ready to be put together."""
        shown: dict[View, Features] = {
            "words": self.words.weigh(seen.counts),
            "use": self.centres["use"].around(seen.use),
        }
        if self.known:
            shown["known"] = np.concatenate([known.say(seen.use) for known in self.known], axis=1)
        if seen.minilm is not None and "minilm" in self.centres:
            rows = self.centres["minilm"].around(seen.minilm)
            shown |= {view: rows[:, : blocks * WIDTH] for view, blocks in _BLOCKS.items()}
        if self.axes is not None:
            shown["meaning"] = _mean(shown) @ self.axes
        return Shown(shown)


class Shown(Struct, frozen=True):
    views: dict[View, Features]

    def together(self, names: Sequence[View]) -> Features:
        """The named views side by side; those that are not there are passed over."""
        found = [self.views[name] for name in names if name in self.views]
        if len(found) == 1:
            return found[0]
        if "words" in names:
            return sparse.hstack([sparse.csr_matrix(part) for part in found]).tocsr()
        return np.concatenate([np.asarray(part) for part in found], axis=1)


def see(texts: Sequence[str], *, with_minilm: bool, use: Vectors | None = None) -> Seen:
    """Read normalised texts; `use` are their vectors where they are known already."""
    vectors = encoders.use().encode(texts) if use is None else use
    counts = _counted(tuple(texts)) if len(texts) <= _LIVE_BATCH else count_grams(texts)
    return Seen(counts, vectors, encoders.minilm().encode(texts) if with_minilm else None)


def _mean(shown: dict[View, Features]) -> Vectors:
    """Rows of length 1."""
    blocks = [weight * _unit(_own(view, shown[view])) for view, weight in _MEANING.items() if view in shown]
    return _unit(np.concatenate(blocks, axis=1))


def _own(view: View, rows: Vectors) -> Vectors:
    return rows[:, _BLOCKS["pooled"] * WIDTH :] if view == "layers" else rows


def _unit(rows: Vectors) -> Vectors:
    found: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return found


def _find_axes(rows: Vectors) -> Vectors:
    """The strongest directions, as columns: distances along them are nearly those of the rows, in a fifth of the room."""
    from sklearn.utils.extmath import randomized_svd

    size = min(_MEANING_SIZE, *rows.shape)
    found: Vectors = randomized_svd(rows, size, n_iter=3, random_state=0)[2].T.astype(np.float32)
    return found


@lru_cache(maxsize=4)
def _counted(texts: tuple[str, ...]) -> sparse.csr_matrix:
    return count_grams(texts)
