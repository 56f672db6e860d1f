"""The language of what customers write, or no answer."""

from __future__ import annotations

import pytest

from careline.triage.language import detect_language, guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Dónde está mi maleta? Llevo tres días esperando una respuesta.", "es"),
        ("Where is my bag? I have been waiting for three days now.", "en"),
        ("@aurora ¿alguien puede ayudarme con los puntos de mi vuelo? https://example.test/x #puntos", "es"),
        ("Wo ist mein Koffer? Ich warte seit drei Tagen auf eine Antwort.", "de"),
    ],
)
def test_the_language_of_a_sentence_is_found(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "ok", "👍👍👍", "12345 67890", "@aurora #AU204", "\0\0\0"])
def test_too_little_text_gets_no_answer_rather_than_a_guess(text: str) -> None:
    assert detect_language(text) == ""


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert detect_language("Mi maleta no ha llegado y nadie contesta. " * 5000) == "es"


@pytest.mark.parametrize(
    ("text", "among", "language"),
    [
        ("ok thx!", ("en", "es"), "en"),
        ("¡Ahora!", (), "es"),
        ("Alles gut", ("de", "en"), "de"),
        ("Takk for maten, det var kjempegodt i går", (), "nb"),
        ("", ("ar", "es"), "es"),
        ("日本語です", ("en", "es"), "en"),
    ],
)
def test_a_guess_is_always_one_of_those_that_come_into_question(
    text: str, among: tuple[str, ...], language: str
) -> None:
    assert guess_language(text, among) == language
