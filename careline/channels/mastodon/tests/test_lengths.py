"""Mastodon's count. The numbers of its own tests (spec/validators/status_length_validator_spec.rb, read 2026-11-22) hold here."""

from __future__ import annotations

import pytest

from careline.channels.mastodon import NETWORK, lengths
from careline.channels.mastodon.lengths import measure
from careline.kit import counting

FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a" * 520, 520),
        ("a" * 476 + f" http://{'b' * 30}.com/example", 500),
        ("a" * 475 + f" @alice@{'b' * 30}.com", 482),
        (f"@alice@{'b' * 500}.com", 511),
        ("a" * 476 + f"http://{'b' * 30}.com/example", 476 + 49),
        ("http://example.com/valid?" + "#foo?" * 1000, 25 + 5000),
    ],
)
def test_the_platforms_own_cases_count_as_there(text: str, length: int) -> None:
    assert measure(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        (FAMILY * 3, 3),
        ("e\u0301", 1),
        ("See https://aurora.example.", 4 + 23 + 1),
        ("(https://es.wikipedia.org/wiki/Avi\u00f3n_(maleta))", 1 + 23 + 1),
        ("https://aurora.example/a?b=c&d=\u00f1#e y https://aurora.example:8443/", 23 + 3 + 23),
        ("https://m\u00fcnchen.example/\u00e4", 23),
        ("aurora.example/help", 19),
        ("http://127.0.0.1/x", 18),
        ("marta@lejos.example", 19),
        ("https://lejos.example/@marta", 23),
        ("@marta@lejos.example, hola", 12),
        ("@marta hola", 11),
        ("/@marta@lejos.example", 21),
    ],
)
def test_links_names_and_emoji_count_as_there(text: str, length: int) -> None:
    assert measure(text) == length


def test_the_unit_is_known_where_texts_are_cut() -> None:
    rule = NETWORK.capabilities.surface("reply").text
    assert rule.unit in counting.units()
    text = " ".join(f"Frase {number}: https://aurora.example/{'x' * 60}/{number} ." for number in range(30))
    parts = rule.parts(text)
    assert len(parts) == 3
    assert all(rule.fits(part) and len(part) > rule.max_length for part in parts[:2])
    assert " ".join(parts).split() == text.split()


def test_the_names_a_text_begins_with_come_off_and_others_stay() -> None:
    assert lengths.without_first_mentions("@aurora @marta@lejos.example  hola @otro") == "hola @otro"
    assert lengths.without_first_mentions("hola @otro") == "hola @otro"
    assert list(lengths.mentions("@Aurora hola @Marta@Lejos.example, x@y.example")) == ["aurora", "marta@lejos.example"]
