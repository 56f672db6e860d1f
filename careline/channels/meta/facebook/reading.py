"""What a Page's webhooks missed: comments and messages since the cursor, asked for now and then.

Meta repeats a delivery for up to 36 hours and may end a subscription that fails for long (docs/graph-api/webhooks, read 2026-11-22), so each look goes back
to where the last one ended. Deletions and edits of the time between are told by nothing but the webhook.
Sources: docs/graph-api/reference/page/feed, .../messenger-platform/conversations (the last 20 messages of each), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, Part, Tools
from careline.channels.meta import messaging
from careline.channels.meta.calling import Graph
from careline.channels.meta.facebook import inbound, wire
from careline.kit import clock

GAP_CHECK_S: Final = 600.0
FIRST_LOOK: Final = timedelta(days=1)
OVERLAP: Final = timedelta(minutes=5)
REMEMBERED: Final = 400
POSTS: Final = (
    "id,created_time,message,permalink_url,from,"
    "comments.limit(100).order(reverse_chronological).filter(stream)"
    "{id,created_time,from,message,parent{id},attachment}"
)
TALKS: Final = "id,messages.limit(20){id,created_time,from,to,message}"


class Mark(msgspec.Struct, frozen=True):
    """How far a look got: everything until `seen_at` is journalled, `recent` names the newest."""

    seen_at: datetime
    recent: tuple[str, ...] = ()


def gap_check_s(channel: ChannelView) -> float:
    """Seconds between looks; 0 for never."""
    try:
        return max(0.0, float(channel.setting("gap_check_s") or GAP_CHECK_S))
    except ValueError:
        return GAP_CHECK_S


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """Looks at once, then every `gap_check_s`. Raises ChannelError."""
    mark = msgspec.convert(cursor, Mark) if cursor else Mark(_begin(channel))
    while True:
        found = [*await _public(channel, tools), *await _private(channel, tools)]
        news = [(at, part) for at, part in sorted(found, key=lambda one: one[0]) if _is_new(at, part, mark)]
        if news:
            newest = max(mark.seen_at, news[-1][0])
            names = (*mark.recent, *(part.platform_event_id for _, part in news))
            mark = Mark(newest, names[-REMEMBERED:])
            yield Fetched(tuple(part for _, part in news), msgspec.to_builtins(mark))
        await asyncio.sleep(gap_check_s(channel))


def _begin(channel: ChannelView) -> datetime:
    return max(channel.history_before or clock.now(), clock.now() - FIRST_LOOK) - OVERLAP


def _is_new(at: datetime, part: Part, mark: Mark) -> bool:
    return at >= mark.seen_at - OVERLAP and part.platform_event_id not in mark.recent


async def _public(channel: ChannelView, tools: Tools) -> Sequence[tuple[datetime, Part]]:
    page = await Graph(channel, tools).get(f"{channel.account_key}/feed", wire.Posts, fields=POSTS, limit="25")
    return [one for post in page.data for one in _of_post(post, channel.account_key)]


def _of_post(post: wire.FeedPost, page: str) -> Iterator[tuple[datetime, Part]]:
    if post.created_time and post.message and post.sender.id not in {"", page}:
        feed = wire.Feed("post", "add", post.sender, post.message, post.id, created_time=_epoch(post.created_time))
        yield _moment(post.created_time), _change(feed, page)
    for comment in post.comments.data:
        shown = comment.attachment.media.image.src if comment.attachment else ""
        feed = wire.Feed(
            item="comment",
            verb="add",
            sender=comment.sender,
            message=comment.message,
            post_id=post.id,
            comment_id=comment.id,
            parent_id=comment.parent.id if comment.parent else post.id,
            created_time=_epoch(comment.created_time),
            photo=shown,
            post=wire.Post(post.permalink_url),
        )
        yield _moment(comment.created_time), _change(feed, page)


def _change(feed: wire.Feed, page: str) -> Part:
    return inbound.change_part("feed", msgspec.Raw(msgspec.json.encode(feed)), page, feed.created_time)


async def _private(channel: ChannelView, tools: Tools) -> Sequence[tuple[datetime, Part]]:
    path = f"{channel.account_key}/conversations"
    found = await Graph(channel, tools).get(path, wire.Conversations, fields=TALKS, limit="25", platform="MESSENGER")
    told = [one for talk in found.data for one in talk.messages.data if one.message]
    return [(_moment(one.created_time), _message(one, channel.account_key)) for one in told]


def _message(one: wire.Fetched, page: str) -> Part:
    to = one.to.data[0] if one.to.data else messaging.Somebody(page)
    said = messaging.Message(mid=one.id, text=one.message, is_echo=one.sender.id == page)
    event = messaging.Event(one.sender, to, _epoch(one.created_time) * 1000, said)
    raw = msgspec.Raw(msgspec.json.encode(event))
    return messaging.part_of(raw, page, msgspec.json.encode(wire.Row("messaging", raw, _epoch(one.created_time))))


def _moment(text: str) -> datetime:
    """2026-11-22T07:00:00+0000, as Graph writes times."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def _epoch(text: str) -> int:
    return int(_moment(text).timestamp())
