"""Passports and travel cards: the machine-readable lines by their check digits (ICAO 9303), numbers only beside the word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Final, NamedTuple

from careline.triage.personal.contexts import PASSPORT, speaks_of
from careline.triage.personal.found import Found

_LINE: Final = re.compile(r"(?<![A-Z0-9<])[A-Z0-9<]{30}(?:[A-Z0-9<]{6}(?:[A-Z0-9<]{8})?)?(?![A-Z0-9<])")
_WEIGHTS: Final = (7, 3, 1)
_NUMBER: Final = re.compile(r"(?<![^\W_])(?=[A-Za-z]{0,3}[0-9]|[0-9])[A-Za-z0-9]{6,9}(?![^\W_])")
_FLIGHT: Final = re.compile(r"[A-Za-z]{2}[0-9]{3,4}|[A-Za-z][0-9][0-9]{4}")
_FEWEST_DIGITS = 4
_TD1 = 30  # characters a line


class _Line(NamedTuple):
    start: int
    end: int
    words: str


def find_machine_lines(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """TD3 and TD2 (two lines), TD1 (three); the line of numbers is enough, the line of names is taken with it."""
    if "<" not in text:
        return
    lines = [_Line(*found.span(), found.group()) for found in _LINE.finditer(text)]
    reached = -1
    for at, line in enumerate(lines):
        if at <= reached:
            continue
        more = _document(text, lines, at)
        if more >= 0:
            reached = at + more
            yield Found(line.start, lines[reached].end, "passport")


def _document(text: str, lines: list[_Line], at: int) -> int:
    """How many more lines belong to the document that begins with this one; -1 when its digits do not fit."""
    following = at + 1 < len(lines) and _are_together(text, lines[at], lines[at + 1])
    if len(lines[at].words) == _TD1:
        if not (following and _is_td1(lines[at].words, lines[at + 1].words)):
            return -1
        return 2 if at + 2 < len(lines) and _are_together(text, lines[at + 1], lines[at + 2]) else 1
    if following and lines[at].words[0] in "PVIAC" and _is_numbers(lines[at + 1].words):
        return 1
    return 0 if _is_numbers(lines[at].words) else -1


def _are_together(text: str, one: _Line, other: _Line) -> bool:
    return len(one.words) == len(other.words) and text[one.end : other.start].isspace()


def _is_numbers(line: str) -> bool:
    """The second line of TD3 (44) or TD2 (36): number, birth, expiry and the sum of all."""
    parts = _fits(line[:9], line[9]) and _fits(line[13:19], line[19]) and _fits(line[21:27], line[27])
    if len(line) == _TD1 or not parts:
        return False
    return _fits(line[:10] + line[13:20] + line[21 : len(line) - 1], line[-1])


def _is_td1(first: str, second: str) -> bool:
    parts = _fits(first[5:14], first[14]) and _fits(second[:6], second[6]) and _fits(second[8:14], second[14])
    return parts and _fits(first[5:] + second[:7] + second[8:15] + second[18:29], second[29])


def _fits(field: str, digit: str) -> bool:
    """ICAO 9303 part 3, 4.9 (read 2026-11-22): weights 7, 3, 1; letters from 10; < is 0."""
    values = (0 if character == "<" else int(character, 36) for character in field)
    return str(
        sum(value * weight for value, weight in zip(values, cycle(_WEIGHTS), strict=False)) % 10
    ) == digit.replace("<", "0")


def find_passport_numbers(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """A number of six to nine characters where the text speaks of a passport."""
    if not PASSPORT.search(text):
        return
    for found in _NUMBER.finditer(text):
        token = found.group()
        digits = sum(map(str.isdigit, token))
        if digits >= _FEWEST_DIGITS and not _FLIGHT.fullmatch(token) and _is_passport(text, found):
            yield Found(*found.span(), "passport")


def _is_passport(text: str, found: re.Match[str]) -> bool:
    """No date and no amount: those are digits with a sign beside them."""
    beside = text[max(0, found.start() - 1) : found.start()] + text[found.end() : found.end() + 1]
    return not set(beside) & set("/$€£%@") and speaks_of(PASSPORT, text, *found.span())
