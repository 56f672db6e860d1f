"""E-mail addresses, also where the sign is written as a word in brackets. Handles of federated networks (@ana@example.social) are not addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from careline.triage.personal.found import Found

_AT: Final = re.compile(r"@| ?[(\[{] ?(?:at|arroba|a) ?[)\]}] ?| (?:arroba) ", re.IGNORECASE)
# Read backwards from the sign.
_LOCAL: Final = re.compile(r"[\w!#$%&'*+?^`{|}~-][\w.!#$%&'*+?^`{|}~-]{0,63}")
_DOT: Final = r"(?:\.| ?[(\[{] ?(?:dot|punto|ponto|point|punkt) ?[)\]}] ?)"
_DOMAIN: Final = re.compile(rf"(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?{_DOT}){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})(?![\w@])", re.IGNORECASE)  # fmt: skip
_IP_DOMAIN: Final = re.compile(r"\[[0-9.]{7,15}\]")
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253
_FILES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")  # icon@2x.png


def find_emails(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Each address, without the punctuation around it."""
    reached = 0
    for sign in _AT.finditer(text):
        start = _start(text, max(reached, sign.start() - _LONGEST_LOCAL), sign.start())
        end = _end(text, sign.end()) if start < sign.start() else 0
        if end:
            yield Found(start, end, "email")
            reached = end


def _start(text: str, earliest: int, sign: int) -> int:
    """Where the part before the sign begins; the sign itself when it has none, or when it is a handle."""
    if sign and not (text[sign - 1].isalnum() or text[sign - 1] in "_-+"):
        return sign
    backwards = _LOCAL.match(text[earliest:sign][::-1])
    if backwards is None:
        return sign
    local = text[sign - backwards.end() : sign].lstrip(".'`|{}*~!?#$%&^")
    start = sign - len(local)
    return sign if text[start - 1 : start] == "@" and start > 0 else start


def _end(text: str, after: int) -> int:
    domain = _DOMAIN.match(text, after, after + _LONGEST_DOMAIN) or _IP_DOMAIN.match(text, after)
    if domain is None or domain.group().lower().endswith(_FILES):
        return 0
    return domain.end()
