"""HTML of strangers made harmless: an allow-list (nh3), remote pictures parked in `data-src`."""

from __future__ import annotations

from typing import Final

import nh3
import regex

MOST_BYTES: Final = 2_000_000
TAGS: Final = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "div", "dl",
    "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "q",
    "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "u", "ul",
})  # fmt: skip
ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": {"dir", "lang", "title", "align", "valign", "style"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "data-src"},
    "td": {"colspan", "rowspan", "width", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "bgcolor"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "font": {"color", "size"},
    "ol": {"start", "type"},
}
# Enough to keep a table or a warning in red; nothing that moves, covers, loads or hides.
STYLES: Final = frozenset({
    "color", "background-color", "font-weight", "font-style", "font-size", "text-align", "text-decoration",
    "vertical-align", "width", "height", "border", "border-collapse", "padding", "padding-top", "padding-bottom",
    "padding-left", "padding-right",
})  # fmt: skip
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "cid", "data", "careline-remote"})
_DROPPED_WHOLE: Final = frozenset({
    "script", "style", "title", "head", "noscript", "template", "svg", "math", "iframe", "object", "embed", "form",
    "button", "select", "textarea",
})  # fmt: skip
_OWN_PICTURES: Final = ("cid:", "data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp")
_PARKED: Final = ' src="careline-remote:'
_LOADS: Final = regex.compile(r"url\s*\(|expression\s*\(|@import|\\", regex.IGNORECASE)
_HUGE: Final = regex.compile(r"\d{4,}|(?<![\d.])(?:[2-9]\d|1\d\d)(?:r?em|vw|vh)", regex.IGNORECASE)


def clean_html(html: str) -> str:
    """What may be kept of an author's HTML: no script, no form, no remote load, links that say nothing of where they
    came from.

    Remote pictures keep their address in `data-src`, for a reader who asks for them. Idempotent; never raises.
    """
    kept = html.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").replace("\0", "")
    cleaned = nh3.clean(
        kept,
        tags=set(TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes=ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes=set(SCHEMES),
        url_relative="deny",
        filter_style_properties=set(STYLES),
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return cleaned.replace(_PARKED, ' data-src="')


def _filter(tag: str, name: str, value: str) -> str | None:
    plain = value.strip().lower()
    if name == "href":
        return value if plain.startswith(("http:", "https:", "mailto:", "tel:")) else None
    if name == "src":
        return _picture(value, plain)
    if name == "data-src":
        return value if plain.startswith(("http:", "https:")) else None
    if name == "style":
        return None if _LOADS.search(value) or _HUGE.search(value) else value
    return value


def _picture(value: str, plain: str) -> str | None:
    if plain.startswith(_OWN_PICTURES):
        return value
    return f"careline-remote:{value.strip()}" if plain.startswith(("http:", "https:")) else None
