"""Personal data in a mail's HTML is hidden as a reader sees it; everything else stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.threads.cleaning import clean_html
from careline.threads.personal_html import hide_html

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("html", "hidden"),
    [
        (f"<p>My card {CARD}, thanks</p>", "<p>My card •••• 1111, thanks</p>"),
        ("<p>My card 4111&nbsp;1111&nbsp;1111&nbsp;1111.</p>", "<p>My card •••• 1111.</p>"),
        ("<p>4111 <b>1111</b> 1111 <i>1111</i>!</p>", "<p>•••• 1111<b></b><i></i>!</p>"),
        ("<p>4111<span>1111</span>11111111 &amp; more</p>", "<p>•••• 1111<span></span> &amp; more</p>"),
        (f'<img alt="card {CARD}">', '<img alt="card •••• 1111">'),
        (f"<p>{CARD}</p><p>{CARD}</p>", "<p>•••• 1111</p><p>•••• 1111</p>"),
    ],
)
def test_a_card_is_hidden_whatever_stands_between_its_digits(html: str, hidden: str) -> None:
    assert hide_html(html) == hidden


def test_cells_of_a_table_are_not_read_as_one_number() -> None:
    html = "<table><tbody><tr><td>4111 1111</td><td>1111 1111</td></tr></tbody></table>"
    assert hide_html(html) == html


def test_other_kinds_stay_readable_until_a_workspace_hides_them() -> None:
    html = "<p>Call 612 <b>345</b> 678 or write to marta@cust.test</p>"
    assert hide_html(html) == html
    assert "marta@cust.test" not in hide_html(html, {"email"})


@given(st.text(alphabet="<>&;=\"' \n4111abp/#x&nbsp", max_size=80))
def test_what_holds_no_personal_data_comes_out_as_it_went_in(words: str) -> None:
    html = clean_html(words)
    assert hide_html(html, ()) == html


@given(st.lists(st.sampled_from(["<b>", "</b>", "<span>", "</span>", "<i></i>", ""]), min_size=15, max_size=15))
def test_no_run_of_inline_marks_lets_a_card_through(between: list[str]) -> None:
    html = clean_html("x " + "".join(map("".join, zip("4111111111111111", [*between, ""], strict=True))) + " y")
    assert "".join(character for character in hide_html(html) if character.isdigit()) == "1111"
