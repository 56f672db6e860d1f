"""From Bluesky to Careline: posts, likes, chat events and what is gone, translated. Pure.

A handle can change, a DID cannot (atproto.com/specs/did, read 2026-11-22): people are known by DID. Nobody counts views, so those who answered,
liked, repeated or quoted a post stand for its reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Happening,
    InboundFile,
    Part,
    Reacted,
    Said,
    ThreadFacts,
)
from careline.channels.bluesky import facets, wire
from careline.errors import ForeignPayload, UnknownEvent

LIKED: Final = "\u2764\ufe0f"
_NO_HANDLE: Final = {"", "handle.invalid"}
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")


def normalise(part: Part, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = _read(part.raw, wire.Row)
    translate = _KINDS.get(row.kind)
    if translate is None:
        raise UnknownEvent(row.kind[:60])
    return [translate(row, channel)]


def _read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE as broken:
        raise ForeignPayload("This is not an event of Bluesky.") from broken


def did_of(uri: str) -> str:
    """Whose record an at:// address names (atproto.com/specs/at-uri-scheme, read 2026-11-22)."""
    return uri.removeprefix("at://").partition("/")[0]


def key_of(uri: str) -> str:
    """The record key at the end of an at:// address."""
    return uri.rpartition("/")[2]


def _post(row: wire.Row, channel: ChannelView) -> Happening:
    view = _read(row.event, wire.PostView)
    reply = view.record.reply
    return Said(
        platform_id=view.uri,
        thread_key=reply.root.uri if reply else view.uri,
        surface=_surface(view, channel),
        author=_author(view.author, channel),
        text=_words(view.record.text, view.record.facets),
        at=view.indexed_at,
        thread=_facts(view, row),
        reply_to=reply.parent.uri if reply else "",
        files=_files(view.embed),
        is_addressed=_is_addressed(view, channel.account_key),
        language=(view.record.langs or ("",))[0][:10],
    )


def _surface(view: wire.PostView, channel: ChannelView) -> str:
    """A reply below a post of ours is a comment: only there may we hide."""
    reply = view.record.reply
    if reply is None:
        return "post"
    return "comment" if did_of(reply.root.uri) == channel.account_key else "reply"


def _is_addressed(view: wire.PostView, us: str) -> bool:
    """Names us, answers us, quotes us, or goes on below its author's own words in a thread that is about us."""
    quoted, reply = _quoted(view.embed), view.record.reply
    if facets.mentions(view.record.facets, us) or (quoted is not None and did_of(quoted.uri) == us):
        return True
    if reply is None:
        return False
    parent, root = did_of(reply.parent.uri), did_of(reply.root.uri)
    return parent == us or (root == us and parent == view.author.did)


def _facts(view: wire.PostView, row: wire.Row) -> ThreadFacts:
    root, above = row.root or view, row.parent
    quoted = _quoted(view.embed)
    author = above.author if above else quoted.author if quoted else None
    text = above.record.text if above else quoted.value.text if quoted and quoted.value else ""
    return ThreadFacts(
        permalink=f"https://bsky.app/profile/{did_of(root.uri)}/post/{key_of(root.uri)}",
        reach=root.reply_count + root.repost_count + root.like_count + root.quote_count,
        parent_author=_name(author) if author else "",
        parent_text=_storable(text),
    )


def _quoted(embed: wire.Embed | None) -> wire.Quoted | None:
    found = embed.record if embed else None
    return found.record or found if found else None


def _files(embed: wire.Embed | None) -> tuple[InboundFile, ...]:
    """Pictures whole; of a video its still picture, for the video itself is a stream."""
    if embed is None:
        return ()
    media = embed.media or embed
    stills = (wire.ViewedImage(fullsize=media.thumbnail, alt=media.alt),) if media.thumbnail else ()
    shown = [one for one in (*media.images, *media.items, *stills) if one.fullsize]
    return tuple(
        InboundFile(f"{number}.jpg", url=one.fullsize, alt_text=one.alt) for number, one in enumerate(shown, 1)
    )


def _author(profile: wire.Profile, channel: ChannelView) -> Author:
    return Author(
        key=profile.did,
        handle="" if profile.handle in _NO_HANDLE else f"@{profile.handle}",
        name=_name(profile),
        avatar_url=profile.avatar,
        is_us=profile.did == channel.account_key,
    )


def _name(profile: wire.Profile) -> str:
    return _storable(profile.display_name) or ("" if profile.handle in _NO_HANDLE else f"@{profile.handle}")


def _words(text: str, found: tuple[wire.Facet, ...]) -> str:
    return _storable(facets.unshortened(text, found))


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in text."""
    return text.replace("\0", "")


def _like(row: wire.Row, channel: ChannelView) -> Happening:
    notice = _read(row.event, wire.Notice)
    return Reacted(notice.reason_subject, _author(notice.author, channel), LIKED, notice.indexed_at)


def _gone(row: wire.Row, channel: ChannelView) -> Happening:
    gone = _read(row.event, wire.Gone)
    return Deleted(gone.uri, gone.at)


def _chat(row: wire.Row, channel: ChannelView) -> Happening:
    event = _read(row.event, wire.ChatEvent)
    message = event.message
    if message is None:
        raise UnknownEvent(event.kind[:60])
    if event.kind.endswith("#logCreateMessage") and message.sender and message.sent_at:
        return _private(event, message, _known(message.sender, event, channel), message.sent_at)
    if event.kind.endswith("#logDeleteMessage") and message.sent_at:
        return Deleted(message.id, message.sent_at)
    if event.kind.endswith(("#logAddReaction", "#logRemoveReaction")) and event.reaction:
        emoji = event.reaction.value if event.kind.endswith("#logAddReaction") else ""
        return Reacted(message.id, _known(event.reaction.sender, event, channel), emoji, event.reaction.created_at)
    raise UnknownEvent(event.kind[:60])


def _private(event: wire.ChatEvent, message: wire.ChatMessage, author: Author, at: datetime) -> Happening:
    return Said(
        platform_id=message.id,
        thread_key=event.convo_id,
        surface="dm",
        author=author,
        text=_words(message.text, message.facets),
        at=at,
        reply_to=message.reply_to.id if message.reply_to else "",
    )


def _known(sender: wire.Profile, event: wire.ChatEvent, channel: ChannelView) -> Author:
    """The sender with the name that came beside the event."""
    return _author(next((one for one in event.related_profiles if one.did == sender.did), sender), channel)


_KINDS: Final[Mapping[str, Callable[[wire.Row, ChannelView], Happening]]] = {
    "post": _post,
    "like": _like,
    "gone": _gone,
    "chat": _chat,
}
