"""Telephone numbers: valid ones of the expected regions, and merely possible ones beside a word (phonenumbers decides)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, ValidationResult

from careline.triage.personal.contexts import PHONE, THING, speaks_of, thing_before
from careline.triage.personal.found import Found

_RUN: Final = re.compile(
    r"(?<![\w@#$€£¥%=&/.,-])(?<![0-9]:)(?:\+ ?|\(\+?)?[0-9](?:(?:[ ]?[(./-][ ]?|\)[ .-]?[(]?|[ ]{1,2}|[ ]\(|\)[ ]\()?[0-9])+"
    r"(?![\w€£%]|[:/,][0-9])"
)
_EXTENSION: Final = re.compile(r" ?(?:x|ext\.?|extension|anexo|interno) ?[0-9]{1,6}(?!\w)", re.IGNORECASE)
# Signs that end one number and begin the next or its extension, though they look like part of an amount or a word.
_ENDING: Final = re.compile(
    r"(?<=[0-9])x(?=[0-9]{1,6}(?!\w))|(?<=[0-9]{7}),(?=[0-9]{7})|(?<=[ .-][0-9]{3}),(?=[0-9]{3}[ .-][0-9])"
)
_GROUP: Final = re.compile(r"[0-9]+")
_NO_PHONE: Final = re.compile(
    r"(?:[0-9]{1,2}([-/.])[0-9]{1,2}\1(?:[0-9]{2}|[0-9]{4})|[0-9]{4}([-/.])[0-9]{1,2}\2[0-9]{1,2})(?: [0-9]{1,4})?"  # dates, times after them
    r"|[0-9]{1,2} [0-9]{1,2} (?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2} ?[-/] ?(?:19|20)[0-9]{2}"  # years
    r"|[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,4}\.[0-9]{2}|[0-9]{1,3}\.[0-9]{4,}"  # amounts, places on the map
    r"|(?:19|20)[0-9]{6}|([0-9])\3{5,}"  # dates without signs, one digit again and again
)
_FEWEST, _MOST = 7, 15
_FEWEST_ABROAD = 10  # digits with the country, to be taken though nobody can have the number
_MOST_GROUPS = 7
_LONGEST_DATE = 16  # with its time and a space
_MOST_GROUPS_LOOSE = 12  # in a longer run of groups a number does not begin with a single digit
_MOST_CHECKS = 1000  # of one text; beyond them the form decides alone, towards masking


class _Text:
    """One text, whether it has the words at all, and how often phonenumbers may still be asked about it."""

    def __init__(self, words: str, regions: tuple[str, ...]) -> None:
        self.words = words
        self.regions = regions
        self.has_phone_word = PHONE.search(words) is not None
        self.has_thing_word = THING.search(words) is not None
        self.checks_left = _MOST_CHECKS


def find_phones(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Each number, with its extension."""
    runs = [run for run in _RUN.finditer(_with_endings(text)) if run.end() - run.start() >= _FEWEST]
    if runs:
        asked = _Text(text, regions)
        for run in runs:
            yield from _phones_of(asked, run)


def _with_endings(text: str) -> str:
    """`345-899-3560x4587` ends where its extension begins; the text keeps its length."""
    return _ENDING.sub(" ", text)


def _phones_of(text: _Text, run: re.Match[str]) -> Iterator[Found]:
    groups = [found.span() for found in _GROUP.finditer(text.words, run.start(), run.end())]
    fewest = 1 if len(groups) <= _MOST_GROUPS_LOOSE else 2
    first = fresh = 0
    while first < len(groups):
        start = run.start() if first == 0 else groups[first][0]
        may_begin = groups[first][1] - groups[first][0] >= fewest and (first == fresh or text.has_phone_word)
        last = _longest(text, groups, first, start) if may_begin else None
        if last is None:
            first += 1
            if first < len(groups) and _is_no_phone(text, run.start(), groups[first][0]):
                fresh = first
            continue
        extension = _EXTENSION.match(text.words, groups[last][1])
        yield Found(start, extension.end() if extension else groups[last][1], "phone")
        first = fresh = last + 1


def _longest(text: _Text, groups: list[tuple[int, int]], first: int, start: int) -> int | None:
    """The last group of the longest number that begins with this group."""
    most = _MOST if first == 0 and _is_digit_by_digit(groups) else _MOST_GROUPS
    for last in range(min(first + most, len(groups)) - 1, first - 1, -1):
        size = sum(end - begin for begin, end in groups[first : last + 1])
        ends = last + 1 == len(groups) or text.words[groups[last][1]] in " ,/\n"
        if ends and _FEWEST <= size <= _MOST and _is_phone(text, start, groups[last][1]):
            return last
    return None


def _is_no_phone(text: _Text, start: int, end: int) -> bool:
    """A date, after which a number may begin."""
    return end - start <= _LONGEST_DATE and _NO_PHONE.fullmatch(text.words[start:end].strip()) is not None


def _is_digit_by_digit(groups: list[tuple[int, int]]) -> bool:
    return len(groups) <= _MOST and all(end - start == 1 for start, end in groups)


def _is_phone(text: _Text, start: int, end: int) -> bool:
    written = text.words[start:end]
    if _NO_PHONE.fullmatch(written):
        return False
    digits = ("+" if "+" in written[:2] else "") + "".join(filter(str.isdigit, written))
    told = text.has_phone_word and speaks_of(PHONE, text.words, start, end)
    if not told and not _pattern(text.regions).fullmatch(digits):
        return False
    if not told and text.has_thing_word and thing_before(text.words, start) >= 0:
        return False
    return _fits(text, digits, told)


def _fits(text: _Text, digits: str, told: bool) -> bool:
    """Valid somewhere, or possible where the text speaks of a telephone."""
    if text.checks_left <= 0:
        return True
    text.checks_left -= 1
    regions = text.regions
    if told or (digits[0] == "+" and len(digits) > _FEWEST_ABROAD):
        return is_possible(digits, regions) or is_valid(digits, regions)
    return is_valid(digits, regions)


@lru_cache(maxsize=64)
def _pattern(regions: tuple[str, ...]) -> re.Pattern[str]:
    """What a valid number of these regions cannot fail to match: cheap, and wider than the truth."""
    parts = [r"\+[0-9]{7,15}", r"(?:00|011)[0-9]{8,15}"]
    for region in regions:
        known = PhoneMetadata.metadata_for_region(region)
        if known is None or known.general_desc is None:
            continue
        if known.national_prefix_transform_rule:
            parts.append("[0-9]{7,13}")
            continue
        prefix = f"(?:{known.national_prefix_for_parsing})?" if known.national_prefix_for_parsing else ""
        parts.append(f"(?:{known.country_code})?{prefix}(?:{known.general_desc.national_number_pattern})")
    return re.compile("|".join(parts))


@lru_cache(maxsize=4096)
def is_valid(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether it is a number someone can have, dialled as its country does, or with the country before it."""
    return any(
        phonenumbers.is_valid_number(number) and _is_dialled(number, digits) for number in _read(digits, regions)
    )


def _is_dialled(number: phonenumbers.PhoneNumber, digits: str) -> bool:
    """With the prefix where the country writes one: without it, postcodes and house numbers are valid in Germany."""
    if digits.startswith(("+", "00")):
        return True
    region = phonenumbers.region_code_for_number(number) or ""
    national = "".join(filter(str.isdigit, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)))
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return digits in {national, prefix + national, f"{number.country_code}{number.national_number}"}


@lru_cache(maxsize=4096)
def is_possible(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether its length is one that numbers of the regions have, also without the area."""
    possible = {ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}
    return any(phonenumbers.is_possible_number_with_reason(number) in possible for number in _read(digits, regions))


def _read(digits: str, regions: tuple[str, ...]) -> Iterator[phonenumbers.PhoneNumber]:
    international = digits.startswith(("+", "00"))
    written = f"+{digits[2:]}" if digits.startswith("00") else digits
    for region in regions if not international else (None,):
        try:
            yield phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
