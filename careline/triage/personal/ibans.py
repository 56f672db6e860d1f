"""Bank accounts: IBANs by country, length and check digits, with or without spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from careline.triage.personal.found import Found

# Country to length (SWIFT IBAN registry, release 101, as shipped in python-stdnum 2.2, read 2026-11-22).
_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_START: Final = re.compile(r"(?<![^\W_])[A-Za-z]{2}[ -]?[0-9][ -]?[0-9](?=[ .-]{0,2}[A-Za-z0-9])")
_MOST_BETWEEN: Final = 2  # separators in a row, inside


def find_ibans(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Each IBAN of a country that has them; the check digits decide."""
    at = 0
    while (start := _START.search(text, at)) is not None:
        end = _end(text, start.start())
        if end:
            yield Found(start.start(), end, "iban")
        at = end or start.start() + 1


def _end(text: str, start: int) -> int:
    """Where the IBAN that begins here ends; 0 when there is none."""
    wanted = _LENGTHS.get(text[start : start + 2].upper(), 0)
    taken: list[str] = []
    between, at = 0, start
    while len(taken) < wanted and at < len(text) and between <= _MOST_BETWEEN:
        character = text[at]
        if character.isascii() and character.isalnum():
            taken.append(character)
            between = 0
        elif character in " -.":
            between += 1
        else:
            return 0
        at += 1
    whole = wanted and len(taken) == wanted and not text[at : at + 1].isalnum()
    return at if whole and is_iban("".join(taken)) else 0


def is_iban(account: str) -> bool:
    """Check digits by ISO 13616-1 (mod 97); the length is the caller's matter."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
