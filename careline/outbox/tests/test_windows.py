"""Windows: until when we may write, who may, and the code that says why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from careline.channels.capabilities import Surface, Window
from careline.outbox.windows import window_of

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _surface(*windows, **more):
    return Surface(name="dm", visibility="private", windows=windows, **more)


PLAIN = _surface(Window("inbound_message", 3600))
TWO = _surface(Window("inbound_message", 3600), Window("inbound_message", 7200, author="human_only"))
COMMENT = _surface(Window("inbound_comment", 3600, max_messages=1))
TEMPLATE = _surface(Window("inbound_message", 3600, after="template"))


@pytest.mark.parametrize(
    ("surface", "ago", "author", "closes_in", "code"),
    [
        (_surface(), None, "human", None, ""),
        (PLAIN, None, "human", None, "window_not_open"),
        (PLAIN, 0.5 * HOUR, "machine", 0.5 * HOUR, ""),
        (PLAIN, HOUR, "human", None, "window_closed"),
        (TWO, 0.5 * HOUR, "human", 1.5 * HOUR, ""),
        (TWO, 0.5 * HOUR, "machine", 0.5 * HOUR, ""),
        (TWO, 1.5 * HOUR, "machine", None, "window_humans_only"),
        (TWO, 3 * HOUR, "human", None, "window_closed"),
        (TEMPLATE, 2 * HOUR, "human", None, "window_needs_template"),
        (_surface(answer_here=False), 0 * HOUR, "human", None, "answer_elsewhere"),
        (_surface(reply_rule="none"), 0 * HOUR, "human", None, "replies_not_possible"),
    ],
)
def test_a_window_says_until_when_or_why_not(surface, ago, author, closes_in, code):
    heard_at = None if ago is None else NOW - ago
    state = window_of(surface, heard_at, NOW, author)
    assert state[:2] == (None if closes_in is None else NOW + closes_in, code)


def test_a_comment_opens_a_private_window_for_so_many_messages():
    assert window_of(COMMENT, None, NOW, "human", last_comment_at=NOW).closed_code == ""
    used = window_of(COMMENT, None, NOW, "human", last_comment_at=NOW - HOUR / 2, sent_at=[NOW])
    assert (used.closed_code, used.closes_at, used.allows, used.used) == ("window_used_up", None, 1, 1)
    assert window_of(COMMENT, NOW, NOW, "human").closed_code == "window_not_open"


def test_each_comment_opens_the_window_anew():
    answered = window_of(COMMENT, None, NOW, "human", last_comment_at=NOW - HOUR / 4, sent_at=[NOW - HOUR / 2])
    assert (answered.closed_code, answered.opens, answered.used) == ("", "inbound_comment", 0)


def test_their_own_word_counts_before_a_public_one():
    both = _surface(Window("inbound_message", 3600), Window("inbound_comment", 7200, max_messages=1))
    state = window_of(both, NOW - HOUR / 2, NOW, "human", last_comment_at=NOW, sent_at=[NOW])
    assert (state.opens, state.closes_at, state.allows) == ("inbound_message", NOW + HOUR / 2, 0)
    later = window_of(both, NOW - HOUR / 2, NOW + HOUR, "human", last_comment_at=NOW)
    assert (later.opens, later.allows, later.used) == ("inbound_comment", 1, 0)


def test_several_posts_must_fit_into_what_a_window_allows():
    five = _surface(Window("inbound_message", 3600, max_messages=5))
    sent = [NOW - timedelta(minutes=minute) for minute in (1, 2, 3)]
    assert window_of(five, NOW - HOUR / 2, NOW, "human", sent_at=sent, wanted=2).closed_code == ""
    assert window_of(five, NOW - HOUR / 2, NOW, "human", sent_at=sent, wanted=3).closed_code == "window_used_up"


def test_where_a_summons_is_needed_others_cannot_be_answered():
    summoned = Surface(name="post", visibility="public", reply_rule="author_must_mention_us")
    assert window_of(summoned, NOW, NOW, "human").closed_code == ""
    assert window_of(summoned, NOW, NOW, "human", is_summons=False).closed_code == "not_summoned"
    assert window_of(_surface(), NOW, NOW, "human", is_summons=False).closed_code == ""
