"""Snippets: texts inserted by `/shortcut`, with a variant per language and variables in double braces."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from careline.errors import InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.knowledge.models import Snippet
from careline.workspaces.checking import check_name, record_settings_change
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

# Every variable a text may hold; the composer fills them in.
VARIABLES = (
    "person.name",
    "person.first_name",
    "agent.name",
    "agent.first_name",
    "brand.name",
    "case.number",
    "channel.name",
)
LONGEST_TEXT = 8000
_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_SHORTCUT = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}$")


def add_snippet(viewer: Viewer, *, shortcut: str, name: str, texts: Mapping[str, str]) -> Snippet:
    """A new snippet. Raises InputRefused with the field's name (`text_es` is the Spanish variant)."""
    check_may(viewer.role, "manage_snippets")
    wanted = _check_shortcut(viewer, shortcut, None)
    kept = _check_texts(texts)
    called = check_name(name, "name", 120)
    with unit_of_work() as work:
        made = Snippet.objects.create(workspace_id=viewer.workspace_id, shortcut=wanted, name=called, texts=kept)
        record_settings_change(work, viewer.workspace_id, "snippets")
    return made


def change_snippet(viewer: Viewer, snippet_id: int, *, shortcut: str, name: str, texts: Mapping[str, str]) -> None:
    """Change a snippet. Raises NotFound for a foreign one."""
    check_may(viewer.role, "manage_snippets")
    wanted = _check_shortcut(viewer, shortcut, snippet_id)
    kept = _check_texts(texts)
    called = check_name(name, "name", 120)
    with unit_of_work() as work:
        own = Snippet.objects.filter(id=snippet_id, workspace_id=viewer.workspace_id)
        if not own.update(shortcut=wanted, name=called, texts=kept):
            raise NotFound("snippet_not_found", _("There is no such snippet here."))
        record_settings_change(work, viewer.workspace_id, "snippets")


def remove_snippet(viewer: Viewer, snippet_id: int) -> None:
    """Remove a snippet; what was sent with it stays. Raises NotFound."""
    check_may(viewer.role, "manage_snippets")
    with unit_of_work() as work:
        gone, _rows = Snippet.objects.filter(id=snippet_id, workspace_id=viewer.workspace_id).delete()
        if not gone:
            raise NotFound("snippet_not_found", _("There is no such snippet here."))
        record_settings_change(work, viewer.workspace_id, "snippets")


def _check_shortcut(viewer: Viewer, shortcut: str, snippet_id: int | None) -> str:
    wanted = shortcut.strip().lstrip("/").lower()
    if not _SHORTCUT.match(wanted):
        message = _("Use small letters without accents, digits, - and _, for example claim-delay.")
        raise InputRefused("shortcut_wrong", message, field="shortcut")
    same = Snippet.objects.filter(workspace_id=viewer.workspace_id, shortcut=wanted).exclude(id=snippet_id or 0)
    if same.exists():
        raise InputRefused("shortcut_taken", _("Another snippet has this shortcut."), field="shortcut")
    return wanted


def _check_texts(texts: Mapping[str, str]) -> dict[str, str]:
    kept = {language: text.strip() for language, text in texts.items() if text.strip()}
    if not kept:
        first = next(iter(texts), "en")
        raise InputRefused("text_missing", _("Write the text in at least one language."), field=f"text_{first}")
    for language, text in kept.items():
        _check_text(language, text)
    return kept


def _check_text(language: str, text: str) -> None:
    field = f"text_{language}"
    if not _LANGUAGE.match(language):
        raise InputRefused("language_wrong", _("Use language codes such as es, en, pt."), field=field)
    if len(text) > LONGEST_TEXT:
        raise InputRefused("text_long", _("Use at most %(limit)d characters.") % {"limit": LONGEST_TEXT}, field=field)
    unknown = sorted({name for name in _VARIABLE.findall(text) if name not in VARIABLES})
    if unknown:
        message = _("There is no variable {{%(name)s}}. There are: %(known)s.") % {
            "name": unknown[0][:40],
            "known": ", ".join(VARIABLES),
        }
        raise InputRefused("variable_unknown", message, field=field)
