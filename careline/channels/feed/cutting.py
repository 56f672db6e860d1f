"""A document beside what was known of its feed: what appeared, changed and went, as letters, and what is known now. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Part
from careline.channels.feed import pages
from careline.channels.feed.wire import Document, Entry, FeedState, Gone, Kind, Known, Letter, Root
from careline.kit import clock
from careline.kit.markup import plain_text

MOST_KNOWN: Final = 400
MOST_FOLLOWED: Final = 20
FOLLOWED_S: Final = 14 * 24 * 3600.0
EXCERPT: Final = 1000
_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:.")
_GONE: Final = "gone"


def hash_of(*pieces: str) -> str:
    """Sixteen characters that name these pieces."""
    return hashlib.blake2b("\0".join(pieces).encode("utf-8", "replace"), digest_size=8).hexdigest()


def key_of(feed: str, name: str) -> str:
    """How an item is named on the channel. An absolute id (RFC 4287, 4.2.6) holds for all feeds of its host, and no further: a feed must not be
    able to change what another host said. Any other id holds in its feed.
    """
    return hash_of(pages.host_of(feed) if _ABSOLUTE.match(name) else feed, name)


def entry_key(feed: str, entry: Entry) -> str:
    """By id, else by link, else by its words."""
    return key_of(feed, entry.id or entry.link or f"#{entry.title}\0{entry.html}")


def names(words: str, text: str) -> bool:
    """Whether a text holds one of the words (separated by commas), whole, whatever their case and accents; without words, any text does."""
    wanted = [_folded(one) for one in words.split(",") if one.strip()]
    told = _folded(text)
    return not wanted or any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", told) for one in wanted)


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(letter for letter in apart if not unicodedata.combining(letter)).split())


def is_named(entry: Entry, channel: ChannelView) -> bool:
    """Whether an item speaks of the brand, as far as the channel's words say."""
    return names(channel.setting("words"), f"{entry.title}\n{plain_text(entry.html)}")


def cut(feed: str, state: FeedState, document: Document, channel: ChannelView) -> tuple[FeedState, list[Letter]]:
    """Oldest first. Raises nothing."""
    known, letters = dict(state.known), []
    for entry in sorted(reversed(document.entries), key=lambda one: one.published_s or one.updated_s):
        key = entry_key(feed, entry)
        before = known.pop(key, None)
        now, kind = _compare(before, entry, feed, state, channel)
        known[key] = now
        if kind:
            letters.append(_letter(kind, feed, key, now, state, entry, document.title))
    for gone in document.gone:
        letters += _bury(gone, feed, known)
    newest = dict(list(known.items())[-max(MOST_KNOWN, len(document.entries)) :])
    return msgspec.structs.replace(state, known=newest, is_met=True), letters


def _compare(
    before: Known | None, entry: Entry, feed: str, state: FeedState, channel: ChannelView
) -> tuple[Known, Kind | None]:
    digest = hash_of(entry.title, entry.html)
    if before is not None and before.digest in {digest, _GONE}:
        return before, None
    is_told = is_named(entry, channel) or (state.root is not None and state.root.is_named)
    version = 0 if before is None else before.version + 1
    was_told = before is not None and before.is_told
    kind: Kind | None = "edited" if was_told else "appeared" if is_told else None
    return Known(version, digest, _thread(feed, state, entry), is_told or was_told), kind


def _thread(feed: str, state: FeedState, entry: Entry) -> str:
    """A post is a thread; a comment stands in its post's."""
    if state.root is not None:
        return state.root.thread
    return key_of(feed, entry.in_reply_to) if entry.in_reply_to else entry_key(feed, entry)


def _letter(kind: Kind, feed: str, key: str, now: Known, state: FeedState, entry: Entry, title: str) -> Letter:
    return Letter(
        kind=kind,
        feed=feed,
        key=key,
        thread=now.thread,
        version=now.version,
        digest=now.digest,
        seen_s=clock.epoch_s(),
        entry=msgspec.structs.replace(entry, html=entry.html[: pages.MOST_CHARS]),
        feed_title=title,
        reply_to=key_of(feed, entry.in_reply_to) if entry.in_reply_to else state.root.thread if state.root else "",
        root=state.root,
        is_old=not state.is_met and (state.is_late or not (entry.published_s or entry.updated_s)),
    )


def _bury(gone: Gone, feed: str, known: dict[str, Known]) -> list[Letter]:
    """Once; also for what was never met, which may still come. Nothing of what the desk was never told of."""
    key = key_of(feed, gone.ref)
    before = known.get(key) or Known(0, "", key, True)
    known[key] = Known(before.version, _GONE, before.thread, before.is_told)
    if before.digest == _GONE or not before.is_told:
        return []
    return [Letter("deleted", feed, key, before.thread, before.version, _GONE, clock.epoch_s(), deleted_s=gone.at_s)]


def unreadable(feed: str, reason: str) -> Letter:
    """What could not be read, once for each reason."""
    return Letter(
        "unreadable", feed, "", hash_of(feed), 0, hash_of(reason, str(clock.epoch_s())), clock.epoch_s(), reason=reason
    )


def part_of(letter: Letter, account_key: str) -> Part:
    """The journal's part. The same version of the same item is the same event, however often it is read."""
    name = f"{letter.key or letter.thread}:{letter.version}:{letter.digest}"
    return Part(account_key, name, letter.thread, msgspec.json.encode(letter))


def comment_feeds(feed: str, document: Document, channel: ChannelView) -> dict[str, FeedState]:
    """The comment feeds of a feed's latest posts, with the post each is about. A post without comments has none worth a visit."""
    since_s = clock.epoch_s() - FOLLOWED_S
    latest = [one for one in document.entries if (one.published_s or one.updated_s or since_s) >= since_s]
    fitting = [one for one in latest if pages.is_web(one.comments_url) and one.comment_count != 0][:MOST_FOLLOWED]
    return {one.comments_url: FeedState(root=_root(feed, one, channel), count=one.comment_count) for one in fitting}


def _root(feed: str, entry: Entry, channel: ChannelView) -> Root:
    excerpt = plain_text(entry.html)[:EXCERPT]
    return Root(entry_key(feed, entry), feed, entry.title, entry.author, excerpt, is_named(entry, channel))
