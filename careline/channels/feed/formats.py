"""A feed's bytes to a document: RSS 0.9x, 1.0 and 2.0 and Atom by feedparser, JSON Feed by its types, and the few words feedparser has none for.

Sources: RSS 2.0.11 (rssboard.org, 2009-03-30: ttl, skipHours, skipDays, guid); RFC 4287 (December 2005); RFC 4685 (September 2006: in-reply-to,
replies); RFC 6721 (September 2012: deleted-entry); JSON Feed 1.1 (jsonfeed.org, 2020-08-07); the wfw and slash modules of RSS. Read 2026-11-22.

feedparser 6.0.14 reads what is broken as far as it goes. It is given bytes only (a text could be an address or a file to it), without entity
declarations, and its cleaning is off: the core cleans.
"""

from __future__ import annotations

import calendar
import io
import re
import time
from collections.abc import Mapping, Sequence
from typing import Final
from xml.parsers import expat
from xml.sax import SAXException

import msgspec
from feedparser.api import parse

from careline.channels.feed import json_feed, pages
from careline.channels.feed.wire import Document, Enclosure, Entry, Gone, Manners
from careline.kit.markup import plain_text

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ENTRIES: Final = 1000
MOST_FILES: Final = 10
TTL_MINUTES: Final = 7 * 24 * 60
_DECLARATION: Final = re.compile(rb"<!ENTITY[^>]{0,4000}>?", re.IGNORECASE)
_MARGIN_WORDS: Final = re.compile(rb"deleted-entry|skipHours|skipDays", re.IGNORECASE)
_MAIL: Final = re.compile(r"[^\s<>()@]{1,64}@[^\s<>()@]{1,255}")
_TOMBSTONE: Final = "http://purl.org/atompub/tombstones/1.0 deleted-entry"
_REPLIES: Final = ("application/atom+xml", "application/rss+xml")
_Found = Mapping[str, object]


def read(body: bytes, content_type: str, address: str) -> Document:
    """What can be read of it. Never raises; slow for large bodies, so not for the event loop."""
    if json_feed.is_json(body, content_type):
        return json_feed.read(body)
    if body.count(b"<") > 2 * body.count(b">") + 1000:
        # Tags that never end: a reader that looks for their ends would look for hours.
        return Document(problem="It is no XML: most of its tags never end.")
    found = _parse(_DECLARATION.sub(b"", body), content_type, address)
    entries = tuple(_entry(one, found.feed) for one in found.entries[:MOST_ENTRIES])
    if not found.version and not entries:
        return pages.read(body, content_type, address)
    margin, ttl_s = _Margin(body), 60.0 * min(_number(found.feed, "ttl", 0), TTL_MINUTES)
    return Document(
        title=_text(found.feed, "title"),
        entries=entries,
        gone=tuple(margin.gone),
        manners=Manners(ttl_s, frozenset(margin.hours), frozenset(margin.days)),
        problem=_problem(found.error),
    )


class _Parsed(msgspec.Struct):
    """What feedparser gives, with the types it has."""

    version: str = ""
    feed: _Found = {}
    entries: list[dict[str, object]] = []
    error: object = None


def _parse(body: bytes, content_type: str, address: str) -> _Parsed:
    headers = {"content-type": content_type, "content-location": address}
    try:
        found = parse(io.BytesIO(body), response_headers=headers, sanitize_html=False)  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, AssertionError, RecursionError, TypeError, AttributeError) as broken:
        # A parser for everything meets bytes that nobody thought of.
        return _Parsed(error=SAXException(type(broken).__name__))
    error = dict.get(found, "bozo_exception")
    return _Parsed(str(dict.get(found, "version") or ""), _mapping(found["feed"]), _mappings(found["entries"]), error)


def _problem(error: object) -> str:
    """Why it is not well-formed. A wrong charset or content type is no reason: those were put right."""
    if not isinstance(error, SAXException):
        return ""
    return f"It is not well-formed XML: {error.getMessage()[:120]}. What could be read was read."


def _entry(found: _Found, feed: object) -> Entry:
    title, words = _mapping(found.get("title_detail")), _words(found)
    who = _mapping(found.get("author_detail")) or _mapping(_mapping(feed).get("author_detail"))
    name, mail = _named(plain_text(_text(found, "author")) or _text(who, "name"))
    replies = _replies(found)
    return Entry(
        id=_text(found, "id"),
        link=_text(found, "link"),
        title=plain_text(_text(title, "value") or _text(found, "title")),
        html=_text(words, "value"),
        author=name,
        author_url=_text(who, "href"),
        author_mail=mail,
        published_s=_seconds(found, "published_parsed"),
        updated_s=_seconds(found, "updated_parsed"),
        language=_text(words, "language") or _text(title, "language") or _text(_mapping(feed), "language"),
        files=_files(found),
        in_reply_to=_text(_mapping(found.get("thr_in-reply-to")), "ref"),
        comments_url=_text(found, "wfw_commentrss") or _text(replies, "href"),
        comment_count=_number(found, "slash_comments", _number(replies, "thr:count", -1)),
    )


def _named(who: str) -> tuple[str, str]:
    """Name and mail address of `mail (name)`, `name <mail>` or either. feedparser cuts addresses after four letters of their last name."""
    found = _MAIL.search(who)
    if found is None:
        return who, ""
    name = " ".join(re.sub(r"[()<>]", " ", who.replace(found[0], " ")).split())
    return name or found[0].partition("@")[0], found[0].lower()


def _words(found: _Found) -> _Found:
    """The fullest of content and summary; plain text comes as HTML, too."""
    offered = [*_mappings(found.get("content")), _mapping(found.get("summary_detail"))]
    fullest = max(offered, key=lambda one: len(_text(one, "value")))
    if _text(fullest, "type") != "text/plain":
        return fullest
    return {**fullest, "value": pages.as_html(_text(fullest, "value"))}


def _replies(found: _Found) -> _Found:
    """RFC 4685 section 4: a link to a feed of the replies."""
    links = _mappings(found.get("links"))
    fitting = (one for one in links if _text(one, "rel") == "replies" and _text(one, "type") in _REPLIES)
    return next(fitting, {})


def _files(found: _Found) -> tuple[Enclosure, ...]:
    enclosed = [_text(one, "href") for one in _mappings(found.get("links")) if _text(one, "rel") == "enclosure"]
    media = [_text(one, "url") for one in _mappings(found.get("media_content"))]
    urls = [url for url in dict.fromkeys([*enclosed, *media]) if pages.is_web(url)]
    return tuple(Enclosure(url, pages.name_of(url)) for url in urls[:MOST_FILES])


def _text(found: object, name: str) -> str:
    value = dict.get(found, name) if isinstance(found, dict) else None
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def _number(found: object, name: str, otherwise: int) -> int:
    text = _text(found, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _seconds(found: object, name: str) -> float:
    """Read as it stands: asked the usual way, feedparser answers one date with another."""
    value = dict.get(found, name) if isinstance(found, dict) else None
    try:
        return max(0.0, float(calendar.timegm(value))) if isinstance(value, time.struct_time) else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[dict[str, object]]:
    return [_mapping(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


class _Margin:
    """One pass for what feedparser keeps only the last of: deleted entries, hours and days to stay away."""

    def __init__(self, body: bytes) -> None:
        self.gone: list[Gone] = []
        self.hours: set[int] = set()
        self.days: set[str] = set()
        self._inside, self._letters = "", ""
        if _MARGIN_WORDS.search(body):
            self._run(_DECLARATION.sub(b"", body))

    def _run(self, body: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._hear
        try:
            parser.Parse(body, True)
        except (expat.ExpatError, LookupError, ValueError):
            return  # what came before the break counts

    def _begin(self, name: str, given: Mapping[str, str]) -> None:
        if name == _TOMBSTONE and given.get("ref"):
            self.gone.append(Gone(given["ref"].strip(), json_feed.seconds(given.get("when", ""))))
        self._inside, self._letters = name, ""

    def _hear(self, letters: str) -> None:
        if self._inside in {"hour", "day"}:
            self._letters += letters

    def _end(self, name: str) -> None:
        said, self._inside = self._letters.strip(), ""
        if name == "hour" and said.isdigit() and int(said) <= 24:
            self.hours.add(int(said) % 24)
        elif name == "day":
            self.days.add(said[:3].lower())


__all__ = ["MOST_BYTES", "read"]
