"""SMS is counted as 3GPP TS 23.038 and 23.040 say."""

from __future__ import annotations

import pytest

from careline.kit import counting, sms

# Table 6.2.1 (default alphabet) and 6.2.1.1 (extension table) of 3GPP TS 23.038: characters with their codes.
CODES = {
    "@": 0x00, "$": 0x02, "é": 0x05, "\n": 0x0A, "Δ": 0x10, "_": 0x11, "Ξ": 0x1A, "É": 0x1F, "¤": 0x24,
    "¡": 0x40, "A": 0x41, "Ñ": 0x5D, "§": 0x5F, "¿": 0x60, "z": 0x7A, "à": 0x7F,
}  # fmt: skip
EXTENDED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}


def test_the_default_alphabet_stands_in_the_order_of_its_codes() -> None:
    assert len(sms.BASIC) == 128
    assert {one: sms.BASIC.index(one) for one in CODES} == CODES
    assert sms.BASIC.index("\x1b") == 0x1B


def test_the_extension_table_has_its_ten_characters_and_each_takes_two() -> None:
    assert set(sms.EXTENSION) == set(EXTENDED)
    assert [counting.measure(one, "sms_septets") for one in EXTENDED] == [2] * 10


@pytest.mark.parametrize(
    ("text", "septets", "segments"),
    [
        ("", 0, 0),
        ("Hola", 4, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("a" * 152 + "€" + "a" * 20, 174, 2),
        ("€" * 81, 162, 2),
        ("a" * 152 + "€" * 77, 306, 3),
        ("ç", 1, 1),
        ("á" * 70, 70, 1),
        ("á" * 71, 71, 2),
        ("á" * 134, 134, 2),
        ("á" * 135, 135, 3),
        ("😀" * 35, 70, 1),
        ("😀" * 36, 72, 2),
        ("😀" * 67, 134, 3),
        ("\x1b", 1, 1),
    ],
)
def test_septets_and_messages_are_counted_as_documented(text: str, septets: int, segments: int) -> None:
    """An escaped character (152 + 2) or a surrogate pair (33 of them in 67) that does not fit goes whole into the next message."""
    assert (counting.measure(text, "sms_septets"), counting.measure(text, "sms_segments")) == (septets, segments)


def test_one_character_outside_makes_the_whole_text_ucs_2() -> None:
    assert counting.measure("a" * 160, "sms_segments") == 1
    assert counting.measure("a" * 159 + "—", "sms_segments") == 3
