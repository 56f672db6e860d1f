"""Aurora Air's own words: its tags, and its snippets in both languages."""

from __future__ import annotations

from typing import Final

import msgspec

TAGS: Final = (
    ("points", "auto"),
    ("delayed bag", "soon"),
    ("damaged bag", "soon"),
    ("delay", "late"),
    ("cancellation", "late"),
    ("refund", "action"),
    ("seat", ""),
    ("app", ""),
    ("name", ""),
    ("assistance", "late"),
    ("pets", ""),
    ("family", ""),
    ("compliment", "solved"),
    ("onboard", ""),
    ("allowance", ""),
    ("overbooking", "late"),
)


class SnippetWords(msgspec.Struct, frozen=True):
    """One snippet, with a variant for each language."""

    shortcut: str
    name: str
    texts: dict[str, str]


SNIPPETS: Final = (
    SnippetWords(
        "sorry",
        "Apology after a failed contact",
        {
            "es": "{{person.first_name}}, soy {{agent.first_name}}. Veo que ya nos llamó y nos escribió sin respuesta:"
            " le pido disculpas. Me encargo yo.",
            "en": "{{person.first_name}}, this is {{agent.first_name}}. I can see you rang and wrote without an answer:"
            " I am sorry. I will take care of it.",
        },
    ),
    SnippetWords(
        "private",
        "Move to a private message",
        {
            "es": "Le escribo por privado para no publicar sus datos. ^{{agent.first_name}}",
            "en": "I am sending you a private message so that your details stay private. ^{{agent.first_name}}",
        },
    ),
    SnippetWords(
        "points",
        "Missing points: everything at once",
        {
            "es": "Para sumar sus puntos necesito tres cosas: número de tarjeta, fechas y su nombre tal como"
            " aparece en el billete.",
            "en": "To credit your points I need three things: card number, dates, and your name exactly as"
            " it reads on the ticket.",
        },
    ),
    SnippetWords(
        "bag",
        "Delayed bag: what to expect",
        {
            "es": "La buscamos sin parar. Puede comprar lo imprescindible: guarde los recibos y se los pagamos.",
            "en": "We are looking for it day and night. Buy what you need and keep the receipts: we will pay them.",
        },
    ),
    SnippetWords(
        "promise",
        "You will hear from us",
        {
            "es": "Tendrá noticias mías antes de las 12:00, aunque sea para decirle que aún no hay novedades.",
            "en": "You will hear from me before 12:00, even if it is to say that there is no news yet.",
        },
    ),
    SnippetWords(
        "thanks",
        "Thanks for a compliment",
        {
            "es": "¡Qué alegría leerle! Se lo contaremos al equipo. ¿Nos permite compartirlo?",
            "en": "You made our day! We will tell the crew. May we share it?",
        },
    ),
    SnippetWords(
        "refund",
        "Refund on its way",
        {
            "es": "El reembolso sale hoy y lo verá en dos días hábiles. Lo comprobaré yo mismo.",
            "en": "Your refund leaves today and arrives within two working days. I will check it myself.",
        },
    ),
    SnippetWords(
        "closing",
        "A short goodbye",
        {
            "es": "Gracias a usted, {{person.first_name}}. Buen viaje. ^{{agent.first_name}}",
            "en": "Thank you, {{person.first_name}}. Safe travels. ^{{agent.first_name}}",
        },
    ),
)
