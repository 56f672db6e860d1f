"""Who an author on Instagram is: by their id in private, by what they wrote where the account was mentioned.

Sources, read 2026-11-22: .../instagram-platform/instagram-graph-api/reference/ig-user/mentioned_comment and .../mentioned_media (updated 2025-01-21; they name
graph.facebook.com alone); .../instagram-api-with-instagram-login/mentions (the same without them: it names `tags` instead). So with Instagram's own login
the two fields are tried, and where they are refused, `tags`. A mention in a comment that is refused stays nameless.
"""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import AuthorFacts, ChannelView, Tools, UnnamedAuthor
from careline.channels.meta import profiles
from careline.channels.meta.calling import Graph
from careline.channels.meta.instagram import setup
from careline.channels.meta.profiles import Profile
from careline.errors import ChannelError

TAGS_READ: Final = "50"


class Mentioned(msgspec.Struct, frozen=True):
    """One of the two, as it was asked for."""

    mentioned_comment: Profile = Profile()
    mentioned_media: Profile = Profile()


class _Tag(msgspec.Struct, frozen=True):
    id: str
    username: str = ""


class _Tags(msgspec.Struct, frozen=True):
    data: tuple[_Tag, ...] = ()


async def who_is(author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
    """Raises ChannelError, permanent where Instagram does not tell."""
    graph = setup.graph_of(channel, tools)
    if author.surface != "mention":
        return await profiles.profile(author.key, profiles.INSTAGRAM, graph)
    if author.platform_id != author.thread_key:
        asked = f"mentioned_comment.comment_id({author.platform_id}){{id,username}}"
        return profiles.facts_of((await graph.get(channel.account_key, Mentioned, fields=asked)).mentioned_comment)
    return await _of_caption(author.thread_key, channel, graph)


async def _of_caption(media_id: str, channel: ChannelView, graph: Graph) -> AuthorFacts:
    asked = f"mentioned_media.media_id({media_id}){{id,username}}"
    try:
        return profiles.facts_of((await graph.get(channel.account_key, Mentioned, fields=asked)).mentioned_media)
    except ChannelError as refused:
        if not refused.permanent:
            raise
        tags = await graph.get(f"{channel.account_key}/tags", _Tags, fields="id,username", limit=TAGS_READ)
        named = next((one.username for one in tags.data if one.id == media_id), "")
        if not named:
            raise
        return profiles.facts_of(Profile(username=named))
