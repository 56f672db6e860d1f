"""Only words are left of HTML, whatever it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from careline.kit.markup import plain_text


def test_paragraphs_stay_apart_and_tags_go() -> None:
    assert plain_text("<p>Uno &amp; <b>dos</b></p><p>tres<br>cuatro</p>") == "Uno & dos\n\ntres\ncuatro"


def test_scripts_and_styles_say_nothing() -> None:
    assert plain_text("<style>p{}</style>a<script>alert(1)</script>b<img src=x onerror=alert(1)>") == "ab"


def test_a_comparison_is_no_tag() -> None:
    assert plain_text("2 < 3 and 4 > 3") == "2 < 3 and 4 > 3"


@given(some.text(alphabet=some.characters(exclude_characters="<&\0", exclude_categories=("Cs", "Zs", "Cc"))))
def test_words_without_markup_stay_as_they_are(words: str) -> None:
    assert plain_text(words).split() == words.split()
