"""From Instagram to Careline: comments, mentions and direct messages; and what was missed. Pure but for the looking.

A thread is a post with its comments. The webhook does not say whose comment is answered, so what hangs on another comment opens no case of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from careline.channels.base import Author, ChannelView, Deleted, Happening, KnownMessage, Part, Said, ThreadFacts, Tools
from careline.channels.meta import hooks, messaging, talks
from careline.channels.meta.calling import Graph
from careline.channels.meta.hooks import storable
from careline.channels.meta.instagram import setup, wire
from careline.channels.meta.reading import Found, Look, epoch, moment
from careline.errors import ChannelError, UnknownEvent
from careline.kit import clock

_COMMENTS: Final = {"comments", "live_comments"}
_MILLISECONDS: Final = 10**11
POSTS: Final = "id,permalink,comments.limit(50){id,text,timestamp,from,parent_id}"


def cut(entry: hooks.Entry) -> Iterable[Part]:
    """A row for each change and each event of a conversation, another app's (`standby`) included."""
    for change in entry.told():
        yield _change_part(change.field, change.value, entry.id, _seconds(entry.time))
    for raw in (*entry.messaging, *entry.standby):
        yield messaging.part_of(raw, entry.id, messaging_row(raw, entry.time))


def messaging_row(raw: msgspec.Raw, time: int) -> bytes:
    """An event of a conversation as this network keeps it."""
    return msgspec.json.encode(wire.Row("messaging", raw, time))


def _seconds(time: int) -> int:
    """Meta's examples show both seconds and milliseconds."""
    return time // 1000 if time > _MILLISECONDS else time


def _change_part(field: str, raw: msgspec.Raw, account: str, time: int, permalink: str = "") -> Part:
    row = msgspec.json.encode(wire.Row(field, raw, time, permalink))
    if field in _COMMENTS:
        comment = msgspec.json.decode(raw, type=wire.Comment)
        return Part(account, f"comment:{comment.id}", comment.media.id, row)
    if field == "mentions":
        mention = msgspec.json.decode(raw, type=wire.Mention)
        return Part(account, f"mention:{mention.comment_id or mention.media_id}", mention.media_id, row)
    return Part(account, hooks.digest(field, raw, str(time)), account, row)


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = hooks.decode(raw, wire.Row)
    if row.kind == "messaging":
        return messaging.happenings(row.event, channel)
    if row.kind == "gone":
        return [Deleted(hooks.decode(row.event, wire.Made).id, clock.from_epoch(row.time))]
    if row.kind in _COMMENTS:
        return [_comment(hooks.decode(row.event, wire.Comment), row, channel)]
    if row.kind == "mentions":
        return [_mention(hooks.decode(row.event, wire.Mention), row, channel)]
    raise UnknownEvent(row.kind[:60])


def _comment(comment: wire.Comment, row: wire.Row, channel: ChannelView) -> Said:
    if not comment.text:
        raise UnknownEvent("without words")
    who = comment.sender
    handle = f"@{who.username}" if who.username else ""
    return Said(
        platform_id=comment.id,
        thread_key=comment.media.id,
        surface="comment",
        author=Author(who.id, handle, storable(who.name) or handle, is_us=who.id == channel.account_key),
        text=storable(comment.text),
        at=moment(comment.timestamp) if comment.timestamp else clock.from_epoch(row.time),
        thread=ThreadFacts(permalink=row.permalink),
        reply_to=comment.parent_id,
        is_addressed=not comment.parent_id,
    )


def _mention(mention: wire.Mention, row: wire.Row, channel: ChannelView) -> Said:
    """Of what was said Instagram tells only that we were named; who said it is not told either."""
    name = mention.comment_id or mention.media_id
    return Said(
        platform_id=name,
        thread_key=mention.media_id,
        surface="mention",
        author=Author(f"mention:{name}"),
        text=channel.handle or "@",
        at=clock.from_epoch(row.time),
    )


def look(tools: Tools) -> Look:
    """What webhooks missed: the last 25 posts with 50 comments each, and conversations. Raises ChannelError."""

    async def at(channel: ChannelView) -> Found:
        present = await setup.kept_fresh(channel, tools)
        graph, account = setup.graph_of(present, tools), channel.account_key
        posts = await graph.get(f"{account}/media", wire.Posts, fields=POSTS, limit="25")
        private = await talks.look(graph, account, "INSTAGRAM", messaging_row)
        return [*(one for post in posts.data for one in _of_post(post, account)), *private]

    return at


def _of_post(post: wire.Post, account: str) -> Found:
    found = [msgspec.structs.replace(one, media=wire.Media(post.id)) for one in post.comments.data if one.timestamp]
    return [
        (
            moment(one.timestamp),
            _change_part("comments", _raw(one), account, epoch(one.timestamp), post.permalink),
        )
        for one in found
    ]


def _raw(told: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(told))


async def find_gone(known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
    """Nothing tells that a comment was deleted, so each is asked for. Raises ChannelError."""
    graph = setup.graph_of(channel, tools)
    return tuple([part for one in known for part in await _gone(one, graph)])


async def _gone(one: KnownMessage, graph: Graph) -> tuple[Part, ...]:
    try:
        await graph.get(one.platform_id, wire.Made, fields="id")
    except ChannelError as refused:
        if refused.code != "message_gone":
            raise
        row = msgspec.json.encode(wire.Row("gone", _raw(wire.Made(one.platform_id)), int(clock.epoch_s())))
        return (Part("", f"gone:{one.platform_id}", one.thread_key, row),)
    return ()
