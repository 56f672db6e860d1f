"""A Page's own words, typed, as far as Careline reads them. Nothing here is interpreted.

Source: developers.facebook.com/docs/graph-api/webhooks/reference/page (feed, mention; v26.0), .../reference/comment and .../page/feed, read 2026-11-22.
"""

from __future__ import annotations

import msgspec

from careline.channels.meta.messaging import Somebody


class Post(msgspec.Struct, frozen=True):
    permalink_url: str = ""


class Feed(msgspec.Struct, frozen=True):
    """News of the Page's public side. `item`: comment, reaction, like, status, post, photo, video, share; `verb`: add, edited, edit,
    remove, hide, unhide. `parent_id` is the post, or the comment that is answered.
    """

    item: str = ""
    verb: str = ""
    sender: Somebody = msgspec.field(name="from", default=Somebody())
    message: str = ""
    post_id: str = ""
    comment_id: str = ""
    parent_id: str = ""
    created_time: int = 0
    reaction_type: str = ""
    photo: str = ""
    video: str = ""
    link: str = ""
    post: Post = Post()


class Row(msgspec.Struct, frozen=True):
    """A journal row: `kind` is the change's field, or `messaging`; `time` is the delivery's."""

    kind: str
    event: msgspec.Raw
    time: int = 0


class Made(msgspec.Struct, frozen=True):
    id: str


class Page(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    username: str = ""


class Subscribed(msgspec.Struct, frozen=True):
    id: str = ""
    subscribed_fields: tuple[str, ...] = ()


class SubscribedApps(msgspec.Struct, frozen=True):
    data: tuple[Subscribed, ...] = ()


# ---- what is fetched after an outage


class Ref(msgspec.Struct, frozen=True):
    id: str = ""


class Media(msgspec.Struct, frozen=True):
    src: str = ""


class Image(msgspec.Struct, frozen=True):
    image: Media = Media()


class CommentFile(msgspec.Struct, frozen=True):
    media: Image = Image()
    url: str = ""


class Comment(msgspec.Struct, frozen=True):
    """`parent` is there where a comment is answered."""

    id: str
    created_time: str
    sender: Somebody = msgspec.field(name="from", default=Somebody())
    message: str = ""
    parent: Ref | None = None
    attachment: CommentFile | None = None


class Comments(msgspec.Struct, frozen=True):
    data: tuple[Comment, ...] = ()


class FeedPost(msgspec.Struct, frozen=True):
    id: str
    created_time: str = ""
    message: str = ""
    permalink_url: str = ""
    sender: Somebody = msgspec.field(name="from", default=Somebody())
    comments: Comments = Comments()


class Posts(msgspec.Struct, frozen=True):
    data: tuple[FeedPost, ...] = ()
