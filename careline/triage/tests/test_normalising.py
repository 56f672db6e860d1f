"""Texts as heads read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.triage.normalising import normalise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  My   bag\n\tis LOST ", "My bag is LOST"),
        ("see https://t.co/abc?x=1 and www.example.test/y", "see http and http"),
        ("Thanks &amp; bye &lt;3", "Thanks & bye <3"),
        ("sooooooo late!!!!!!! 1000000", "sooo late!!! 1000000"),
        ("@united where?", "@united where?"),
        ("mi maleta estÃ¡ rota", "mi maleta está rota"),
        ("a\0b\ud83dc", "a b c"),
        ("👍🏽 gracias", "👍🏽 gracias"),
        ("", ""),
    ],
)
def test_a_text_is_mended_and_masked(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(st.text())
def test_any_text_becomes_one_line_that_can_be_written_down(text: str) -> None:
    plain = normalise(text)
    assert len(plain) <= 2000 and plain == " ".join(plain.split())
    plain.encode()


def test_a_long_text_is_cut() -> None:
    assert len(normalise("word " * 5000)) <= 2000
