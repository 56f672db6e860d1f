"""Reads the one field "who": a phone number, an e-mail address, a handle, a name, or several of them in any order."""

from __future__ import annotations

import re
from typing import NamedTuple

import phonenumbers

_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
_HANDLE = re.compile(r"(?<!\S)@[^\s@,;]+")
_PHONE = re.compile(r"(?<!\w)(?:\+|00)?\(?\d[\d\s().\-/]{4,24}\d(?!\w)")
_SEPARATORS = " \t\r\n,;·|<>()-/"


class Who(NamedTuple):
    """What was found. `problem` is a code: '' or `phone_invalid`."""

    name: str = ""
    phone: str = ""
    email: str = ""
    handle: str = ""
    problem: str = ""


def parse_who(text: str, region: str) -> Who:
    """Split the field. `region` is the ISO 3166 country of numbers without prefix; '' takes only those with `+`."""
    rest, email = _take(_EMAIL, text)
    rest, handle = _take(_HANDLE, rest)
    rest, typed_phone = _take(_PHONE, rest)
    phone = to_e164(typed_phone, region) if typed_phone else ""
    name = " ".join(rest.strip(_SEPARATORS).split())
    return Who(name, phone, email.lower(), handle, "phone_invalid" if typed_phone and not phone else "")


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.search(text)
    if found is None:
        return text, ""
    return f"{text[: found.start()]} {text[found.end() :]}", found.group().strip()


def to_e164(text: str, region: str) -> str:
    """The number as +<country><number>, '' when it cannot be one. `region` '' takes international numbers only."""
    international = f"+{text[2:]}" if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, region.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number)
        else ""
    )
