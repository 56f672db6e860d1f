"""Payment cards: issuer ranges, lengths, the Luhn digit, and the ways people group them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from careline.triage.personal.contexts import CARD, nearest, speaks_of, thing_before
from careline.triage.personal.found import Found

# First digits to possible lengths (ISO/IEC 7812 ranges as listed at en.wikipedia.org/wiki/Payment_card_number, read 2026-11-22).
_RANGES: Final = tuple(
    (re.compile(prefix), frozenset(lengths))
    for prefix, lengths in (
        (r"4", (13, 16, 19)),  # Visa
        (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
        (r"3[47]", (15,)),  # American Express
        (r"30[0-59]|3[689]", (14, 16, 17, 18, 19)),  # Diners Club
        (r"6011|64[4-9]|65|62|81|35(?:2[89]|[3-8])", (16, 17, 18, 19)),  # Discover, UnionPay, JCB
        (r"50|5[678]|6", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro, RuPay, Verve, Dankort
        (r"220[0-4]|9792|508|60|8[12]", (16, 19)),  # Mir, Troy, RuPay
        (r"1|2131", (15,)),  # UATP, which airlines take; early JCB
    )
)
_FEWEST, _MOST = 12, 19
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")  # twice the digit, its own digits summed
_RUN: Final = re.compile(r"(?<![\w.+#-])[0-9](?:(?: ?[-.] ?|  ?)?[0-9])+(?![0-9])")
_GROUP: Final = re.compile(r"[0-9]+")


def find_cards(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Each card number, whole or in groups."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= _FEWEST and sum(map(str.isdigit, run.group()[: 4 * _MOST])) >= _FEWEST:
            yield from _cards_of(text, run)


def _cards_of(text: str, run: re.Match[str]) -> Iterator[Found]:
    groups = [found.span() for found in _GROUP.finditer(text, run.start(), run.end())]
    first = 0
    while first < len(groups):
        last = _longest(text, groups, first) if first == 0 or _may_begin(groups[first]) else None
        if last is None:
            first += 1
            continue
        yield Found(groups[first][0], groups[last][1], "card")
        first = last + 1


def _may_begin(group: tuple[int, int]) -> bool:
    """Digit by digit and in pairs a card is all of its run; in a longer run it begins with a group of four or more."""
    return group[1] - group[0] >= 4


def _longest(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card that begins with this group."""
    sizes: list[int] = []
    digits = ""
    best = None
    for last in range(first, min(first + _MOST, len(groups))):
        start, end = groups[last]
        sizes.append(end - start)
        digits += text[start:end]
        if len(digits) > _MOST:
            break
        if len(digits) >= _FEWEST and _is_grouping(sizes) and _is_meant(text, groups[first][0], end, digits):
            best = last
    return best


def _is_grouping(sizes: list[int]) -> bool:
    """People write a card whole, digit by digit, in pairs, or in groups of three and more with four first."""
    if len(sizes) == 1 or set(sizes) == {1} or set(sizes) == {2}:
        return True
    return sizes[0] in {4, 6, 8} and all(size >= 3 for size in sizes[1:-1]) and len(sizes) <= 6


def is_card(digits: str) -> bool:
    """Whether an issuer gives such numbers and the Luhn digit fits."""
    size = len(digits)
    return (
        _FEWEST <= size <= _MOST
        and any(size in lengths and prefix.match(digits) for prefix, lengths in _RANGES)
        and is_luhn(digits)
    )


def is_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    return (sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10 == 0


def _is_meant(text: str, start: int, end: int, digits: str) -> bool:
    """One in ten order numbers passes the check digit: where the words name an order, the word for a card must be nearer.
    Where they name a card, its issuer does not matter.
    """
    if len(set(digits)) == 1 or not is_luhn(digits):
        return False
    if nearest(CARD, text, start, end) >= 0:
        return speaks_of(CARD, text, start, end)
    return is_card(digits) and thing_before(text, start) < 0
