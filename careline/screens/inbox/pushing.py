"""The row a stream sends: the same macro as the page's, in the reader's language."""

from __future__ import annotations

from django.utils import translation

from careline.cases.rows import CaseRow
from careline.screens.templating import fragment


def render_stream_row(row: CaseRow, workspace: str, locale: str) -> str:
    """HTML of one row. Nothing in it depends on who looks, so it may be kept by (case, version, locale)."""
    with translation.override(locale):
        return str(fragment("inbox/row.html", "row", row, workspace)).strip()
