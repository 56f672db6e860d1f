"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1, 2020-08-07): each item is read for itself, so that a broken one costs only itself."""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.feed import pages
from careline.channels.feed.wire import Document, Enclosure, Entry
from careline.kit import clock

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_ENTRIES: Final = 1000


class _Author(msgspec.Struct):
    name: str | None = None
    url: str | None = None


class _Attachment(msgspec.Struct):
    url: str = ""
    title: str | None = None


class _Item(msgspec.Struct):
    id: str | int | float
    url: str | None = None
    title: str | None = None
    content_html: str | None = None
    content_text: str | None = None
    summary: str | None = None
    image: str | None = None
    date_published: str | None = None
    date_modified: str | None = None
    language: str | None = None
    authors: tuple[_Author, ...] = ()
    author: _Author | None = None
    attachments: tuple[_Attachment, ...] = ()


class _Feed(msgspec.Struct):
    version: str
    items: tuple[msgspec.Raw, ...]
    title: str = ""
    language: str = ""
    authors: tuple[_Author, ...] = ()
    author: _Author | None = None


def is_json(body: bytes, content_type: str) -> bool:
    """By what it says it is, or by how it begins."""
    return "json" in content_type.lower() or body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def read(body: bytes) -> Document:
    """What can be read of it. Never raises."""
    try:
        feed = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=_Feed)
    except _UNREADABLE as broken:
        return Document(problem=f"It is no JSON Feed: {broken}"[:200])
    if "jsonfeed.org/version/" not in feed.version:
        return Document(problem="It is JSON, but no JSON Feed.")
    entries = [_entry(bytes(raw), feed) for raw in feed.items[:MOST_ENTRIES]]
    read_ones = tuple(one for one in entries if one is not None)
    missed = len(entries) - len(read_ones)
    problem = f"{missed} of {len(entries)} items could not be read." if missed else ""
    return Document(title=feed.title, entries=read_ones, problem=problem)


def _entry(raw: bytes, feed: _Feed) -> Entry | None:
    try:
        item = msgspec.json.decode(raw, type=_Item)
    except _UNREADABLE:
        return None
    who = next(iter([*item.authors, *([item.author] if item.author else []), *feed.authors]), feed.author) or _Author()
    urls = [item.image or "", *(one.url for one in item.attachments)]
    return Entry(
        id=str(item.id),
        link=item.url or "",
        title=item.title or "",
        html=item.content_html or pages.as_html(item.content_text or item.summary or ""),
        author=who.name or "",
        author_url=who.url or "",
        published_s=seconds(item.date_published or ""),
        updated_s=seconds(item.date_modified or ""),
        language=item.language or feed.language,
        files=tuple(Enclosure(url, pages.name_of(url)) for url in urls[:10] if pages.is_web(url)),
    )


def seconds(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time; 0 for none and for nonsense."""
    try:
        return max(0.0, clock.parse_iso(text.strip()).timestamp())
    except (ValueError, OverflowError):
        return 0.0
