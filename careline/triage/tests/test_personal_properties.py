"""Personal data, by properties: any text is read in linear time, spans are sound, and a masked text holds nothing any more."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from careline.triage.personal import KINDS, find_personal, mask
from careline.triage.personal.cards import is_luhn
from careline.triage.personal.folding import fold
from careline.triage.tests.test_personal import FOUND, NOTHING

_PIECES = st.sampled_from([around.format(words) for _, around, words in FOUND] + NOTHING)
_GLUE = st.sampled_from([" ", ", ", "\n", " - ", "; ", "  ", " y ", ": ", "/", ".", "", " 12 ", " tel "])
_STRANGE = st.text(alphabet=st.sampled_from("0123456789 @.-+()/<>:,•[]AaBbES\u200b\u00a0４٤－＠é\n#€x"), max_size=60)


@st.composite
def messages(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(st.one_of(_PIECES, _STRANGE, st.text(max_size=20)), _GLUE), max_size=5))
    return "".join(piece + glue for piece, glue in parts)


@settings(max_examples=400, deadline=None)
@given(messages())
@example("phone ES91 2100 0418 4502 0005 1332 467 3395")
@example("4111 1111 1111 1111 600 123 123 12 34")
def test_a_masked_text_holds_nothing_any_more(text: str) -> None:
    masked = mask(text, find_personal(text))
    assert find_personal(masked) == []
    assert mask(masked, find_personal(masked)) == masked


@settings(max_examples=300, deadline=None)
@given(messages())
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    end = 0
    for span in find_personal(text):
        assert end <= span.start < span.end <= len(text)
        assert span.what in KINDS
        end = span.end


@settings(max_examples=300, deadline=None)
@given(messages())
def test_what_is_not_found_is_not_touched(text: str) -> None:
    spans = find_personal(text)
    masked = mask(text, spans)
    at = 0
    for before, after in zip(
        [0, *(span.end for span in spans)], [*(span.start for span in spans), len(text)], strict=True
    ):
        kept = text[before:after]
        at = masked.index(kept, at) + len(kept)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_folding_gives_the_way_back(text: str) -> None:
    folded = fold(text)
    if folded.origins is not None:
        assert len(folded.origins) == len(folded.text) + 1
        assert folded.origins == sorted(set(folded.origins)) and folded.origins[-1] == len(text)
    else:
        assert len(folded.text) == len(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=4 * 10**14, max_value=5 * 10**14 - 1), st.sampled_from(["", " ", "-", "."]))
def test_every_card_with_its_check_digit_is_found_however_it_is_grouped(number: int, glue: str) -> None:
    digits = next(f"{number}{check}" for check in range(10) if is_luhn(f"{number}{check}"))
    if len(set(digits)) > 1:
        written = glue.join(digits[at : at + 4] for at in range(0, 16, 4))
        assert [one.what for one in find_personal(f"here: {written}")] == ["card"]


_UNITS = [
    "1",
    "1 ",
    "12 ",
    "1.",
    "@",
    "a@",
    "<",
    "4111 ",
    "(1)",
    "600123123 ",
    "GB82",
    "A1",
    "1\u200b",
    "code is ",
    "tel 4 ",
    "[",
    "•",
]


@pytest.mark.parametrize("unit", _UNITS)
def test_the_time_is_linear(unit: str) -> None:
    def spend(size: int) -> float:
        text = unit * (size // len(unit))
        before = time.process_time()
        find_personal(text)
        return time.process_time() - before

    short, long = min(spend(15_000) for _ in range(2)), min(spend(60_000) for _ in range(2))
    assert long < 10 * short + 0.05
