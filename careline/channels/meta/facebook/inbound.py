"""From a Page to Careline: comments, visitors' posts, mentions, reactions, and Messenger. Pure.

A thread is a post with its comments; a comment on a comment stands in it too. The webhook does not say whose comment is answered, so what hangs on
another comment opens no case of its own: its author's earlier one takes it, a bystander's is only shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    Happening,
    InboundFile,
    Part,
    Reacted,
    Said,
    ThreadFacts,
)
from careline.channels.meta import hooks, messaging
from careline.channels.meta.facebook import wire
from careline.channels.meta.hooks import storable
from careline.errors import UnknownEvent
from careline.kit import clock

_POSTS: Final = {"status", "post", "photo", "video", "share"}
_EMOJI: Final = {
    "like": "👍",
    "love": "❤️",
    "care": "🤗",
    "haha": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😡",
    "pride": "🏳️‍🌈",
    "thankful": "🌸",
}


def cut(entry: hooks.Entry) -> Iterable[Part]:
    """A row for each change and each event of a conversation, another app's (`standby`) included."""
    for change in entry.told():
        yield change_part(change.field, change.value, entry.id, entry.time)
    for raw in (*entry.messaging, *entry.standby):
        yield messaging.part_of(raw, entry.id, messaging_row(raw, entry.time))


def messaging_row(raw: msgspec.Raw, time: int) -> bytes:
    """An event of a conversation as this network keeps it."""
    return msgspec.json.encode(wire.Row("messaging", raw, time))


def change_part(field: str, raw: msgspec.Raw, page: str, time: int) -> Part:
    """News of the public side: a new comment keeps its id whoever tells of it."""
    feed = msgspec.json.decode(raw, type=wire.Feed)
    is_new = feed.verb == "add" and feed.item in {"comment", *_POSTS}
    named = f"{feed.item}:{feed.comment_id or feed.post_id}" if is_new else hooks.digest(field, raw, str(time))
    return Part(page, named, feed.post_id or page, msgspec.json.encode(wire.Row(field, raw, time)))


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = hooks.decode(raw, wire.Row)
    if row.kind == "messaging":
        return messaging.happenings(row.event, channel)
    if row.kind not in {"feed", "mention"}:
        raise UnknownEvent(row.kind[:60])
    feed = hooks.decode(row.event, wire.Feed)
    kind = "post" if feed.item in _POSTS else feed.item
    translate = _KINDS.get((kind, feed.verb))
    if translate is None:
        raise UnknownEvent(f"{feed.item} {feed.verb}"[:60])
    return [translate(feed, row, channel)]


def _at(feed: wire.Feed, row: wire.Row) -> datetime:
    return clock.from_epoch(feed.created_time or row.time)


def _said(feed: wire.Feed, row: wire.Row, channel: ChannelView) -> Said:
    text, files = storable(feed.message), _files(feed)
    is_us = feed.sender.id == channel.account_key
    is_comment = feed.item == "comment"
    # Our own posts are shown with what is said under them; nothing else says what they say.
    if not text and not files:
        raise UnknownEvent("without words")
    return Said(
        platform_id=feed.comment_id or feed.post_id,
        thread_key=feed.post_id,
        surface="comment" if is_comment else "post",
        author=Author(feed.sender.id, name=storable(feed.sender.name), is_us=is_us),
        text=text,
        at=_at(feed, row),
        thread=ThreadFacts(permalink=feed.post.permalink_url),
        reply_to=feed.parent_id if is_comment else "",
        files=files,
        is_addressed=row.kind == "mention" or not is_comment or feed.parent_id in {"", feed.post_id},
    )


def _files(feed: wire.Feed) -> tuple[InboundFile, ...]:
    """A visitor's picture stands in `link`."""
    pictured = ((feed.photo or (feed.link if feed.item == "photo" else ""), "photo.jpg"), (feed.video, "video.mp4"))
    return tuple(InboundFile(name, url=address) for address, name in pictured if address.startswith("http"))


def _edited(feed: wire.Feed, row: wire.Row, channel: ChannelView) -> Edited:
    return Edited(feed.comment_id or feed.post_id, storable(feed.message), clock.from_epoch(row.time))


def _removed(feed: wire.Feed, row: wire.Row, channel: ChannelView) -> Deleted:
    return Deleted(feed.comment_id or feed.post_id, clock.from_epoch(row.time))


def _reacted(feed: wire.Feed, row: wire.Row, channel: ChannelView) -> Reacted:
    author = Author(feed.sender.id, name=storable(feed.sender.name), is_us=feed.sender.id == channel.account_key)
    emoji = "" if feed.verb == "remove" else _EMOJI.get(feed.reaction_type or "like", "👍")
    return Reacted(feed.comment_id or feed.post_id, author, emoji, clock.from_epoch(row.time))


_KINDS: Final[dict[tuple[str, str], Callable[[wire.Feed, wire.Row, ChannelView], Happening]]] = {
    **{(kind, "add"): _said for kind in ("comment", "post")},
    **{(kind, verb): _edited for kind in ("comment", "post") for verb in ("edited", "edit")},
    **{(kind, "remove"): _removed for kind in ("comment", "post")},
    **{(kind, verb): _reacted for kind in ("reaction", "like") for verb in ("add", "edit", "edited", "remove")},
}
