"""Web pages and the addresses in them: the feeds a page names."""

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
