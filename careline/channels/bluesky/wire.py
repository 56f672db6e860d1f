"""Bluesky's own words, typed as its lexicons have them (bluesky-social/atproto, lexicons, 2026-08-20); nothing is interpreted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
GATE = "app.bsky.feed.threadgate"


class Word(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Anything of theirs: camelCase names, what is absent stays at its default."""


class Session(Word, frozen=True):
    did: str
    handle: str
    access_jwt: str
    refresh_jwt: str
    did_doc: DidDocument | None = None


class DidDocument(Word, frozen=True):
    service: tuple[Service, ...] = ()


class Service(Word, frozen=True):
    id: str
    service_endpoint: msgspec.Raw = msgspec.Raw(b'""')


class Refusal(Word, frozen=True):
    error: str = ""
    message: str = ""


class Nothing(Word, frozen=True):
    """A success whose words do not matter."""


class Taken(Word, frozen=True):
    uri: str
    cid: str = ""


class Stored(Word, frozen=True):
    """A record as its repository holds it."""

    uri: str
    cid: str
    value: msgspec.Raw


class Uploaded(Word, frozen=True):
    blob: msgspec.Raw


class Resolved(Word, frozen=True):
    did: str


# ---- posts


class Profile(Word, frozen=True):
    did: str
    handle: str = ""
    display_name: str = ""
    avatar: str = ""


class StrongRef(Word, frozen=True):
    uri: str
    cid: str


class ReplyRef(Word, frozen=True):
    root: StrongRef
    parent: StrongRef


class ByteSlice(Word, frozen=True):
    byte_start: int
    byte_end: int


class Feature(Word, frozen=True):
    kind: str = msgspec.field(name="$type")
    did: str = ""
    uri: str = ""
    tag: str = ""


class Facet(Word, frozen=True):
    index: ByteSlice
    features: tuple[Feature, ...] = ()


class Image(Word, frozen=True):
    """`image` is the blob that the upload gave. `alt` is required, and may be empty."""

    alt: str
    image: msgspec.Raw


class ImagesEmbed(Word, frozen=True):
    images: tuple[Image, ...]
    kind: str = msgspec.field(name="$type")


class Post(Word, frozen=True):
    """app.bsky.feed.post: at most 300 graphemes and 3,000 bytes."""

    text: str
    created_at: str = ""
    kind: str = msgspec.field(name="$type", default="")
    reply: ReplyRef | None = None
    facets: tuple[Facet, ...] = ()
    langs: tuple[str, ...] = ()
    embed: ImagesEmbed | msgspec.UnsetType = msgspec.UNSET


class HeardPost(Word, frozen=True):
    """The same record as others wrote it."""

    text: str = ""
    reply: ReplyRef | None = None
    facets: tuple[Facet, ...] = ()
    langs: tuple[str, ...] = ()


class ViewedImage(Word, frozen=True):
    fullsize: str = ""
    alt: str = ""


class Quoted(Word, frozen=True):
    """A quoted post; with media it lies one level deeper, in `record`."""

    uri: str = ""
    author: Profile | None = None
    value: HeardPost | None = None
    record: Quoted | None = None


class Embed(Word, frozen=True):
    images: tuple[ViewedImage, ...] = ()
    items: tuple[ViewedImage, ...] = ()
    media: Embed | None = None
    record: Quoted | None = None
    thumbnail: str = ""
    alt: str = ""


class ViewerState(Word, frozen=True):
    like: str = ""


class PostView(Word, frozen=True):
    uri: str
    cid: str
    author: Profile
    record: HeardPost
    indexed_at: Moment
    embed: Embed | None = None
    reply_count: int = 0
    repost_count: int = 0
    like_count: int = 0
    quote_count: int = 0
    viewer: ViewerState = ViewerState()


class Posts(Word, frozen=True):
    posts: tuple[msgspec.Raw, ...]


class Named(Word, frozen=True):
    uri: str


class Notice(Word, frozen=True):
    """A notification. Gone from the list when its post is deleted."""

    uri: str
    author: Profile
    reason: str
    indexed_at: Moment
    reason_subject: str = ""


class Notices(Word, frozen=True):
    notifications: tuple[Notice, ...]
    cursor: str = ""


class FeedItem(Word, frozen=True):
    post: FeedPost
    reason: Nothing | None = None


class FeedPost(Word, frozen=True):
    uri: str
    indexed_at: Moment


class Feed(Word, frozen=True):
    feed: tuple[FeedItem, ...]
    cursor: str = ""


class Like(Word, frozen=True):
    subject: StrongRef
    created_at: str
    kind: str = msgspec.field(name="$type")


class ReplyRule(Word, frozen=True):
    kind: str = msgspec.field(name="$type")
    list: str = ""


class Threadgate(Word, frozen=True):
    """Who may reply below a post of ours (`allow`, left as it is), and which replies are hidden."""

    post: str
    created_at: str
    kind: str = msgspec.field(name="$type")
    allow: tuple[ReplyRule, ...] | msgspec.UnsetType = msgspec.UNSET
    hidden_replies: tuple[str, ...] = ()


# ---- direct messages


class ChatMessage(Word, frozen=True):
    """A message, or what is left of a deleted one."""

    id: str
    rev: str = ""
    text: str = ""
    facets: tuple[Facet, ...] = ()
    sender: Profile | None = None
    sent_at: Moment | None = None
    reply_to: Answered | None = None


class Answered(Word, frozen=True):
    id: str = ""


class Reaction(Word, frozen=True):
    value: str
    sender: Profile
    created_at: Moment


class ChatEvent(Word, frozen=True):
    kind: str = msgspec.field(name="$type")
    rev: str = ""
    convo_id: str = ""
    message: ChatMessage | None = None
    reaction: Reaction | None = None
    related_profiles: tuple[Profile, ...] = ()


class ChatLog(Word, frozen=True):
    logs: tuple[msgspec.Raw, ...]
    cursor: str = ""


class Convo(Word, frozen=True):
    id: str
    rev: str = ""


class Convos(Word, frozen=True):
    convos: tuple[Convo, ...]


class OneConvo(Word, frozen=True):
    convo: Convo


class ChatMessages(Word, frozen=True):
    messages: tuple[ChatMessage, ...]


class ChatInput(Word, frozen=True):
    text: str
    facets: tuple[Facet, ...] = ()
    reply_to: Answered | None = None


# ---- what a journal row holds


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """What reading fetched of one event: the platform's own bytes, and for a post the posts above it."""

    kind: str
    event: msgspec.Raw
    parent: PostView | None = None
    root: PostView | None = None


class Gone(msgspec.Struct, frozen=True):
    """A post that its network no longer has."""

    uri: str
    at: Moment
