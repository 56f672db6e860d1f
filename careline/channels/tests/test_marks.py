"""A mark names a thread only where this channel made it for this purpose."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from careline.channels import marks
from careline.channels.base import ChannelView

CHANNEL = ChannelView(7, 1, "any", "us", "Aurora", "@aurora", {}, {}, signing_key=b"k" * 32)


@given(st.integers(1, 2**63 - 1))
def test_a_mark_of_ours_is_read_back_and_looks_like_no_number(thread_id: int) -> None:
    mark = marks.mark_of(thread_id, CHANNEL, "private link")
    assert marks.thread_of(mark, CHANNEL, "private link") == thread_id
    assert re.fullmatch(r"[a-z]+-[a-z0-9]+", mark)
    assert not re.search(r"\d{8}", mark)


@given(st.integers(1, 2**63 - 1), st.text(max_size=40))
def test_any_other_names_none(thread_id: int, text: str) -> None:
    mark = marks.mark_of(thread_id, CHANNEL, "private link")
    theirs = msgspec.structs.replace(CHANNEL, signing_key=b"another key of thirty-two bytes.")
    assert marks.thread_of(mark, theirs, "private link") == 0
    assert marks.thread_of(mark, CHANNEL, "another purpose") == 0
    assert marks.thread_of(text, CHANNEL, "private link") == 0
    assert marks.thread_of(f"b{mark}", CHANNEL, "private link") == 0
