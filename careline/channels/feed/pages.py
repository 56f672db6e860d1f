"""Web pages and the HTML in items: the feeds a page names, and words without markup."""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from careline.channels.feed.wire import Document

MOST_CHARS: Final = 200_000
FEED_TYPES: Final = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_LINK: Final = re.compile(r"<link\b[^<>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"([a-zA-Z-]{1,20})\s{0,9}=\s{0,9}(?:\"([^\"]{0,1900})\"|'([^']{0,1900})'|([^\s\"'>]{1,1900}))"
)
_SILENT: Final = re.compile(r"<(script|style)\b[^<>]{0,2000}>[^<]{0,200000}", re.IGNORECASE)
_BREAK: Final = re.compile(r"<(?:br|/?p|/?div|/?li|/?h[1-6]|/?tr|/?blockquote)\b[^<>]{0,2000}>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[a-zA-Z/!?][^<>]{0,4000}>")
_LINES: Final = re.compile(r"[ \t\r\f\v]*\n\s*\n\s*|[ \t\r\f\v]*\n[ \t\r\f\v]*")


def read(body: bytes, content_type: str, address: str) -> Document:
    """A document that is no feed: the feeds it names, where it is a page."""
    text = body[:MOST_CHARS].decode("utf-8", "replace")
    if "<html" not in text[:5000].lower() and "html" not in content_type:
        return Document(problem="It is neither a feed nor a page.")
    return Document(problem="It is a web page and not a feed.", is_page=True, offers=tuple(_offers(text, address))[:10])


def _offers(text: str, address: str) -> list[str]:
    """HTML, section 4.6.7.1 (whatwg.org, read 2026-11-22): `link rel=alternate` with the type of a feed. Comment feeds come last."""
    found: dict[str, bool] = {}
    for tag in _LINK.findall(text):
        given = {name.lower(): html.unescape("".join(values)) for name, *values in _ATTRIBUTE.findall(tag)}
        if "alternate" in given.get("rel", "").lower().split() and given.get("type", "").lower() in FEED_TYPES:
            url = join(address, given.get("href", ""))
            found.setdefault(url, "comment" in f"{url} {given.get('title', '')}".lower())
    return sorted((url for url in found if is_web(url)), key=lambda url: found[url])


def plain(source: str) -> str:
    """Readable words of a piece of HTML, paragraphs apart."""
    kept = _SILENT.sub("", source[:MOST_CHARS].replace("\0", ""))
    bare = _TAG.sub("", _BREAK.sub("\n", kept.replace("\r\n", "\n")))
    return _LINES.sub(lambda gap: "\n\n" if gap.group().count("\n") > 1 else "\n", html.unescape(bare)).strip()


def as_html(text: str) -> str:
    """Plain words as HTML."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def is_web(url: str) -> bool:
    """Whether it is a whole web address: nothing else is linked to, or fetched."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= 2000
    except ValueError:
        return False


def join(base: str, onward: str) -> str:
    """An address as seen from another; '' for one that cannot be read."""
    try:
        return urljoin(base, onward.strip())
    except ValueError:
        return ""


def host_of(address: str) -> str:
    """Host and port, lower case."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def name_of(url: str) -> str:
    """The file's name as its address has it."""
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])[:120] or "file"
