"""How long a text is as SMS: septets of the default alphabet or code units of UCS-2, and how many messages it makes.

Source: 3GPP TS 23.038 V18 (2024), 6.2.1 default alphabet (128 characters) and 6.2.1.1 extension table (an escape and a septet: 2), 6.2.3 UCS-2; 3GPP TS
23.040 V18, 9.2.3.24.1: a message holds 160 septets or 70 code units, 153 or 67 where it is one of several (six bytes of header). Neither an escaped
character nor a surrogate pair is cut in two. The browser's half is screens/static/js/sms.js: change both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""In the order of their codes; 0x1B is the escape to the extension table and no character."""
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_ONE: Final = frozenset(BASIC) - {"\x1b"}
SEPTETS, SEPTETS_OF_PART = 160, 153
UNITS, UNITS_OF_PART = 70, 67


def septets(text: str) -> int:
    """Septets; code units of UCS-2 where any character is in neither table, for then the whole text goes out so."""
    return sum(_costs(text)[0])


def segments(text: str) -> int:
    """How many messages go out."""
    costs, whole, part = _costs(text)
    if sum(costs) <= whole:
        return 1 if costs else 0
    used, number = 0, 1
    for one in costs:
        if used + one > part:
            used, number = 0, number + 1
        used += one
    return number


def _costs(text: str) -> tuple[Sequence[int], int, int]:
    """What each character takes, and how much a message alone and one of several hold."""
    costs = [1 if one in _ONE else 2 if one in EXTENSION else 0 for one in text]
    if 0 in costs:
        return [1 if ord(one) < 0x10000 else 2 for one in text], UNITS, UNITS_OF_PART
    return costs, SEPTETS, SEPTETS_OF_PART
