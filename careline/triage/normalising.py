"""A text as the heads read it: mended, addresses masked, names and shouting kept: whom a post addresses tells a lot. Offsets are of the original, not of this."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Final

import ftfy
import regex

_MOST_CHARS: Final = 2000
_REMEMBERED: Final = 4096
_ADDRESS: Final = re.compile(r"(?:https?:/*|www\.)\S*", re.IGNORECASE)
_LONG_RUN: Final = regex.compile(r"([^\W\d_]|[!?.])\1{3,}")
_UNPRINTABLE: Final = regex.compile(r"[\p{Cc}\p{Cs}\p{Co}\p{Cn}]+")


@lru_cache(maxsize=_REMEMBERED)
def normalise(text: str) -> str:
    """Never longer than 2,000 characters, one line, no lone surrogates and addresses read `http`."""
    plain = text[: _MOST_CHARS * 2]
    plain = _UNPRINTABLE.sub(" ", html.unescape(plain))
    if not plain.isascii():
        plain = ftfy.fix_text(plain)
    plain = _ADDRESS.sub("http", plain)
    plain = _LONG_RUN.sub(r"\1\1\1", plain)
    return " ".join(plain[:_MOST_CHARS].split())
