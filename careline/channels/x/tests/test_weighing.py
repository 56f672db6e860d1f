"""A post weighs what X says it weighs."""

from __future__ import annotations

import time

import pytest

from careline.channels.x.rules import CAPABILITIES
from careline.kit import counting


# docs.x.com/fundamentals/counting-characters, read 2026-11-22: its tables, then what its sentences imply.
@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("👾", 2),
        ("🙋🏽", 2),
        ("👨‍🎤", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("https://example.com", 23),
        ("https://example.com/very/long/path", 23),
        ("caf\u00e9", 4),
        ("cafe\u0301", 4),
        ("Hello, world! 👋", 16),
        ("日本語", 6),
        ("“quoted” – text…", 17),
        ("", 0),
        ("🇪🇸", 2),
        ("1️⃣", 2),
        ("See example.com, please", 35),
        ("info@example.com", 16),
        ("a.notatld", 9),
        ("https://x.com/messages/compose?recipient_id=1&text=Ref.%20ab-cd%3A%20", 23),
    ],
)
def test_a_text_weighs_as_the_page_says(text: str, weight: int) -> None:
    assert counting.measure(text, "x_weighted") == weight


def test_280_fit_and_281_do_not() -> None:
    rule = CAPABILITIES.surface("post").text
    assert rule.fits("a" * 280)
    assert not rule.fits("a" * 281)
    assert rule.fits("語" * 140)
    assert not rule.fits("語" * 140 + "a")
    assert rule.fits("a" * 256 + " https://example.com/" + "long" * 200)


def test_a_long_answer_is_cut_into_posts_that_fit() -> None:
    rule = CAPABILITIES.surface("post").text
    text = "Su maleta está en Lima 🧳 y llega mañana: https://aurora.example/maletas/AB12CD. " * 20
    parts = rule.parts(text)
    assert len(parts) > 5
    assert all(rule.fits(part) for part in parts)
    assert " ".join(parts).split() == text.split()


def test_rows_of_dots_are_weighed_at_once() -> None:
    began_s = time.perf_counter()
    assert counting.measure("a." * 3000 + "🧳" * 4000, "x_weighted") == 6000 + 8000
    assert time.perf_counter() - began_s < 5
