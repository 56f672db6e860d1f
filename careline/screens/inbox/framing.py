"""A mail's HTML as a document for the sandboxed frame: cleaned once more at the door, pictures that came along by signed address."""

from __future__ import annotations

import regex
from markupsafe import Markup, escape

from careline.cases.queries.framing import FramedHtml
from careline.screens import tickets
from careline.screens.cleaning import clean_html
from careline.workspaces.sight import Viewer

_INLINE = regex.compile(r"(?P<quote>[\"'])cid:(?P<id>[^\"'\s>]{1,200})(?P=quote)", regex.IGNORECASE)
_STYLE = (
    "html{color-scheme:light}"
    "body{margin:8px 10px;font:15px/1.5 system-ui,sans-serif;color:#1d1b16;background:#fff;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}img[src^=http]{display:none}table{max-width:100%}"
    "blockquote{margin:0 0 0 8px;padding-inline-start:10px;border-inline-start:2px solid #c9c2b4}"
)


def render_frame(viewer: Viewer, found: FramedHtml) -> str:
    """A whole document. Links open in a new page without saying where they came from."""
    files = {content_id.strip("<>").lower(): (file_id, name) for content_id, file_id, name in found.inline_files}

    def address(match: regex.Match[str]) -> str:
        known = files.get(match["id"].strip("<>").lower())
        return f'"/files/{tickets.file_ticket(viewer, *known)}"' if known else '""'

    body = clean_html(_INLINE.sub(address, found.html))
    language = escape(found.language or "und")
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><base target="_blank">'
        f'<style>{_STYLE}</style></head><body dir="auto">{Markup(body)}</body></html>'  # noqa: S704 - cleaned above
    )
