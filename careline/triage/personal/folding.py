"""One plain spelling of a text for the detectors, with the way back to its code points: digits of every script, widths, look-alikes, invisible characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

BLANK: Final = "•"

# Letters of other scripts that read as Latin ones (a choice from Unicode's confusables, UTS #39, read 2026-11-22).
_LOOKALIKES: Final = dict(
    zip(
        "аеорсухіјѕԁԛԝһӏАВЕКМНОРСТУХІЈЅԌαοινκρτχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıſ",
        "aeopcyxijsdqwhlABEKMHOPCTYXIJSGaoivkptxABEZHIKMNOPTYXis",
        strict=True,
    )
)
_DASHES: Final = "‐‑‒–—―−⁃﹘﹣－﹣˗"
_DOTS: Final = "․。．｡·‧"
_PLUSES: Final = "＋﹢⁺➕"
_OWN: Final = dict.fromkeys(_DASHES, "-") | dict.fromkeys(_DOTS, ".") | dict.fromkeys(_PLUSES, "+") | _LOOKALIKES
_INVISIBLE: Final = {"Cf", "Mn", "Me", "Cc"}
_LINE_BREAKS: Final = "\n\r\t\v\f\x85"


class Folded(NamedTuple):
    """`text` as the detectors read it; `origins[i]` is where its i-th character stands in the original, with the end as the last entry.
    None: they stand where they stood.
    """

    text: str
    origins: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Code points of the original; what is invisible after a character belongs to it."""
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end]


class _Table(dict[int, str]):
    """Code point to its plain character; '' for those nobody sees. Filled as characters are met."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = _plain(chr(code))
        return plain


def _plain(character: str) -> str:
    if character in _LINE_BREAKS:
        return "\n" if character not in "\t\v\f" else " "
    if character in _OWN:
        return _OWN[character]
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    return _base(character)


def _base(character: str) -> str:
    """Its compatible form without accents, when that is one character; else itself."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", character) if unicodedata.category(one) != "Mn")
    if len(bare) == 1:
        return _OWN.get(bare, bare)
    digits = "".join(filter(str.isdecimal, bare))
    return digits if len(digits) == 1 and len(bare) <= 3 else character


_TABLE: Final = _Table()
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def fold(text: str) -> Folded:
    """The plain spelling. Each character becomes one character or vanishes, so the way back is exact."""
    if text.isascii() and not _CONTROLS.search(text):
        return Folded(text, None)
    folded = text.translate(_TABLE)
    if len(folded) == len(text):
        return Folded(folded, None)
    origins = [at for at, character in enumerate(text) if _TABLE[ord(character)]]
    return Folded(folded, [*origins, len(text)])


def blank(text: str, spans: list[tuple[int, int]]) -> str:
    """The same length, with nothing to be found where the spans were."""
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], BLANK * (end - start)]
        at = end
    return "".join([*parts, text[at:]])
