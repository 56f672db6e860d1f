"""What a Page's webhooks missed: the last 25 posts with 100 comments each, and its conversations.

Source: developers.facebook.com/docs/graph-api/reference/page/feed (v26.0), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Part, Tools
from careline.channels.meta import talks
from careline.channels.meta.calling import Graph
from careline.channels.meta.facebook import inbound, wire
from careline.channels.meta.reading import Found, Look, epoch, moment

POSTS: Final = (
    "id,created_time,message,permalink_url,from,"
    "comments.limit(100).order(reverse_chronological).filter(stream)"
    "{id,created_time,from,message,parent{id},attachment}"
)


def look(tools: Tools) -> Look:
    """One look at both sides. Raises ChannelError."""

    async def at(channel: ChannelView) -> Found:
        graph, page = Graph(channel, tools), channel.account_key
        posts = await graph.get(f"{page}/feed", wire.Posts, fields=POSTS, limit="25")
        private = await talks.look(graph, page, "MESSENGER", inbound.messaging_row)
        return [*(one for post in posts.data for one in _of_post(post, page)), *private]

    return at


def _of_post(post: wire.FeedPost, page: str) -> Iterator[tuple[datetime, Part]]:
    if post.created_time and post.message and post.sender.id not in {"", page}:
        feed = wire.Feed("post", "add", post.sender, post.message, post.id, created_time=epoch(post.created_time))
        yield moment(post.created_time), _change(feed, page)
    for comment in post.comments.data:
        feed = wire.Feed(
            item="comment",
            verb="add",
            sender=comment.sender,
            message=comment.message,
            post_id=post.id,
            comment_id=comment.id,
            parent_id=comment.parent.id if comment.parent else post.id,
            created_time=epoch(comment.created_time),
            photo=comment.attachment.media.image.src if comment.attachment else "",
            post=wire.Post(post.permalink_url),
        )
        yield moment(comment.created_time), _change(feed, page)


def _change(feed: wire.Feed, page: str) -> Part:
    return inbound.change_part("feed", msgspec.Raw(msgspec.json.encode(feed)), page, feed.created_time)
