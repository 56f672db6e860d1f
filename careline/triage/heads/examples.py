"""Some of the rows a head learned from, kept to be shown beside what it says. The caller masks what must not be kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from careline.triage.encoders import Vectors
from careline.triage.heads.rows import Numbers, Row


class Examples(Struct, frozen=True, eq=False):
    rows: tuple[Row, ...]
    vectors: Vectors

    def nearest(self, vector: Vectors, most: int) -> list[tuple[Row, float]]:
        """By cosine, nearest first."""
        if not self.rows:
            return []
        near = self.vectors @ vector
        return [(self.rows[number], float(near[number])) for number in near.argsort()[::-1][:most]]


def keep_examples(rows: Sequence[Row], vectors: Vectors, codes: Numbers, *, most: int, seed: int) -> Examples:
    """At most `most`, as many of each label as can be; the same for the same seed."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))
    rank = np.empty(len(rows), dtype=np.int64)
    for code in np.unique(codes):
        own = order[codes[order] == code]
        rank[own] = np.arange(len(own))
    chosen = np.sort(np.argsort(rank, kind="stable")[:most])
    return Examples(tuple(rows[number] for number in chosen), vectors[chosen].astype(np.float32))
