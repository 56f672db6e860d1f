"""The row a stream sends: the same macro as the page's, in the reader's language."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from careline.cases.rows import CaseRow
from careline.screens.templating import fragment, load_template

_FIRST: Final = ("inbox/row.html", "inbox/page.html", "inbox/case_fragment.html")


def warm_up() -> None:
    """Load what the first page and the first row would wait for, most of a second together: addresses with their views, templates, languages."""
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            reverse("inbox", kwargs={"workspace": "w"})
    for name in _FIRST:
        load_template(name)


def render_stream_row(row: CaseRow, workspace: str, locale: str) -> str:
    """HTML of one row. Nothing in it depends on who looks, so it may be kept by (case, version, locale)."""
    with translation.override(locale):
        return str(fragment("inbox/row.html", "row", row, workspace)).strip()
