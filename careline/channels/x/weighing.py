"""How long a text is on X: weighted, after NFC; addresses count 23, an emoji 2, most of what is no Latin, Greek, Cyrillic or Semitic letter 2.

Sources: docs.x.com/fundamentals/counting-characters, read 2026-11-22, and the configuration v3 and grammar of addresses of X's own twitter-text 3.1.0
(2020), which the tests hold this against. Two differences: a label of an address is at most 63 characters and there are at most 127, as
everywhere in DNS (RFC 1035, November 1987), and any row of emoji joined by ZWJ is one, as the page says, where twitter-text knows only those of
Unicode 11. The names X puts before an answer by itself are no part of a text. The browser's half is screens/static/js/weighing.js: change both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

import regex

from careline.kit import counting

UNIT: Final = "x_weighted"
LINK_WEIGHT: Final = 23
_MOST_LOOKED_THROUGH: Final = 8_000
"""Longer texts are dozens of posts anyway: nobody looks for addresses in them, which rows of dots would make slow."""
_MOST_ADDRESS: Final = 4096
_MOST_SLUG: Final = 40
_LIGHT: Final = regex.compile(r"[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_TEXTUAL = r"(?![#*0-9\xa9\xae])\p{Emoji}\ufe0f?|[\xa9\xae]\ufe0f"
_PICTURE = rf"(?:\p{{Emoji_Presentation}}|{_TEXTUAL})\p{{EMod}}?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI: Final = regex.compile(rf"\p{{RI}}\p{{RI}}|[#*0-9]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*")

_SPACES = r"\x09-\x0d\x20\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NEVER = r"\ufffe\ufeff\uffff"
_DIRECTIONS = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_LATIN = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    r"\u0300-\u036f\u1e00-\u1eff"
)
_NONE = rf"!'#%&()*+,\\./:;<=>?@\[\]^{{|}}~$\-_{_SPACES}{_NEVER}{_DIRECTIONS}"
_LETTER = rf"[^{_NONE}]"
_SUB = rf"(?:(?:{_LETTER}(?:[\-_]|{_LETTER}){{0,61}})?{_LETTER}\.)"
_NAME = rf"(?:{_LETTER}(?:-|{_LETTER}){{0,61}})?{_LETTER}\."
_PATH_CHAR = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_PARENS = rf"\((?:{_PATH_CHAR}+|{_PATH_CHAR}*\({_PATH_CHAR}+\){_PATH_CHAR}*)\)"
_PATH_END = rf"(?:[+\-a-z\u0400-\u04ff0-9=_#/{_LATIN}]|{_PARENS})"
_PATH = rf"(?:/(?:{_PATH_CHAR}*(?:{_PARENS}{_PATH_CHAR}*)*{_PATH_END}|@{_PATH_CHAR}+/)*)"
_QUERY = r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])"
_SHORT: Final = re.compile(rf"https?://t\.co/([a-z0-9]+){_QUERY}?", re.IGNORECASE)


@cache
def _top_level() -> str:
    names = files(__package__).joinpath("top_level_domains.txt").read_text("utf-8").split()
    rests: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        rests.setdefault(name[0], []).append(name[1:])
    known = "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())
    return rf"(?:(?:{known})(?=[^0-9a-zA-Z@+\-]|$)|xn--[\-0-9a-z]+)"


@cache
def _address() -> re.Pattern[str]:
    """Groups: the character before, protocol, domain, path. What stands before an address belongs to no other."""
    before = rf"([^A-Za-z0-9@\uff20$#\uff03{_NEVER}{_DIRECTIONS}]|[{_DIRECTIONS}]|^)"
    domain = rf"({_SUB}{{0,126}}{_NAME}{_top_level()})"
    return re.compile(rf"{before}(https?://)?{domain}(?::[0-9]+)?({_PATH})?{_QUERY}?", re.IGNORECASE)


@cache
def _plain_domain() -> re.Pattern[str]:
    return re.compile(rf"(?:[\-a-z0-9{_LATIN}]+\.)+{_top_level()}", re.IGNORECASE)


def weight(text: str) -> int:
    """What a text weighs."""
    normal = unicodedata.normalize("NFC", text)
    total, position = 0, 0
    for start, end in _addresses(normal) if "." in normal and len(normal) <= _MOST_LOOKED_THROUGH else ():
        total += _weight_of_words(normal[position:start]) + LINK_WEIGHT
        position = end
    return total + _weight_of_words(normal[position:])


def _weight_of_words(words: str) -> int:
    if words.isascii():
        return len(words)
    plain, pictures = _EMOJI.subn("", words)
    light = len(_LIGHT.findall(plain))
    return 2 * (len(plain) - light + pictures) + light


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    for found in _address().finditer(text):
        start = found.end(1)
        if found.end() - start > _MOST_ADDRESS:
            continue
        if found[2] is None:
            yield from _without_protocol(found)
            continue
        short = _SHORT.match(text, start, found.end())
        if short is None or len(short[1]) <= _MOST_SLUG:
            yield start, short.end() if short else found.end()


def _without_protocol(found: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Only domains in Latin letters; the path belongs to the last."""
    if found[1] in {"-", "_", ".", "/"}:
        return
    plain = [(found.start(3) + one.start(), found.start(3) + one.end()) for one in _plain_domain().finditer(found[3])]
    if plain and found[4]:
        plain[-1] = (plain[-1][0], found.end())
    yield from plain


counting.register_unit(UNIT, weight)
