"""National identity and tax numbers by their check digits (python-stdnum); those of digits alone need the word beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from stdnum.ar import cuit
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.de import idnr
from stdnum.es import cif, dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp, rfc
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.us import itin, ssn

from careline.triage.personal.contexts import speaks_of, thing_before
from careline.triage.personal.found import Found


class _Number(NamedTuple):
    """One country's number: how it is written, who checks it, and the word it needs (None: it speaks for itself)."""

    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]
    word: re.Pattern[str] | None = None
    what: str = "national_id"


def _written(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$€£#.-])(?<![0-9][,/]){pattern}(?![\w€£%]|[-/.,][0-9])", re.IGNORECASE)


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{pattern})(?![^\W\d_])", re.IGNORECASE)


def _is_dni(number: str) -> bool:
    return bool(dni.is_valid(number.replace(".", "")))


def _is_nino(number: str) -> bool:
    """GB: no check digit; prefixes never given, by gov.uk NIM39110 (read 2026-11-22)."""
    return number[:2].upper() not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_rfc(number: str) -> bool:
    return bool(rfc.is_valid(number, validate_check_digits=True))


_SSN: Final = _word(r"ssn|ss ?#|social security(?: (?:no|number|num))?|social|seguro social|itin|tax ?id|tin")
_TAX_PT: Final = _word(r"nif|contribuinte|numero fiscal|fiscal")
_CPF: Final = _word(r"cpf|cadastro")
_CUIT: Final = _word(r"cuit|cuil")
_RUT: Final = _word(r"rut|run|cedula|carnet")
_IDNR: Final = _word(r"steuer(?:nummer|-id|id|-idnr|identifikationsnummer|liche)?|idnr|id-nr|tin|tax ?id")
_BSN: Final = _word(r"bsn|burgerservicenummer|sofinummer")
_PESEL: Final = _word(r"pesel")

# The certain ones first: letters and check digits, or a form nothing else has.
CERTAIN: Final = (
    _Number(_written(r"[0-9]{2}(?:\.?[0-9]{3}\.?[0-9]{3}|[0-9]{6})[ -]?[A-Z]"), _is_dni),
    _Number(_written(r"[XYZ][ -]?[0-9]{7}[ -]?[A-Z]"), nie.is_valid),
    _Number(_written(r"[A-HJNP-SUVW][ -]?[0-9]{7}[ -]?[0-9A-J]"), cif.is_valid),
    _Number(_written(r"[A-Z]{6}[ ]?[0-9LMNP-V]{2}[ ]?[A-EHLMPR-T][0-9LMNP-V]{2}[ ]?[A-Z][0-9LMNP-V]{3}[A-Z]"), codicefiscale.is_valid),
    _Number(_written(r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]"), curp.is_valid),
    _Number(_written(r"[A-ZÑ&]{3,4}-?[0-9]{6}-?[0-9A-Z]{3}"), _is_rfc),
    _Number(_written(r"[12][ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9][0-9AB][ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{2}"), nir.is_valid),
    _Number(_written(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), cpf.is_valid),
    _Number(_written(r"[23][0-9]-[0-9]{8}-[0-9]"), cuit.is_valid),
    _Number(_written(r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]"), rut.is_valid),
    _Number(_written(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"), nn.is_valid),
    _Number(_written(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[0-9]{6}|(?: [0-9]{2}){3} )[A-D]"), _is_nino),
    _Number(_written(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"), ssn.is_valid, what="ssn"),
    _Number(_written(r"9[0-9]{2}-[5-9][0-9]-[0-9]{4}"), itin.is_valid, what="ssn"),
)  # fmt: skip
BESIDE_A_WORD: Final = (
    _Number(_written(r"[0-9]{3}[ .]?[0-9]{2}[ .]?[0-9]{4}"), ssn.is_valid, _SSN, "ssn"),
    _Number(_written(r"[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{3}"), nif.is_valid, _TAX_PT),
    _Number(_written(r"[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}[- ]?[0-9]{2}"), cpf.is_valid, _CPF),
    _Number(_written(r"[0-9]{2}[ -]?[0-9]{8}[ -]?[0-9]"), cuit.is_valid, _CUIT),
    _Number(_written(r"[0-9]{7,8}[ -]?[0-9K]"), rut.is_valid, _RUT),
    _Number(_written(r"[0-9]{2}[ /]?[0-9]{3}[ /]?[0-9]{3}[ /]?[0-9]{3}"), idnr.is_valid, _IDNR),
    _Number(_written(r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}|[0-9]{4}[ .][0-9]{2}[ .][0-9]{3}"), bsn.is_valid, _BSN),
    _Number(_written(r"[0-9]{11}"), pesel.is_valid, _PESEL),
)


def find_certain(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Numbers whose form and check digits suffice, unless the text calls them an order or a flight."""
    for number in CERTAIN:
        for found in number.pattern.finditer(text):
            if number.is_valid(found.group()) and _stands_alone(text, found):
                yield Found(*found.span(), number.what)


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """A word for an order counts only when it is right before: 'claim 12345678Z' is a claim."""
    return not 0 <= thing_before(text, found.start()) <= 3


def find_beside_a_word(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Numbers of digits alone: the check digits and the word together."""
    for number in BESIDE_A_WORD:
        if number.word is None or not number.word.search(text):
            continue
        for found in number.pattern.finditer(text):
            if number.is_valid(found.group()) and speaks_of(number.word, text, *found.span()):
                yield Found(*found.span(), number.what)
