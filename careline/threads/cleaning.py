"""HTML of strangers made harmless: an allow-list (nh3), remote images parked in `data-src`, and a sandboxed frame to show it in."""

from __future__ import annotations

from html import escape
from typing import Final

import nh3

MOST_BYTES: Final = 2_000_000
TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "center",
        "font",
    ]
)
ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": {"dir", "lang", "title", "align", "valign"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "data-src", "data-cid"},
    "td": {"colspan", "rowspan", "width", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "bgcolor"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
}
SCHEMES: Final = {"http", "https", "mailto", "tel", "cid", "data"}
_DROPPED_WHOLE: Final = {
    "script",
    "style",
    "title",
    "head",
    "noscript",
    "template",
    "svg",
    "math",
    "iframe",
    "object",
    "embed",
    "form",
}
_FRAME_CSP: Final = "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'"


def clean_html(html: str) -> str:
    """What may be kept of an author's HTML. Idempotent; never raises."""
    return nh3.clean(
        html.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").replace("\0", ""),
        tags=set(TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes=ATTRIBUTES,
        attribute_filter=_park_images,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _park_images(tag: str, name: str, value: str) -> str | None:
    if name == "href" and value.strip().lower().startswith("data:"):
        return None
    if tag == "img" and name == "src":
        plain = value.strip().lower()
        return (
            value
            if plain.startswith(("cid:", "data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp"))
            else None
        )
    return value


def frame_document(html: str, locale: str) -> str:
    """A whole document for `<iframe sandbox srcdoc>`: no script, no remote load, links open outside."""
    return (
        f'<!doctype html><html lang="{escape(locale, quote=True)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_FRAME_CSP}"><base target="_blank">'
        "<style>body{font:15px/1.5 system-ui,sans-serif;margin:0;overflow-wrap:anywhere;color-scheme:light dark}img{max-width:100%;height:auto}"
        f"table{{max-width:100%}}blockquote{{margin-inline:0;padding-inline-start:12px;border-inline-start:3px solid #8888}}</style></head><body>{html}</body></html>"
    )
