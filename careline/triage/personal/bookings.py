"""Booking references (record locators of six characters), only where the text speaks of a booking: flight numbers and shouted words look the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from careline.triage.personal.folding import BLANK
from careline.triage.personal.found import Found

# The word, what may follow it on the way to the reference, and no more than 25 characters of it.
_WORD: Final = re.compile(
    r"(?<![^\W\d_])(?:p\.?n\.?r\.?|record locators?|locators?|locali[sz]ador(?:es)?|localizzatore|booking|bookings|booked|reserva|reservas|reservaci?on"
    r"|reservation|reservierung|buchung(?:s(?:nummer|code|referenz))?|prenotazione|conf(?:irmation|irmacion|irmacao|\.)?|codigo|code|ref\.?|reference"
    r"|referencia|numero de reserva|dossier)(?![^\W\d_])",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"(?<![\w@/.$€£-])[A-Za-z0-9]{6}(?![\w@]|[-/][A-Za-z0-9]|\.[a-z0-9])")
_LINK: Final = re.compile(
    r"[ ]*(?:(?:number|no|num|nr|numero|n|code|codigo|ref|reference|referencia|locator|localizador|id|is|es|e|ist|est|was|de|del|da|la|el|mi|my|the|of|for"
    r"|vuelo|viaje|flight|reserva|booking)\b[.º°]?[ ]*)*[:#=\"'(-]*[ ]*",
    re.IGNORECASE,
)
_FLIGHT: Final = re.compile(r"[A-Za-z]{2}[0-9]{3,4}|[A-Za-z][0-9][0-9]{4}|[0-9][A-Za-z][0-9]{4}", re.IGNORECASE)
_DATE: Final = re.compile(
    r"[0-9]{1,2}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic)[0-9]*"
    r"|[0-9]+(?:st|nd|rd|th|am|pm|hrs|min|kg|lbs|usd|eur|days|km)",
    re.IGNORECASE,
)
_REACH = 25
# Shouted or leading words of six letters that follow such words; real references read like these seldom.
_ORDINARY: Final = (
    "PLEASE FAILED CANCEL ONLINE SYSTEM NUMBER TICKET FLIGHT BROKEN CHANGE AGENTS THANKS ANSWER REFUND SHOULD ALWAYS TRYING CALLED CANNOT WITHIN "
    "DURING BEFORE UNABLE FRIEND FAMILY HOTELS PEOPLE POINTS STATUS REALLY SERIES POLICY WAITED TWELVE LONDON MADRID BOSTON DALLAS DENVER MONDAY "
    "FRIDAY SUNDAY AUGUST UNITED AMAZON IBERIA VUELOS CODIGO NUMERO CAMBIO ANULAR PERDER URGENT MALETA ESPERO "
    "CUANDO PUEDEN QUIERO CUENTA TIENEN PASSED LONGER COMING ENOUGH NEEDED WANTED "
    "MOVING FAMOUS DOUBLE SINGLE RETURN SEARCH SECOND CREDIT AIRBUS BOEING REWARD UPDATE SIGNED ISSUES ERRORS"
)
_WORDS: Final = frozenset(_ORDINARY.split())


def find_bookings(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Each reference near its word: letters and digits mixed within reach; letters or digits alone only right after the word."""
    reached = 0
    for word in _WORD.finditer(text):
        link = _LINK.match(text, word.end(), word.end() + 2 * _REACH)
        right_after = link.end() if link else word.end()
        for token in _TOKEN.finditer(text, max(reached, word.start() - _REACH - 6), word.end() + _REACH + 6):
            if _is_reference(text, word, token, right_after):
                yield Found(*token.span(), "booking")
                reached = token.end()


def _is_reference(text: str, word: re.Match[str], token: re.Match[str], right_after: int) -> bool:
    """Whether this is what the word speaks of."""
    code = token.group()
    between = text[min(word.end(), token.end()) : max(word.start(), token.start())]
    if len(between) > _REACH or BLANK in between or "\n" in between or _FLIGHT.fullmatch(code) or _DATE.fullmatch(code):
        return False
    letters, digits = sum(map(str.isalpha, code)), sum(map(str.isdigit, code))
    if letters and digits:
        return code.isupper() or token.start() == right_after
    if token.start() != right_after:
        return False
    return _is_number_told(text, word, token) if digits else _is_code_word(text, word, token)


def _is_number_told(text: str, word: re.Match[str], token: re.Match[str]) -> bool:
    """Six digits are a reference only after a word that means nothing else."""
    return word.group().lower().startswith(("pnr", "p.n", "record", "locat", "locali", "conf"))


def _is_code_word(text: str, word: re.Match[str], token: re.Match[str]) -> bool:
    """Six letters in capitals, in a text that is not shouted, told by more than the bare word for a booking."""
    code = token.group()
    around = text[max(0, word.start() - 40) : token.start()] + text[token.end() : token.end() + 40]
    told = token.start() - word.end() > 1 or word.group().lower().startswith(
        ("pnr", "locat", "locali", "record", "ref", "conf", "codigo")
    )
    calm = any(map(str.islower, around)) or text[token.start() - 2 : token.start()].strip() in {":", "#", "="}
    return code.isupper() and told and code not in _WORDS and calm
