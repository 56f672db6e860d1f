"""Texts to features: words by hashed TF-IDF, meaning by encoders. A head keeps numbers only, never the words it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from scipy import sparse

from careline.triage.encoders import Vectors
from careline.triage.heads.rows import Numbers

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer

_WIDTH: Final = 2**18
_WORD_PATTERN: Final = r"(?u)\w+|[^\w\s]"
_FEWEST_ROWS_FOR_RARE: Final = 500


class Words(Struct, frozen=True):
    """Which hashed n-grams count and how much: words and pairs in the lower half, pieces of words (2 to 5 letters) in the upper."""

    columns: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, counts: sparse.csr_matrix, *, most: int = 2 * _WIDTH) -> Words:
        """From `count_grams`: what stands in one text only is left out where there are many; of the rest the `most` common are kept."""
        rows = counts.shape[0]
        seen = np.bincount(counts.indices, minlength=counts.shape[1])
        fewest = 2 if rows >= _FEWEST_ROWS_FOR_RARE else 1
        columns = np.flatnonzero(seen >= fewest)
        if len(columns) > most:
            columns = np.sort(columns[np.argsort(-seen[columns], kind="stable")[:most]])
        weights = np.log((1 + rows) / (1 + seen[columns])) + 1
        return cls(columns.astype(np.int32), weights.astype(np.float32))

    def weigh(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """TF-IDF, words and pieces each of length 1."""
        rows, columns, values = self.pick(counts)
        starts = np.searchsorted(rows, np.arange(counts.shape[0] + 1))
        return sparse.csr_matrix((values, columns, starts), shape=(counts.shape[0], len(self.columns)))

    def pick(self, counts: sparse.csr_matrix) -> tuple[Numbers, Numbers, npt.NDArray[np.float32]]:
        """The same as row, column and value of everything that counts, by row."""
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        columns = np.searchsorted(self.columns, counts.indices)
        columns[columns == len(self.columns)] = 0
        counted = self.columns[columns] == counts.indices if len(self.columns) else np.zeros(len(columns), dtype=bool)
        rows, columns, often = rows[counted], columns[counted], counts.data[counted]
        values = (1 + np.log(often)) * self.weights[columns]
        halves = 2 * rows + (self.columns[columns] >= _WIDTH)
        lengths = np.sqrt(np.bincount(halves, values.astype(np.float64) ** 2))
        return rows, columns, (values / lengths[halves]).astype(np.float32)


def count_grams(texts: Sequence[str]) -> sparse.csr_matrix:
    """How often each hashed n-gram stands in each text."""
    if not texts:
        return sparse.csr_matrix((0, 2 * _WIDTH), dtype=np.float32)
    return sparse.hstack([vectorizer.transform(texts) for vectorizer in _vectorizers()]).tocsr()


class Centre(Struct, frozen=True):
    """The middle of the training vectors, taken away from every block before it is brought to length 1 again."""

    middle: npt.NDArray[np.float32]
    blocks: int

    @classmethod
    def fit(cls, vectors: Vectors, *, blocks: int = 1) -> Centre:
        return cls(vectors.mean(axis=0), blocks)

    def around(self, vectors: Vectors) -> Vectors:
        shaped = (vectors - self.middle).reshape(len(vectors), self.blocks, -1)
        lengths = np.linalg.norm(shaped, axis=2, keepdims=True)
        rows: Vectors = (shaped / np.maximum(lengths, 1e-6)).reshape(len(vectors), -1).astype(np.float32)
        return rows


@lru_cache(maxsize=1)
def _vectorizers() -> tuple[HashingVectorizer, HashingVectorizer]:
    from sklearn.feature_extraction.text import HashingVectorizer

    shape = {"n_features": _WIDTH, "alternate_sign": False, "norm": None, "dtype": np.float32}
    words = HashingVectorizer(ngram_range=(1, 2), token_pattern=_WORD_PATTERN, **shape)
    pieces = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), **shape)
    return words, pieces
