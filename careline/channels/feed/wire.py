"""The words of this network: what a feed's document says, what is kept of a feed between two visits, and the letter that a journal row holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from careline.channels.base import ChannelView


class Enclosure(msgspec.Struct, frozen=True):
    """A file named by an item: RSS 2.0 `enclosure`, Atom `link rel=enclosure`, Media RSS `content`, JSON Feed `attachments`."""

    url: str
    name: str = ""


class Entry(msgspec.Struct, frozen=True):
    """An item as its document has it. Times are seconds since 1970, 0 where none is given."""

    id: str = ""
    link: str = ""
    title: str = ""
    html: str = ""
    author: str = ""
    author_url: str = ""
    author_mail: str = ""
    published_s: float = 0
    updated_s: float = 0
    language: str = ""
    files: tuple[Enclosure, ...] = ()
    in_reply_to: str = ""
    comments_url: str = ""
    comment_count: int = -1


class Gone(msgspec.Struct, frozen=True):
    """An item that its feed says is deleted (RFC 6721, September 2012, section 3)."""

    ref: str
    at_s: float = 0


class Manners(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a feed asks of those who visit it: RSS 2.0 `ttl`, `skipHours` (GMT) and `skipDays` (their first three letters)."""

    ttl_s: float = 0
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[str] = frozenset()


class Document(msgspec.Struct, frozen=True):
    """What could be read. `problem` says in one sentence why some of it, or all of it, could not."""

    title: str = ""
    entries: tuple[Entry, ...] = ()
    gone: tuple[Gone, ...] = ()
    manners: Manners = Manners()
    problem: str = ""
    is_page: bool = False
    offers: tuple[str, ...] = ()
    """Of a web page: the feeds it names."""


class Known(msgspec.Struct, frozen=True, array_like=True):
    """An item met before: how often it changed, a hash of its words, its thread, and whether the desk was told of it."""

    version: int
    digest: str
    thread: str
    is_told: bool


class Root(msgspec.Struct, frozen=True):
    """The post that a comment feed is about. `is_named` when it speaks of the brand."""

    thread: str
    feed: str
    title: str = ""
    author: str = ""
    excerpt: str = ""
    is_named: bool = True


class FeedState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one feed. `now_at` is where it moved for good; `failed` the code of the last failure; `is_late` when the
    channel had other feeds before: what stands in this one when we first come is old.
    """

    now_at: str = ""
    etag: str = ""
    modified: str = ""
    due_s: float = 0
    failures: int = 0
    failed: str = ""
    is_gone: bool = False
    is_met: bool = False
    is_late: bool = False
    known: Mapping[str, Known] = {}
    root: Root | None = None
    count: int = -1
    manners: Manners = Manners()


class Kept(msgspec.Struct, frozen=True):
    """The cursor: the state of each feed by its address."""

    feeds: Mapping[str, FeedState] = {}


Kind = Literal["appeared", "edited", "deleted", "unreadable"]


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event, as it is journalled. `key` names the item on the channel, `version` its change; `is_old` what stood there when we first came."""

    kind: Kind
    feed: str
    key: str
    thread: str
    version: int
    digest: str
    seen_s: float
    entry: Entry = Entry()
    feed_title: str = ""
    reply_to: str = ""
    root: Root | None = None
    is_old: bool = False
    deleted_s: float = 0
    reason: str = ""


def addresses(channel: ChannelView) -> tuple[str, ...]:
    """The feeds of a channel as they were typed, once each; https where no scheme was."""
    typed = [one if "://" in one else f"https://{one}" for one in channel.setting("feeds").split()]
    return tuple(dict.fromkeys(typed))
