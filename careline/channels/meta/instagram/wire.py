"""Instagram's own words for its public side, typed, as far as Careline reads them. Messages are in `messaging`.

Sources: developers.facebook.com/documentation/instagram-platform/webhooks/examples (updated 2025-11-24), .../docs/graph-api/webhooks/reference/instagram,
.../instagram-platform/comment-moderation, read 2026-11-22.
"""

from __future__ import annotations

import msgspec

from careline.channels.meta.messaging import Somebody


class Media(msgspec.Struct, frozen=True):
    id: str = ""


class Comment(msgspec.Struct, frozen=True):
    """`parent_id` where a comment is answered. The webhook gives no time of its own, the history does."""

    id: str = ""
    sender: Somebody = msgspec.field(name="from", default=Somebody())
    text: str = ""
    media: Media = Media()
    parent_id: str = ""
    timestamp: str = ""


class Mention(msgspec.Struct, frozen=True):
    """Names where we were mentioned, not what was said: `comment_id` is empty where it was in a caption."""

    media_id: str = ""
    comment_id: str = ""


class Row(msgspec.Struct, frozen=True):
    """A journal row: `kind` is the change's field, `messaging` or `gone`; `time` is the delivery's."""

    kind: str
    event: msgspec.Raw
    time: int = 0
    permalink: str = ""


class Made(msgspec.Struct, frozen=True):
    id: str


class Account(msgspec.Struct, frozen=True):
    user_id: str
    username: str = ""
    name: str = ""


class Comments(msgspec.Struct, frozen=True):
    data: tuple[Comment, ...] = ()


class Post(msgspec.Struct, frozen=True):
    id: str
    permalink: str = ""
    comments: Comments = Comments()


class Posts(msgspec.Struct, frozen=True):
    data: tuple[Post, ...] = ()


class Subscribed(msgspec.Struct, frozen=True):
    id: str = ""


class SubscribedApps(msgspec.Struct, frozen=True):
    data: tuple[Subscribed, ...] = ()
