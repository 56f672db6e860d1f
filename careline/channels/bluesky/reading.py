"""Asking Bluesky what is new: notifications, our own posts, the chat log; and what of the older posts is gone. Nothing is translated here.

Notifications and feeds are pages from new to old. What stands before the newest time seen is known, but for a while around it, where a post
with a late or a wrong clock may slot in (indexedAt is the earlier of its author's time and the network's; tried on the real AppView, 2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import msgspec

from careline.channels.base import ChannelView, Fetched, KnownMessage, Part, Tools
from careline.channels.bluesky import setup, wire
from careline.channels.bluesky.calling import Caller
from careline.kit import clock

PAGE: Final = 100
MOST_PAGES: Final = 100
AT_ONCE: Final = 25
"""getPosts takes at most 25 addresses (lexicon of 2026-08-20)."""
OVERLAP: Final = timedelta(minutes=10)
REMEMBERED: Final = 300
_REASONS: Final = ("mention", "reply", "quote", "like")
_CHAT: Final = {
    f"chat.bsky.convo.defs#log{name}" for name in ("CreateMessage", "DeleteMessage", "AddReaction", "RemoveReaction")
}


class Mark(msgspec.Struct, frozen=True):
    """How far a list was read: the newest time seen, and what was seen shortly before it."""

    seen_at: datetime | None = None
    recent: tuple[str, ...] = ()


class Position(msgspec.Struct, frozen=True):
    """The reader's cursor."""

    notices: Mark = Mark()
    own: Mark = Mark()
    chat: str | None = None


class _Dated(Protocol):
    @property
    def uri(self) -> str: ...
    @property
    def indexed_at(self) -> datetime: ...


D = TypeVar("D", bound=_Dated)


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """What is new since the cursor, then a look every `poll_s` seconds. Raises ChannelError."""
    caller = Caller(channel, tools)
    kept = msgspec.convert(cursor, Position)
    position = await _begun(kept, caller)
    while True:
        async for parts, reached in _news(position, caller):
            kept = position = reached
            yield Fetched(parts, msgspec.to_builtins(reached))
        if kept != position:  # where we began must outlast a restart, even before anything happens
            kept = position
            yield Fetched((), msgspec.to_builtins(position))
        await asyncio.sleep(setup.poll_s(channel))


async def _begun(position: Position, caller: Caller) -> Position:
    """A new channel hears of notifications since its history begins, and of our own posts and messages from now on."""
    own, chat = position.own, position.chat
    if own.seen_at is None:
        own = Mark(clock.now())
    if chat is None and setup.has_chat(caller.channel):
        convos = await caller.ask("chat.bsky.convo.listConvos", wire.Convos, ("limit", "100"))
        chat = max((one.rev for one in convos.convos), default="")
    return Position(position.notices, own, chat)


async def _news(position: Position, caller: Caller) -> AsyncIterator[tuple[tuple[Part, ...], Position]]:
    """In pieces that can be journalled, oldest first, each with the position after it."""
    for notices in _pieces(await _new_notices(position.notices, caller)):
        position = msgspec.structs.replace(position, notices=_after(position.notices, notices))
        likes = [_like(one) for one in notices if one.reason == "like"]
        posts = await posts_at([one.uri for one in notices if one.reason != "like"], caller)
        yield (*posts, *likes), position
    for own in _pieces(await _new_own(position.own, caller)):
        position = msgspec.structs.replace(position, own=_after(position.own, own))
        yield tuple(await posts_at([one.uri for one in own], caller)), position
    if setup.has_chat(caller.channel):
        while (log := await _chat_log(position.chat or "", caller)).logs and log.cursor not in {"", position.chat}:
            position = msgspec.structs.replace(position, chat=log.cursor)
            yield _chat_parts(log), position


async def _new_notices(mark: Mark, caller: Caller) -> list[wire.Notice]:
    found: list[wire.Notice] = []
    after = mark.seen_at or caller.channel.history_before
    cursor, query = "", [("limit", str(PAGE)), *(("reasons", one) for one in _REASONS)]
    for _ in range(MOST_PAGES):
        page = await caller.ask("app.bsky.notification.listNotifications", wire.Notices, *query, *_at(cursor))
        found += page.notifications
        cursor = page.cursor
        if _is_known(page.notifications, after) or not cursor:
            break
    return _fresh(found, mark, after)


async def _new_own(mark: Mark, caller: Caller) -> list[wire.FeedPost]:
    """Our posts, also those made elsewhere; what we only passed on is not ours."""
    found: list[wire.FeedPost] = []
    cursor, query = "", (("actor", caller.channel.account_key), ("limit", "30"), ("filter", "posts_with_replies"))
    for _ in range(MOST_PAGES):
        page = await caller.ask("app.bsky.feed.getAuthorFeed", wire.Feed, *query, *_at(cursor))
        posts = [one.post for one in page.feed if one.reason is None]
        found += posts
        cursor = page.cursor
        if (posts and _is_known(posts, mark.seen_at)) or not cursor:  # a page of nothing but reposts ends nothing
            break
    return _fresh(found, mark, mark.seen_at)


def _at(cursor: str) -> tuple[tuple[str, str], ...]:
    return (("cursor", cursor),) if cursor else ()


def _is_known(page: Sequence[_Dated], after: datetime | None) -> bool:
    return not page or after is None or page[-1].indexed_at < after - OVERLAP


def _fresh(found: Iterable[D], mark: Mark, after: datetime | None) -> list[D]:
    new = {one.uri: one for one in found if one.uri not in mark.recent}
    return sorted(
        (one for one in new.values() if after is None or one.indexed_at >= after - OVERLAP),
        key=lambda one: (one.indexed_at, one.uri),
    )


def _after(mark: Mark, read: Sequence[_Dated]) -> Mark:
    newest = max([one.indexed_at for one in read] + ([mark.seen_at] if mark.seen_at else []))
    return Mark(newest, (*mark.recent, *(one.uri for one in read))[-REMEMBERED:])


def _pieces(found: Sequence[D]) -> Iterable[Sequence[D]]:
    return (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))


async def posts_at(uris: Sequence[str], caller: Caller) -> list[Part]:
    """A part for each post that still stands, and before it for those above it: the thread shows what is answered."""
    views = await _views(uris, caller)
    above = {uri for view, _ in views.values() for uri in _above(view)}
    views |= await _views(sorted(above - views.keys()), caller)
    wanted = dict.fromkeys(one for uri in uris if uri in views for one in (*_above(views[uri][0]), uri))
    return [_post(uri, views) for uri in wanted if uri in views]


def _above(view: wire.PostView) -> tuple[str, ...]:
    return (view.record.reply.root.uri, view.record.reply.parent.uri) if view.record.reply else ()


async def _views(uris: Sequence[str], caller: Caller) -> dict[str, tuple[wire.PostView, msgspec.Raw]]:
    found: list[tuple[wire.PostView, msgspec.Raw]] = []
    for piece in _slices(uris):
        page = await caller.ask("app.bsky.feed.getPosts", wire.Posts, *(("uris", uri) for uri in piece))
        found += [(msgspec.json.decode(raw, type=wire.PostView), raw) for raw in page.posts]
    return {view.uri: (view, raw) for view, raw in found}


def _slices(uris: Sequence[str]) -> Iterable[Sequence[str]]:
    return (uris[start : start + AT_ONCE] for start in range(0, len(uris), AT_ONCE))


def _post(uri: str, views: Mapping[str, tuple[wire.PostView, msgspec.Raw]]) -> Part:
    view, raw = views[uri]
    root, parent = (views[one][0] if one in views else None for one in (_above(view) or ("", "")))
    return _part(f"post:{uri}", _above(view)[0] if _above(view) else uri, wire.Row("post", raw, parent, root))


def _like(notice: wire.Notice) -> Part:
    row = wire.Row("like", msgspec.Raw(msgspec.json.encode(notice)))
    return _part(f"like:{notice.uri}", notice.reason_subject, row)


async def _chat_log(cursor: str, caller: Caller) -> wire.ChatLog:
    return await caller.ask("chat.bsky.convo.getLog", wire.ChatLog, *_at(cursor))


def _chat_parts(log: wire.ChatLog) -> tuple[Part, ...]:
    events = ((msgspec.json.decode(raw, type=wire.ChatEvent), raw) for raw in log.logs)
    return tuple(chat_part(event, raw) for event, raw in events if event.kind in _CHAT)


def chat_part(event: wire.ChatEvent, raw: msgspec.Raw) -> Part:
    """A chat event as a journal row."""
    return _part(f"chat:{event.convo_id}:{event.rev}:{event.kind[-20:]}", event.convo_id, wire.Row("chat", raw))


async def find_gone(known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
    """A part for each post that its network no longer shows: deleted by its author, or its account is gone."""
    caller = Caller(channel, tools)
    standing = await _views([one.platform_id for one in known], caller)
    return tuple(gone_part(one) for one in known if one.platform_id not in standing)


def gone_part(one: KnownMessage) -> Part:
    """A post that is no longer there, as a journal row."""
    gone = msgspec.Raw(msgspec.json.encode(wire.Gone(one.platform_id, clock.now())))
    return _part(f"gone:{one.platform_id}", one.thread_key, wire.Row("gone", gone))


def _part(event_id: str, order_key: str, row: wire.Row) -> Part:
    return Part("", event_id, order_key, msgspec.json.encode(row))
