"""The catalogues are whole: every marked text is translated, what is compiled is what was written, and the chat's own
words stand in every language.
"""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from tests import words

CHAT = words.PACKAGE / "edge" / "widget_static"


@pytest.mark.parametrize("locale", words.LOCALES)
def test_every_marked_text_is_translated_and_keeps_its_placeholders(locale: str) -> None:
    assert words.problems(locale) == []


@pytest.mark.parametrize("locale", words.LOCALES)
def test_the_catalogue_holds_no_text_that_nobody_says_any_more(locale: str) -> None:
    with words.catalogue_path(locale).open("rb") as file:
        written = {(message.id, message.context) for message in read_po(file, locale=locale) if message.id}
    assert written == {(message.id, message.context) for message in words.merged(locale) if message.id}


@pytest.mark.parametrize("locale", words.LOCALES)
def test_what_is_compiled_is_what_was_written(locale: str) -> None:
    path = words.catalogue_path(locale)
    with path.open("rb") as file:
        assert path.with_suffix(".mo").read_bytes() == words.compiled(read_po(file, locale=locale))


def test_an_untranslated_text_and_a_lost_placeholder_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = words.merged("es")
    catalog.add("A text that was never translated")
    catalog.add("%(num)s cats", "%(count)s gatos")
    monkeypatch.setattr(words, "merged", lambda locale: catalog)
    assert words.problems("es") == [
        "es: not translated: 'A text that was never translated'",
        "es: other placeholders: '%(num)s cats'",
    ]


@pytest.mark.parametrize("locale", words.LOCALES)
def test_the_chat_says_the_same_things_in_every_language(locale: str) -> None:
    assert chat_keys(locale) == chat_keys("en")


def chat_keys(locale: str) -> list[str]:
    """Keys of a language's words, in their order, with the parameters of those that take some."""
    text = (CHAT / f"words_{locale}.js").read_text()
    found = re.findall(r"^ {2}(\w+): (\([\w, ]*\) =>)?", text, re.MULTILINE)
    assert len(found) > 30
    return [f"{key} {parameters}".strip() for key, parameters in found]
