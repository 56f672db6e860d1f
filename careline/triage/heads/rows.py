"""Labelled rows: what a head learns from; drawing few per label, dealing them into folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Numbers = npt.NDArray[np.int64]


class Row(Struct, frozen=True):
    """A text and its label; an empty label means nobody said."""

    text: str
    label: str


def labelled(rows: Sequence[Row]) -> list[Row]:
    """Those somebody labelled."""
    return [row for row in rows if row.label.strip()]


def draw_shots(rows: Sequence[Row], *, shots: int, seed: int) -> list[Row]:
    """At most `shots` rows of each label, the same for the same seed, in the order they stood in."""
    rng = np.random.default_rng(seed)
    labels = np.array([row.label for row in rows])
    chosen: list[int] = []
    for label in sorted(set(labels.tolist())):
        own = np.flatnonzero(labels == label)
        chosen.extend(rng.choice(own, min(shots, len(own)), replace=False).tolist())
    return [rows[number] for number in sorted(chosen)]


def deal(codes: Numbers, *, folds: int, seed: int) -> Numbers:
    """The fold of each row: every label is spread as evenly as its number allows."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    dealt = np.empty(len(codes), dtype=np.int64)
    dealt[order] = np.arange(len(codes)) % folds
    return dealt
