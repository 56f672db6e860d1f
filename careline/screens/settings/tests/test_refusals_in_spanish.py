"""A form that is refused says so in the reader's language, names the field, says what to do, and gives back every word: every form, in English and in Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client

from careline.channels.models import Channel, Connection
from careline.screens.settings.tests.conftest import SignIn
from careline.workspaces.actions.founding import make_owner_link
from careline.workspaces.actions.inviting import invite_agent
from careline.workspaces.models import Account, Workspace
from careline.workspaces.tests.cast import Cast

pytestmark = pytest.mark.django_db
ODD = "¿Qué? <b>'ñ\""


@dataclass(frozen=True)
class Form:
    """An address below /w/air/, what is typed, and the fields it must refuse."""

    path: str
    typed: dict[str, str]
    refused: tuple[str, ...]
    hidden: tuple[str, ...] = field(default=())  # typed, and never shown again: passwords and choices


FORMS = [
    Form("settings/teams/new", {"name": "x" * 81}, ("name",)),
    Form("settings/brands/new", {"name": "", "sign_off": ODD, "languages": "es, en", "formality": "tu"}, ("name",), ("formality",)),
    Form("settings/brands/new", {"name": ODD, "sign_off": ODD, "languages": "español", "formality": "tu", "zone": "UTC"}, ("languages",), ("formality",)),
    Form("settings/calendars/new", {"name": ODD, "zone": "Mars/Olympus", "hours_0": "9-14"}, ("zone",)),
    Form("settings/calendars/new", {"name": ODD, "zone": "Europe/Madrid", "hours_0": "9-14", "hours_3": "14-9"}, ("hours_3",)),
    Form("settings/tags/new", {"name": "a,b"}, ("name",)),
    Form("settings/fields/new", {"label": ODD, "pattern": "["}, ("pattern",)),
    Form("settings/snippets/new", {"shortcut": "hi", "name": ODD, "text_es": "Hola {{person.age}}"}, ("text_es",)),
    Form("settings/workspace", {"part": "workspace", "name": "", "locale": "es", "zone": "Europe/Madrid"}, ("name",), ("part", "locale")),
    Form("settings/workspace", {"part": "workspace", "name": ODD, "locale": "es", "zone": "Nowhere"}, ("zone",), ("part", "locale")),
    Form("settings/workspace", {"part": "retention", "keep_raw_days": "7", "keep_events_days": "many", "keep_sending_logs_days": "20"},
         ("keep_events_days",), ("part",)),
    Form("settings/workspace", {"part": "retention", "keep_raw_days": "0", "keep_events_days": "8", "keep_sending_logs_days": "20"},
         ("keep_raw_days",), ("part",)),
    Form("settings/agents", {"email": "nobody at all", "role": "agent"}, ("email",), ("role",)),
    Form("settings/profile", {"name": "", "locale": "es", "languages": "es", "signature": ODD}, ("name",), ("locale",)),
    Form("settings/profile", {"name": ODD, "locale": "es", "languages": "español", "signature": ODD}, ("languages",), ("locale",)),
    Form("channels/new/email", {"name": ODD, "undo_s": "999", "act": "connect"}, ("undo_s", "brand"), ("act",)),
    Form("channels/new/webchat", {"name": ODD, "undo_s": "-1", "set_origins": "shop", "act": "connect"}, ("undo_s", "brand"), ("act",)),
    Form("log", {"id": "note-000000001", "who": "999999999999", "text": "", "kind": "phone", "call_back_at": "2001-01-01T10:00"},
         ("who", "text", "call_back_at"), ("kind",)),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def problems(page: str) -> list[str]:
    """The words of every refusal on a page."""
    found = re.findall(r'<p[^>]*class="problem"[^>]*>(.*?)</p>', page, re.S)
    return [unescape(re.sub(r"<[^>]+>", "", one)).strip() for one in found]


def _post(client: Client, path: str, typed: dict[str, str]) -> str:
    answer = client.post(path, typed)
    assert answer.status_code == 422, (path, answer.status_code)
    return answer.content.decode()


def _check_both(english: str, spanish: str, form: Form) -> None:
    assert 'lang="en"' in english and 'lang="es"' in spanish
    said, dicho = problems(english), problems(spanish)
    assert len(said) == len(dicho) >= len(form.refused), (said, dicho)
    for one, other in zip(said, dicho, strict=True):
        assert other and one != other, f"not in Spanish: {other}"
    for name in form.refused:
        assert re.search(rf'(?:id|aria-describedby)="(?:id_{name}_error|problem-{name})', spanish) or re.search(
            rf'name="{name}"[^>]*aria-invalid="true"', spanish
        ), f"{name} is not named"
    for name, value in form.typed.items():
        if name not in form.hidden:
            assert value in unescape(spanish), f"{name} was lost"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path + "-" + form.refused[0])
def test_a_refusal_speaks_the_readers_language_names_its_fields_and_keeps_what_was_typed(
    cast: Cast, sign_in: SignIn, form: Form
) -> None:
    connection = Connection.objects.create(workspace=cast.workspace, network="intake_form", name="Phone")
    Channel.objects.create(
        workspace=cast.workspace, connection=connection, network="intake_form", account_key="desk", name="Phone", brand=cast.brand,
    )  # fmt: skip
    pages = []
    for locale in ("en", "es"):
        Account.objects.filter(id=cast.olga.account_id).update(locale=locale)
        cast.olga.account.refresh_from_db()
        pages.append(_post(sign_in(cast.olga), f"/w/air/{form.path}", form.typed))
    _check_both(*pages, form)


FIRST = Form(
    "setup",
    {
        "workspace_name": ODD,
        "name": "Olga",
        "email": "olga",
        "password": "short",
        "locale": "es",
        "zone": "Mars/Olympus",
    },
    ("email",),
    ("password", "locale"),
)
JOIN = Form(
    "join",
    {"name": ODD, "password": "short", "locale": "es", "zone": "Europe/Madrid"},
    ("password",),
    ("password", "locale", "zone"),
)


def test_whoever_has_no_account_yet_is_refused_in_the_browsers_language(db: None) -> None:
    link = make_owner_link()
    assert link is not None and not Workspace.objects.exists()
    pages = [_post(Client(headers={"accept-language": locale}), _path(link), FIRST.typed) for locale in ("en", "es")]
    _check_both(*pages, FIRST)


def test_whoever_is_invited_too(cast: Cast) -> None:
    link = invite_agent(cast.viewer(cast.olga), email="nora@air.test", role="agent").url
    pages = [_post(Client(headers={"accept-language": locale}), _path(link), JOIN.typed) for locale in ("en", "es")]
    _check_both(*pages, JOIN)


def _path(link: str) -> str:
    return "/" + link.split("/", 3)[3]
