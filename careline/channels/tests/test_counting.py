"""A text is as long as its platform says, and is cut only where a reader would cut it."""

from __future__ import annotations

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from careline.channels.capabilities import TextRule
from careline.kit import counting

FAMILY = "👩‍👩‍👧‍👦"
UNITS = sorted(counting.units() & {"chars", "codepoints", "utf16", "bytes", "graphemes"})
TEXTS = st.text(max_size=120)
WORDS = st.lists(st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=12), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("hola", {"chars": 4, "codepoints": 4, "utf16": 4, "bytes": 4, "graphemes": 4}),
        ("ñandú", {"chars": 5, "codepoints": 5, "utf16": 5, "bytes": 7, "graphemes": 5}),
        ("e\u0301", {"chars": 2, "codepoints": 2, "utf16": 2, "bytes": 3, "graphemes": 1}),
        (FAMILY, {"chars": 7, "codepoints": 7, "utf16": 11, "bytes": 25, "graphemes": 1}),
        ("🇪🇸", {"chars": 2, "codepoints": 2, "utf16": 4, "bytes": 8, "graphemes": 1}),
        ("", {"chars": 0, "codepoints": 0, "utf16": 0, "bytes": 0, "graphemes": 0}),
        ("\r\n", {"chars": 2, "codepoints": 2, "utf16": 2, "bytes": 2, "graphemes": 1}),
    ],
)
def test_each_unit_counts_as_documented(text: str, lengths: dict[str, int]) -> None:
    assert {unit: counting.measure(text, unit) for unit in UNITS} == lengths


@given(TEXTS)
def test_units_stand_in_their_natural_order(text: str) -> None:
    assert counting.measure(text, "graphemes") <= counting.measure(text, "codepoints")
    assert counting.measure(text, "codepoints") <= counting.measure(text, "utf16") <= counting.measure(text, "bytes")


@given(TEXTS, TEXTS, st.sampled_from(UNITS))
def test_a_longer_text_is_never_shorter(head: str, tail: str, unit: str) -> None:
    assert counting.measure(head + tail, unit) >= counting.measure(head, unit)


@given(WORDS, st.sampled_from(UNITS), st.integers(50, 120))
def test_every_part_of_a_split_fits(words: list[str], unit: str, limit: int) -> None:
    assert all(counting.measure(part, unit) <= limit for part in counting.split(" ".join(words), unit, limit))


@given(WORDS, st.sampled_from(UNITS), st.integers(50, 120))
def test_a_split_loses_no_word(words: list[str], unit: str, limit: int) -> None:
    text = " ".join(words)
    assert "".join(counting.split(text, unit, limit)).replace(" ", "") == text.replace(" ", "")


@given(
    st.lists(st.sampled_from([FAMILY, "🇪🇸", "e\u0301", "a", " ", "ñ"]), min_size=1, max_size=60), st.integers(25, 60)
)
def test_a_split_never_cuts_a_grapheme(marks: list[str], limit: int) -> None:
    text = "".join(marks).strip()
    assume(text)
    whole = regex.findall(r"\X", text.replace(" ", ""))
    parts = [
        mark for part in counting.split(text, "bytes", limit) for mark in regex.findall(r"\X", part.replace(" ", ""))
    ]
    assert parts == whole


@given(st.text(min_size=1, max_size=40), st.sampled_from(UNITS))
def test_what_fits_is_one_part(text: str, unit: str) -> None:
    assume(text.strip())
    assert counting.split(text, unit, 4000) == [text.strip()]


def test_a_split_prefers_the_end_of_a_sentence() -> None:
    text = "Lo sentimos mucho. " + "Su maleta llega mañana por la tarde a su hotel."
    assert counting.split(text, "graphemes", 55)[0] == "Lo sentimos mucho." or text[:55].rfind(". ") < 27


def test_a_network_brings_a_unit_of_its_own() -> None:
    counting.register_unit("weighed", lambda text: 2 * len(text))
    try:
        assert TextRule(max_length=10, unit="weighed").fits("12345")
        assert not TextRule(max_length=10, unit="weighed").fits("123456")
    finally:
        counting._UNITS.pop("weighed")


def test_an_unknown_unit_is_an_error_not_a_guess() -> None:
    with pytest.raises(KeyError):
        counting.measure("hola", "furlongs")


@given(TEXTS, st.integers(1, 50), st.integers(1, 100))
def test_a_text_fits_only_within_every_limit(text: str, limit: int, limit_bytes: int) -> None:
    rule = TextRule(max_length=limit, unit="graphemes", max_bytes=limit_bytes)
    assert rule.fits(text) == (rule.length(text) <= limit and len(text.encode("utf-8", "surrogatepass")) <= limit_bytes)
