"""Mastodon's own words, as far as they are read (docs.joinmastodon.org/entities, API 4.7 of 2026-11), and the rows made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Word(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Anything of theirs: what is absent stays at its default."""


class Refusal(Word, frozen=True):
    error: str = ""


class Account(Word, frozen=True):
    """`acct` has no domain for accounts of the server that is asked."""

    id: str
    acct: str
    display_name: str = ""
    avatar: str = ""


class Mention(Word, frozen=True):
    acct: str


class Media(Word, frozen=True):
    """`url` is empty while it is processed, and where the server keeps no copy of a file that lies elsewhere."""

    id: str
    type: str = ""
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class Option(Word, frozen=True):
    title: str


class Poll(Word, frozen=True):
    options: tuple[Option, ...] = ()


class Quote(Word, frozen=True):
    quoted_status: Status | None = None


class Status(Word, frozen=True):
    """A post. `direct` is what the apps call a private mention."""

    id: str
    created_at: Moment
    account: Account
    content: str = ""
    visibility: str = "public"
    url: str | None = None
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to_id: str | None = None
    edited_at: Moment | None = None
    mentions: tuple[Mention, ...] = ()
    media_attachments: tuple[Media, ...] = ()
    poll: Poll | None = None
    quote: Quote | None = None
    replies_count: int = 0
    reblogs_count: int = 0
    favourites_count: int = 0
    quotes_count: int | None = None


class Notice(Word, frozen=True):
    """A notification. Ours are about a post."""

    id: str
    type: str
    created_at: Moment
    account: Account
    status: Status | None = None


class RawNotice(Word, frozen=True):
    """One whose post is not looked into."""

    id: str
    type: str
    status: msgspec.Raw = msgspec.Raw(b"null")


class Listed(Word, frozen=True):
    """What places an entry in a list."""

    id: str
    created_at: Moment


class Context(Word, frozen=True):
    ancestors: tuple[msgspec.Raw, ...] = ()


class Source(Word, frozen=True):
    text: str = ""


class StatusLimits(Word, frozen=True):
    max_characters: int = 500
    max_media_attachments: int = 4
    characters_reserved_per_url: int = 23


class MediaLimits(Word, frozen=True):
    """Bytes; the defaults are those of Mastodon 4.5."""

    image_size_limit: int = 16 * 1024 * 1024
    video_size_limit: int = 99 * 1024 * 1024


class Addresses(Word, frozen=True):
    streaming: str | None = None


class Configuration(Word, frozen=True):
    urls: Addresses = Addresses()
    statuses: StatusLimits = StatusLimits()
    media_attachments: MediaLimits = MediaLimits()


class Instance(Word, frozen=True):
    domain: str
    configuration: Configuration = Configuration()


class Nothing(Word, frozen=True):
    """A success whose words do not matter."""


# ---- our rows


class Gone(Word, frozen=True):
    id: str
    at: Moment


class Row(Word, frozen=True):
    """What is journalled: an event as it came; for a post also what stands above it, for its thread. `quotes_us` where the server said so."""

    kind: str
    event: msgspec.Raw
    quotes_us: bool = False
    parent: Status | None = None
    root: Status | None = None
