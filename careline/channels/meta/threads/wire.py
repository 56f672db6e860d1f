"""Threads' own words, typed, as far as Careline reads them. Nothing here is interpreted.

Sources: developers.facebook.com/documentation/threads/webhooks (updated 2026-06-30), .../reference/reply-management (2026-02-13), .../threads/threads-mentions,
read 2026-11-22.
"""

from __future__ import annotations

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """Another post. `username` and `owner_id` only where a webhook names the root."""

    id: str = ""
    username: str = ""
    owner_id: str = ""


class Child(msgspec.Struct, frozen=True):
    media_type: str = ""
    media_url: str = ""


class Children(msgspec.Struct, frozen=True):
    data: tuple[Child, ...] = ()


class Post(msgspec.Struct, frozen=True):
    """A post or a reply. `username` is all that is told of its author."""

    id: str = ""
    username: str = ""
    text: str = ""
    permalink: str = ""
    timestamp: str = ""
    media_type: str = ""
    media_url: str = ""
    children: Children = Children()
    is_reply: bool = False
    has_replies: bool = False
    is_reply_owned_by_me: bool = False
    replied_to: Ref | None = None
    root_post: Ref | None = None
    profile_picture_url: str = ""


class Values(msgspec.Struct, frozen=True):
    field: str
    value: msgspec.Raw


class Delivery(msgspec.Struct, frozen=True):
    """A webhook: one event, in a shape of its own. `values` has been seen as one, and as a list of one."""

    values: Values | tuple[Values, ...]
    target_id: str = ""
    time: int = 0


class Row(msgspec.Struct, frozen=True):
    """A journal row: `kind` is replies, mentions or delete, own or gone."""

    kind: str
    event: msgspec.Raw
    time: int = 0


class Page(msgspec.Struct, frozen=True):
    data: tuple[msgspec.Raw, ...] = ()


class Posts(msgspec.Struct, frozen=True):
    data: tuple[Post, ...] = ()


class Made(msgspec.Struct, frozen=True):
    id: str


class Container(msgspec.Struct, frozen=True):
    """`status`: IN_PROGRESS, FINISHED, PUBLISHED, ERROR, EXPIRED (docs/threads/troubleshooting, read 2026-11-22)."""

    status: str = ""


class Account(msgspec.Struct, frozen=True):
    id: str
    username: str = ""
    name: str = ""
