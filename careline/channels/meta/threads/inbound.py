"""From Threads to Careline: replies and mentions, by webhook and by asking; what is gone. Pure but for the asking.

Nothing but the user name tells who wrote, so people are known by it; somebody who changes it becomes somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    ConnectionView,
    Deleted,
    Happening,
    InboundFile,
    KnownMessage,
    Part,
    Said,
    ThreadFacts,
    Tools,
)
from careline.channels.meta import hooks
from careline.channels.meta.calling import Graph
from careline.channels.meta.hooks import storable
from careline.channels.meta.reading import Found, Look, epoch, moment
from careline.channels.meta.threads import setup, wire
from careline.errors import ChannelError, ForeignPayload, UnknownEvent
from careline.kit import clock

FIELDS: Final = (
    "id,username,text,permalink,timestamp,media_type,media_url,children{media_type,media_url},is_reply,has_replies,"
    "is_reply_owned_by_me,replied_to,root_post"
)
POSTS: Final = 10
_POSTS: Final = {"replies", "mentions", "own"}
_ENDINGS: Final = {"IMAGE": "jpg", "VIDEO": "mp4", "AUDIO": "mp3"}


def split(body: bytes, connection: ConnectionView) -> list[Part]:
    """One event. Raises ForeignPayload for other bytes, UnknownEvent where it is for no account of ours."""
    delivery = hooks.decode(body, wire.Delivery)
    many = delivery.values if isinstance(delivery.values, tuple) else (delivery.values,)
    parts = [part_of(one.field, one.value, _account(delivery, one, connection), delivery.time) for one in many]
    if not parts:
        raise ForeignPayload("This delivery of Threads is empty.")
    return parts


def _account(delivery: wire.Delivery, one: wire.Values, connection: ConnectionView) -> str:
    """No document says what `target_id` names: the owner of the root says it too, and one account alone is the one."""
    post = hooks.decode(one.value, wire.Post)
    named = (delivery.target_id, post.root_post.owner_id if post.root_post else "", *connection.accounts)
    found = next((key for key in named[:2] if key in connection.accounts), "")
    if not found and len(connection.accounts) != 1:
        raise UnknownEvent("no account of ours")
    return found or named[2]


def part_of(kind: str, raw: msgspec.Raw, account: str, time: int) -> Part:
    """A post keeps its id whoever tells of it."""
    post = hooks.decode(raw, wire.Post)
    name = f"post:{post.id}" if kind in _POSTS else f"{kind}:{post.id}"
    return Part(account, name, _root(post), msgspec.json.encode(wire.Row(kind, raw, time)))


def _root(post: wire.Post) -> str:
    return post.root_post.id if post.root_post and post.root_post.id else post.id


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = hooks.decode(raw, wire.Row)
    post = hooks.decode(row.event, wire.Post)
    if row.kind in {"delete", "gone"} and post.id:
        return [Deleted(post.id, clock.from_epoch(row.time))]
    if row.kind not in _POSTS or not post.id:
        raise UnknownEvent(row.kind[:60])
    return [_said(post, row, channel)]


def _said(post: wire.Post, row: wire.Row, channel: ChannelView) -> Said:
    text, files = storable(post.text), _files(post)
    if not text and not files:
        raise UnknownEvent("without words")
    root = _root(post)
    is_under_ours = row.kind == "replies" or (post.root_post is not None and post.root_post.username == _us(channel))
    return Said(
        platform_id=post.id,
        thread_key=root,
        surface="reply" if is_under_ours else "mention",
        author=_author(post, channel),
        text=text,
        at=moment(post.timestamp) if post.timestamp else clock.from_epoch(row.time),
        thread=ThreadFacts(permalink=post.permalink if post.id == root else ""),
        reply_to=post.replied_to.id if post.replied_to else "",
        files=files,
        is_addressed=row.kind == "mentions" or f"@{_us(channel)}" in text.lower() or _answers(post, root),
    )


def _answers(post: wire.Post, root: str) -> bool:
    """Right under the root; what hangs deeper answers somebody we are not told."""
    return post.replied_to is None or post.replied_to.id == root


def _us(channel: ChannelView) -> str:
    return channel.handle.removeprefix("@")


def _author(post: wire.Post, channel: ChannelView) -> Author:
    is_us = post.is_reply_owned_by_me or post.username == _us(channel)
    key = channel.account_key if is_us else post.username
    handle = f"@{post.username}" if post.username else ""
    return Author(key or "unknown", handle, handle, post.profile_picture_url, is_us=is_us)


def _files(post: wire.Post) -> tuple[InboundFile, ...]:
    shown = post.children.data or (wire.Child(post.media_type, post.media_url),)
    kept = [one for one in shown if one.media_url]
    return tuple(
        InboundFile(f"{number}.{_ENDINGS.get(one.media_type.removesuffix('_POST'), 'bin')}", url=one.media_url)
        for number, one in enumerate(kept, 1)
    )


def look(tools: Tools) -> Look:
    """Mentions, our own replies, and the conversations under our last posts that have any. Raises ChannelError.

    A reply under a post of ours that names us is in both; the journal keeps the first, so conversations stand first: a reply can be hidden. They
    are asked for last, so that none is a mention alone because it came in between.
    """

    async def at(channel: ChannelView) -> Found:
        present = await setup.kept_fresh(channel, tools)
        graph, us = setup.graph_of(present, tools), channel.account_key
        elsewhere = [*await _page(graph, "me/replies", "own", us), *await _page(graph, "me/mentions", "mentions", us)]
        posts = await graph.get("me/threads", wire.Posts, fields="id,has_replies", limit="25")
        under_ours: list[tuple[datetime, Part]] = []
        for post in [one for one in posts.data if one.has_replies][:POSTS]:
            under_ours += await _page(graph, f"{post.id}/conversation", "replies", us)
        return [*under_ours, *elsewhere]

    return at


async def _page(graph: Graph, path: str, kind: str, account: str) -> Found:
    page = await graph.get(path, wire.Page, fields=FIELDS, limit="50")
    told = [(hooks.decode(raw, wire.Post), raw) for raw in page.data]
    return [
        (moment(post.timestamp), part_of(kind, raw, account, epoch(post.timestamp)))
        for post, raw in told
        if post.timestamp
    ]


async def find_gone(known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
    """Nothing tells of others' deletions, so each is asked for. Raises ChannelError."""
    graph = setup.graph_of(channel, tools)
    return tuple([part for one in known for part in await _gone(one, graph)])


async def _gone(one: KnownMessage, graph: Graph) -> tuple[Part, ...]:
    try:
        await graph.get(one.platform_id, wire.Made, fields="id")
    except ChannelError as refused:
        if refused.code != "message_gone":
            raise
        raw = msgspec.Raw(msgspec.json.encode(wire.Made(one.platform_id)))
        return (part_of("gone", raw, "", int(clock.epoch_s())),)
    return ()
