"""The words around a number that say what it is, in English, Spanish, Portuguese, French, German and Italian; without accents, as folded texts are."""

from __future__ import annotations

import re
from typing import Final

from careline.triage.personal.folding import BLANK

REACH: Final = 25  # characters between a word and what it speaks of
_LONGEST_WORD: Final = 20


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{pattern})(?![^\W\d_])", re.IGNORECASE)


PHONE: Final = _words(
    r"tel|telf|tlf|tfno|tfn|phones?|telephones?|tele[fp]hono|telefonos?|mobile|cell|cellphone|cell phone|movil|celular|celu|whats ?app|wasap|wsp|wapp"
    r"|call|called|calling|ring|dial|sms|fax|hotline|helpline|text me|reach me|answering|contestan|atienden|contact|contactar(?:me)?|contacto"
    r"|llama(?:me|r|d|dme|nos|rme)?|llamen(?:me)?|marca(?:r|ndo)?|mi numero|my number"
    r"|telefone|telemovel|ligar|ligue(?:m)?|liga|telefon(?:nummer|ieren)?|handy(?:nummer)?|rufnummer|anrufen|ruft|ruf"
    r"|appele[rz]?|appelez|portable|numero de telephone|joindre|telefonino|cellulare|chiama(?:re|temi|mi)?|chiamate"
)
# What is numbered and is not a person's: the nearest word decides.
THING: Final = _words(
    r"orders?|order (?:no|number|id)|pedidos?|commande|bestell(?:ung|nummer)|bestellnr|ordine|encomenda"
    r"|tracking|track|seguimiento|rastreo|rastreio|suivi|sendung(?:snummer|sverfolgung)?|spedizione|parcel|package|paquete|envio|shipment|shipping"
    r"|flight|flights|vuelos?|voo|vol|flug|volo|tickets?|billete|boleto|bilhete|case|caso|claims?|reclamaci?on|reclamo|complaint|incidencia|incident"
    r"|invoice|factura|facture|rechnung|fattura|fatura|receipt|serial|serie|sku|model|modelo|modell|version|build|zip|postcode|codigo postal|cp|plz"
    r"|ref|reference|referencia|referenz|expediente|poliza|policy|bag tag|baggage tag|tag|etiqueta|isbn|ean|imei|upc|id|user id|transaction|transaccion"
    r"|requests?|solicitud|reservations?|bookings?|reservas?|confirmation|pnr|localizador|points|puntos|miles|millas|followers|seguidores|votes|votos|usd|eur|euros?|dollars?|pesos|population|poblacion|article|articulo|artikel|licen[cs]e|licencia|permiso|suite|apt|apartment|address|direccion|street|calle"
)
CARD: Final = _words(
    r"cards?|tarjetas?|visa|master ?card|maestro|amex|credit|debit|credito|debito|carte|karte|kreditkarte|carta|cartao|pan|cvv|cvc|cc|ccn"
)
PASSPORT: Final = _words(
    r"passports?|pasaportes?|passeports?|reisepass(?:nummer)?|passnummer|passaportes?|passaporto|pass(?:port)? ?(?:no|nr|number)|pspt"
)


def nearest(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """How many characters lie between the span and the nearest such word within reach, before it or after it on its line; -1 when there is none.
    Nothing is seen through personal data already found: its length must not matter.
    """
    before = _before(text, start)
    after = text[end : end + REACH + _LONGEST_WORD].partition("\n")[0].partition(BLANK)[0]
    gaps = [len(before) - found.end() for found in pattern.finditer(before)]
    gaps += [found.start() for found in pattern.finditer(after)]
    return min((gap for gap in gaps if gap <= REACH), default=-1)


def _before(text: str, start: int) -> str:
    return text[max(0, start - REACH - _LONGEST_WORD) : start].rpartition(BLANK)[2]


def speaks_of(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    """Whether such a word stands within reach, before or after, nearer than a word for a numbered thing."""
    found = nearest(pattern, text, start, end)
    if found < 0:
        return False
    other = thing_before(text, start)
    return other < 0 or found <= other


def thing_before(text: str, start: int) -> int:
    """The characters between a word for a numbered thing and what follows it; -1 when none stands before."""
    before = _before(text, start)
    gaps = [len(before) - found.end() for found in THING.finditer(before)]
    return min((gap for gap in gaps if gap <= REACH), default=-1)
