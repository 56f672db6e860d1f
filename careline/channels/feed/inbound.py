"""From a journalled letter to what happened: posts and comments, their edits, their deletions."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Final

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    ForeignPayload,
    Happening,
    InboundFile,
    Said,
    ThreadFacts,
)
from careline.channels.feed import pages
from careline.channels.feed.cutting import hash_of, is_named
from careline.channels.feed.wire import Letter
from careline.kit import clock
from careline.kit.markup import plain_text

_RICH: Final = re.compile(r"<(?:a|img|table|[uo]l|blockquote|pre|h[1-6]|b|i|em|strong)[\s>]", re.IGNORECASE)
"""Markup that says more than its words; what has only paragraphs is shown as text."""


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises ForeignPayload for what is no letter, and for a letter that says why a feed could not be read."""
    try:
        letter = msgspec.json.decode(raw, type=Letter)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise ForeignPayload(f"This is no item of a feed: {broken}"[:200]) from broken
    if letter.kind == "unreadable":
        raise ForeignPayload(f"{letter.feed}: {letter.reason}"[:400])
    if letter.kind == "deleted":
        return [Deleted(letter.key, clock.from_epoch(letter.deleted_s or letter.seen_s))]
    if letter.kind == "edited":
        return [_edited(letter)]
    return [_said(letter, channel)]


def _edited(letter: Letter) -> Edited:
    text, html = _words(letter)
    return Edited(letter.key, text, clock.from_epoch(letter.entry.updated_s or letter.seen_s), html)


def _said(letter: Letter, channel: ChannelView) -> Said:
    entry = letter.entry
    text, html = _words(letter)
    at = _at(letter)
    return Said(
        platform_id=letter.key,
        thread_key=letter.thread,
        surface="comment" if letter.reply_to else "post",
        author=_author(letter, channel),
        text=text,
        html=html,
        at=at,
        thread=_thread(letter),
        reply_to=letter.reply_to,
        joins_reply=bool(letter.reply_to),
        files=tuple(InboundFile(one.name, url=one.url) for one in entry.files),
        is_addressed=is_named(entry, channel) or _is_of_the_root(letter),
        is_history=letter.is_old or (channel.history_before is not None and at < channel.history_before),
        language=_language(entry.language),
        facts=_facts(letter),
    )


def _at(letter: Letter) -> datetime:
    """When it was said; for words that came into an older item, when they were seen."""
    said_s = 0.0 if letter.version else letter.entry.published_s or letter.entry.updated_s
    return clock.from_epoch(said_s or letter.seen_s)


def _is_of_the_root(letter: Letter) -> bool:
    """Who complained in the post speaks of the same thing in its comments."""
    root = letter.root
    return root is not None and root.is_named and bool(root.author) and root.author == letter.entry.author


def _words(letter: Letter) -> tuple[str, str]:
    """Text and HTML. A post has its title above it, unless it begins with it; titles of comments are made by machines."""
    entry, body = letter.entry, plain_text(letter.entry.html)
    html = entry.html if _RICH.search(entry.html) else ""
    opening = entry.title.rstrip(".… ")
    if letter.reply_to or not opening or body.startswith(opening):
        return body or entry.title, html
    return f"{entry.title}\n\n{body}".strip(), html and f"<p><strong>{escape(entry.title)}</strong></p>{html}"


def _author(letter: Letter, channel: ChannelView) -> Author:
    """Scoped to the feed: the same name elsewhere is somebody else. Where nobody is named, each item has its own author."""
    entry, feed = letter.entry, letter.root.feed if letter.root is not None else letter.feed
    named = entry.author_url or entry.author_mail or entry.author.casefold()
    ours = [one.strip().casefold() for one in channel.setting("own_names").split(",") if one.strip()]
    return Author(
        key=hash_of(feed, named) if named else f"item:{letter.key}",
        handle=(entry.author_url if pages.is_web(entry.author_url) else entry.author)[:200],
        name=entry.author or letter.feed_title or pages.host_of(letter.feed),
        is_us=entry.author.casefold() in ours,
    )


def _thread(letter: Letter) -> ThreadFacts:
    entry, root = letter.entry, letter.root
    permalink = entry.link if pages.is_web(entry.link) else ""
    if root is None:
        return ThreadFacts(subject=entry.title or letter.feed_title, permalink=permalink)
    return ThreadFacts(root.title, permalink, parent_author=root.author, parent_text=root.excerpt)


def _facts(letter: Letter) -> dict[str, str]:
    told = {"feed": letter.feed_title, "page": letter.entry.link if pages.is_web(letter.entry.link) else ""}
    return {name: value for name, value in told.items() if value}


def _language(tag: str) -> str:
    """The language of a tag such as es-ES (RFC 5646, September 2009)."""
    first = tag.replace("_", "-").split("-")[0].strip().lower()
    return first if first.isascii() and first.isalpha() and len(first) in {2, 3} else ""
