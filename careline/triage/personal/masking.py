"""A text without its personal data: what stands instead says what it was and cannot be found again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from careline.triage.personal.folding import BLANK, fold
from careline.triage.protocol import Span

# Every kind and its name in English; a screen passes its own, translated.
KINDS: Final[Mapping[str, str]] = {
    "card": "Card", "iban": "IBAN", "email": "E-mail", "phone": "Phone", "national_id": "ID number", "ssn": "SSN", "passport": "Passport",
    "booking": "Booking reference", "ip": "IP address",
}  # fmt: skip
_DOTS: Final = BLANK * 4
_FEW_DOTS: Final = BLANK * 3


def mask(text: str, spans: Iterable[Span], keep: Collection[str] = (), names: Mapping[str, str] = KINDS) -> str:
    """The text with each span replaced, the rest untouched. `keep`: kinds left as they are. A card keeps its last four digits and an
    address its first letters, so that two people can speak of it; the others become their name in brackets.
    """
    parts, at = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.what in keep or span.start < at:
            continue
        parts += [text[at : span.start], _masked(text[span.start : span.end], span.what, names)]
        at = span.end
    return "".join([*parts, text[at:]])


def _masked(words: str, what: str, names: Mapping[str, str]) -> str:
    if what == "card":
        return f"{_DOTS} {''.join(filter(str.isdigit, fold(words).text))[-4:]}"
    if what == "email" and "@" in (plain := fold(words).text):
        local, _, domain = plain.partition("@")
        return f"{local[:1]}{_FEW_DOTS}@{domain[:1]}{_FEW_DOTS}.{domain.rpartition('.')[2]}"
    return f"[{names.get(what, what)}]"
