"""Cursors are opaque, typed, and never an error of ours, whatever somebody writes into the address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.errors import InputRefused
from careline.kit.pagination import decode_cursor, encode_cursor

values = st.lists(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
    min_size=1,
    max_size=4,
)


@given(values)
def test_a_cursor_gives_back_what_was_put_in(kept: list[int | str]) -> None:
    cursor = encode_cursor(*kept)
    assert decode_cursor(cursor, *(type(one) for one in kept)) == tuple(kept)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        decode_cursor(text, int, int)
    assert (refused.value.code, refused.value.status) == ("cursor_wrong", 400)


@pytest.mark.parametrize("forged", [(1,), (1, 2, 3), (1, "2"), (True, 1), (2**63, 1), (-(2**70), 1)])
def test_a_cursor_of_another_list_or_beyond_a_column_is_refused(forged: tuple[int | str, ...]) -> None:
    with pytest.raises(InputRefused):
        decode_cursor(encode_cursor(*forged), int, int)


def test_a_nul_never_reaches_the_database() -> None:
    with pytest.raises(InputRefused):
        decode_cursor(encode_cursor("a\0b"), str)
