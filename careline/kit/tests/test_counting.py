"""Lengths by unit, and cutting a long text so that no part is too long and no word is lost."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from careline.kit import counting

FAMILY = "👩‍👩‍👧‍👦"
clusters = st.sampled_from(["a", "ñ", FAMILY, "e\u0301", "🇪🇸", "?"])
texts = st.lists(
    st.one_of(st.characters(codec="utf-8"), clusters, st.sampled_from([" ", "\n", ". ", "\r\n"])), max_size=300
).map("".join)
sentences = st.lists(st.one_of(clusters, st.sampled_from([" ", "\n\n", ". "])), max_size=200).map("".join)


def _words(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("unit", "length"), [("chars", 8), ("codepoints", 8), ("utf16", 12), ("bytes", 26), ("graphemes", 2)]
)
def test_a_family_and_a_letter_are_as_long_as_the_platform_says(unit: str, length: int) -> None:
    assert counting.measure(f"{FAMILY}a", unit) == length


@given(texts, st.sampled_from(sorted({"chars", "codepoints", "utf16", "bytes", "graphemes"})), st.integers(4, 60))
def test_parts_never_exceed_the_limit_and_lose_no_word(text: str, unit: str, limit: int) -> None:
    parts = counting.split(text, unit, limit)
    assert all(counting.measure(part, unit) <= limit for part in parts)
    assert _words("".join(parts)) == _words(text)
    assert len(parts) == 1 or all(parts)


@given(sentences, st.integers(12, 40))
def test_a_grapheme_that_fits_is_never_torn(text: str, limit: int) -> None:
    pieces = [one for part in counting.split(text, "chars", limit) for one in regex.findall(r"\X", part)]
    assert [one for one in pieces if one.strip()] == [one for one in regex.findall(r"\X", text) if one.strip()]


def test_a_letter_under_a_thousand_accents_is_cut_rather_than_refused_by_the_platform() -> None:
    zalgo = "a" + "\u0301" * 1000
    parts = counting.split(zalgo, "chars", 280)
    assert [len(part) for part in parts] == [280, 280, 280, 161]
    assert "".join(parts) == zalgo


def test_cuts_fall_at_paragraphs_then_sentences_then_words() -> None:
    assert counting.split("One two.\n\nThree four five.", "chars", 16) == ["One two.", "Three four five."]
    assert counting.split("One two three. Four five", "chars", 18) == ["One two three.", "Four five"]
    assert counting.split("onetwo three", "chars", 9) == ["onetwo", "three"]
    assert counting.split("x" * 25, "chars", 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_an_empty_text_is_one_empty_part() -> None:
    assert counting.split("  ", "chars", 10) == [""]


def test_a_network_brings_a_unit_of_its_own() -> None:
    counting.register_unit("weighted-in-this-test", lambda text: 2 * len(text))
    assert "weighted-in-this-test" in counting.units()
    assert counting.split("abcdef", "weighted-in-this-test", 4) == ["ab", "cd", "ef"]
    with pytest.raises(KeyError):
        counting.measure("x", "never-registered")
