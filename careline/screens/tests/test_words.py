"""Pages of a reader who chose Spanish: nothing of the desk speaks English to them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation

from careline.channels import registry
from careline.conftest import Air
from careline.screens.conftest import Desk
from careline.screens.inbox.wording import failure_words
from careline.screens.templating import network_name
from careline.workspaces.models import Account
from tests import words

pytestmark = pytest.mark.django_db

# Words no Spanish sentence has, and hardly an English one lacks.
ENGLISH = re.compile(
    r"\b(the|and|your|you|with|from|this|that|are|was|not|of|is|it|save|search|settings|done|send|note|sign|case)\b",
    re.IGNORECASE,
)
SPOKEN_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description"}
PAGES = [
    "inbox",
    "inbox?view=all",
    "inbox?view=snoozed",
    "search",
    "search?q=nadie",
    "keyboard",
    "notices",
    "lead",
    "log",
    "channels/",
    "channels/new",
    "channels/new/webchat",
    "channels/new/intake_form",
    "channels/new/simulated",
    "channels/new/generic",
    "channels/new/email",
    "trace/",
    "settings/profile",
    "settings/security",
    "settings/workspace",
    "settings/agents",
    "settings/teams",
    "settings/brands",
    "settings/calendars",
    "settings/clocks",
    "settings/tags",
    "settings/fields",
    "settings/snippets",
    "settings/snippets/new",
    "settings/audit",
]


class _Texts(HTMLParser):
    """Everything a page says: texts, spoken attributes, and the words it brings for its modules."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = "words" if tag == "script" and "data-words" in given else tag
        self.said += [value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "words":
            self.said += list(json.loads(data).values())
        elif self._inside not in {"script", "style", "code", "option", "kbd", "textarea"}:
            self.said.append(" ".join(data.split()))


def said_on(page: str) -> list[str]:
    """What a page says, without what is empty."""
    parser = _Texts()
    parser.feed(page)
    return [text for text in parser.said if text]


def untranslated() -> set[str]:
    """English texts of the catalogue that are not also Spanish ones."""
    with words.catalogue_path("es").open("rb") as file:
        pairs = [(message.id, message.string) for message in read_po(file, locale="es") if message.id]
    spanish = {str(one) for _, said in pairs for one in (said if isinstance(said, tuple | list) else (said,))}
    return {str(asked) for asked, _ in pairs if isinstance(asked, str)} - spanish


@pytest.fixture
def spanish(air: Air) -> Desk:
    Account.objects.filter(id=air.owner.account_id).update(locale="es")
    return Desk(air.owner)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_in_spanish_has_no_english_on_it(spanish: Desk, path: str) -> None:
    page = spanish.page(path)
    assert '<html lang="es"' in page
    texts = said_on(page)
    assert [text for text in texts if text in untranslated()] == []
    assert [text for text in texts if ENGLISH.search(text)] == []


def test_the_same_check_finds_the_english_of_an_english_page(air: Air) -> None:
    texts = said_on(Desk(air.owner).page("inbox"))
    assert any(ENGLISH.search(text) for text in texts) and set(texts) & untranslated()


def test_a_stranger_whose_browser_speaks_spanish_signs_in_in_spanish() -> None:
    page = Client().get("/accounts/login/", headers={"Accept-Language": "es-ES,es;q=0.9"}).content.decode()
    assert "Iniciar sesión" in page and "¿Has olvidado la contraseña?" in page
    assert [text for text in said_on(page) if ENGLISH.search(text)] == []


def test_every_network_and_every_field_of_its_settings_has_a_spanish_name() -> None:
    with translation.override("es"):
        assert network_name("simulated") == "Red simulada" and network_name("intake_form") == "Teléfono y mostrador"
        labels = [
            text
            for slug, one in registry.networks().items()
            if slug != "testnet"
            for field in one.fields
            for text in (field.label, field.hint, *(words for _, words in field.choices))
            if text
        ]
        assert len(labels) > 40
        assert [text for text in labels if ENGLISH.search(translation.gettext(text))] == []


def test_a_failed_sending_is_explained_in_the_readers_language_and_the_platforms_words_are_kept() -> None:
    with translation.override("es"):
        assert failure_words("window_closed", "") == "se había agotado el tiempo para responder allí"
        assert failure_words("smtp_550", "550 No such user") == "550 No such user"
