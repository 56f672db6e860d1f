"""All detectors over one text, the most certain first; what one has found is blank for the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from careline.triage.personal.bookings import find_bookings
from careline.triage.personal.cards import find_cards
from careline.triage.personal.emails import find_emails
from careline.triage.personal.folding import BLANK, blank, fold
from careline.triage.personal.found import Detector, Found
from careline.triage.personal.ibans import find_ibans
from careline.triage.personal.ips import find_ips
from careline.triage.personal.nationals import find_beside_a_word, find_certain
from careline.triage.personal.passports import find_machine_lines, find_passport_numbers
from careline.triage.personal.phones import find_phones
from careline.triage.protocol import Span

DEFAULT_REGIONS: Final = ("ES", "US", "GB", "FR", "DE", "IT", "PT", "BR", "MX")

_IN_LINKS: Final[tuple[Detector, ...]] = (find_emails,)
_DETECTORS: Final[tuple[Detector, ...]] = (
    find_machine_lines, find_ibans, find_cards, find_certain, find_ips, find_beside_a_word, find_passport_numbers, find_phones, find_bookings,
)  # fmt: skip
# A text without these holds nothing that is looked for; letters alone may be a booking's reference.
_WORTH: Final = re.compile("[0-9@<]")
_WORTH_WORDS: Final = (
    "(at", "( at", "[at", "[ at", "{at", "arroba", "pnr", "p.n.r", "locat", "locali", "book", "reserv", "buchung", "prenota", "conf", "code", "codigo", "ref", "dossier",
)  # fmt: skip
_ARE_LINKS: Final = re.compile(r"https?://(?!wa\.me/|api\.whatsapp\.com/)\S+|www\.\S+", re.IGNORECASE)
# What `mask` leaves, in any language; '(at)' in brackets is none.
_ARE_MASKS: Final = re.compile(
    rf"\S?{BLANK}{{2,}}@\S?{BLANK}{{2,}}\.\w+|{BLANK}{{2,}}(?: [0-9]{{4}})?"
    r"|\[(?! ?(?:at|arroba|a|dot|punto|ponto|point|punkt) ?\])[^\[\]\d@\n]{1,30}\]",
    re.IGNORECASE,
)
_MOST_ROUNDS = 4


def find_personal(text: str, regions: Sequence[str] = DEFAULT_REGIONS) -> list[Span]:
    """Personal data in a text of any length, in time linear in it. `regions`: ISO 3166 codes, whose telephone numbers may stand without
    their country. Spans are code points of `text`, in order, not overlapping; `what` is a key of `masking.KINDS`.
    """
    folded = fold(text)
    if not _is_worth(folded.text):
        return []
    found = _found(folded.text, tuple(regions))
    return [Span(*folded.span(one.start, one.end), one.what) for one in sorted(found)]


def _is_worth(text: str) -> bool:
    if _WORTH.search(text):
        return True
    small = text.lower()
    return any(word in small for word in _WORTH_WORDS)


def _found(text: str, regions: tuple[str, ...]) -> list[Found]:
    """Round after round until nothing new: what was hidden by a neighbour shows once that one is blank."""
    text = _without(text, _ARE_MASKS)
    found = _round(text, regions, _IN_LINKS)
    text = _without(blank(text, [one[:2] for one in found]), _ARE_LINKS)
    for _ in range(_MOST_ROUNDS):
        new = _round(text, regions, _DETECTORS)
        if not new:
            break
        found += new
        text = blank(text, [one[:2] for one in new])
    return found


def _without(text: str, pattern: re.Pattern[str]) -> str:
    return blank(text, [one.span() for one in pattern.finditer(text)])


def _round(text: str, regions: tuple[str, ...], detectors: tuple[Detector, ...]) -> list[Found]:
    found: list[Found] = []
    for detect in detectors:
        new = _apart(detect(text, regions))
        if new:
            found += new
            text = blank(text, [one[:2] for one in new])
    return found


def _apart(found: Iterable[Found]) -> list[Found]:
    """Without overlaps: the earlier, and of two that begin together the longer."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept
