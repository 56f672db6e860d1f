"""Asking a server what is new: notifications and our own posts; and what of the older posts is gone or changed. Nothing is translated here.

Both lists are read forward by `min_id`, page after page (docs.joinmastodon.org/api/guidelines#pagination, read 2026-11-22), so an outage of any
length loses nothing. Ids are given before rows are stored: what stands within a minute of the newest is read again, and left out where it is known.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, KnownMessage, Part, Tools
from careline.channels.mastodon import setup, wire
from careline.channels.mastodon.calling import Caller
from careline.channels.mastodon.inbound import thread_of
from careline.channels.mastodon.streaming import Stream, Told
from careline.errors import ChannelError
from careline.kit import clock

PAGE: Final = "40"
MOST_PAGES: Final = 100
AT_ONCE: Final = 20
"""GET /api/v1/statuses takes at most 20 ids (app/controllers/api/v1/statuses_controller.rb, since 4.3; read 2026-11-22)."""
LEAST_S: Final = 6.0
"""Between looks, whatever the stream tells: paging may be asked for 300 times in a quarter of an hour (config/initializers/rack_attack.rb)."""
MOST_ABOVE: Final = 40
MOST_GIVEN: Final = 5000
OVERLAP: Final = timedelta(minutes=1)
NOTICES: Final = "/api/v1/notifications"
_KINDS: Final = ("mention", "quote", "favourite", "reblog")
_WANTED: Final = (("include_filtered", "true"), *(("types[]", one) for one in _KINDS))
"""Also what the account's filters hold back: nobody goes unheard because their account is young."""
_OWN: Final = (("exclude_reblogs", "true"),)
Raws = Sequence[msgspec.Raw]


class Mark(msgspec.Struct, frozen=True):
    """How far a list was read: everything up to `after`, and of what came later these."""

    after: str = "0"
    recent: tuple[tuple[str, datetime], ...] = ()


class Position(msgspec.Struct, frozen=True):
    """The reader's cursor."""

    notices: Mark | None = None
    own: Mark | None = None


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """What is new since the cursor; then a look every `poll_s` seconds, or as soon as the stream tells of something. Raises ChannelError."""
    caller, given = Caller(channel, tools), Given()
    kept = msgspec.convert(cursor, Position)
    position = await _begun(kept, caller)
    stream = Stream(caller, given.concerns)
    try:
        while True:
            began_s = asyncio.get_running_loop().time()
            async for parts, reached in _news(position, caller):
                kept = position = reached
                given.note(parts)
                yield Fetched(parts, msgspec.to_builtins(reached))
            if kept != position:  # where we began must outlast a restart, even before anything happens
                kept = position
                yield Fetched((), msgspec.to_builtins(position))
            told = await stream.wait(max(setup.poll_s(channel), caller.pause_s))
            if changes := given.changes(told):
                yield Fetched(changes, msgspec.to_builtins(position))
            rest_s = max(min(setup.poll_s(channel), LEAST_S), caller.pause_s)
            await asyncio.sleep(began_s + rest_s - asyncio.get_running_loop().time())
    finally:
        stream.stop()


class Given:
    """Posts that this reader has given, with their threads: of others the stream may say what it likes."""

    def __init__(self) -> None:
        self._threads: dict[str, str] = {}

    def note(self, parts: Sequence[Part]) -> None:
        self._threads |= {one.platform_event_id.removeprefix("post:"): one.order_key for one in parts}
        for old in list(self._threads)[:-MOST_GIVEN]:
            del self._threads[old]

    def concerns(self, told: Told) -> bool:
        return told.name == "notification" or self._about(told) is not None

    def changes(self, told: Sequence[Told]) -> tuple[Part, ...]:
        """Parts for deletions and edits; a notification is what the next look is for."""
        found = ((self._about(one), one) for one in told)
        return tuple(part for known, one in found if known is not None for part in _told_change(known, one))

    def _about(self, told: Told) -> KnownMessage | None:
        status = _typed(msgspec.Raw(told.words)) if told.name == "status.update" else None
        name = told.words.decode("utf-8", "replace") if told.name == "delete" else status.id if status else ""
        return KnownMessage(name, self._threads[name], "") if name in self._threads else None


def _told_change(known: KnownMessage, told: Told) -> list[Part]:
    return [gone_part(known)] if told.name == "delete" else _change(known, msgspec.Raw(told.words))


async def _begun(position: Position, caller: Caller) -> Position:
    """A new channel hears of notifications since its history begins, and of our own posts from now on."""
    notices, own = position.notices, position.own
    if notices is None:
        notices = await _before_history(caller)
    if own is None:
        newest = await caller.ask(_own_posts(caller.channel), tuple[wire.Listed, ...], ("limit", "1"))
        own = Mark(newest[0].id) if newest else Mark()
    return Position(notices, own)


async def _before_history(caller: Caller) -> Mark:
    since, older = caller.channel.history_before, ""
    for _ in range(MOST_PAGES):
        query = (("limit", PAGE), *_WANTED, *((("max_id", older),) if older else ()))
        page = await caller.ask(NOTICES, tuple[wire.Listed, ...], *query)
        if not page:
            break
        older = page[-1].id
        if since is not None and (early := [one.id for one in page if one.created_at < since]):
            return Mark(early[0])
    return Mark()


def _own_posts(channel: ChannelView) -> str:
    return f"/api/v1/accounts/{channel.setting('account_id')}/statuses"


async def _news(position: Position, caller: Caller) -> AsyncIterator[tuple[tuple[Part, ...], Position]]:
    """In pieces that can be journalled, oldest first, each with the position after it."""
    async for raws, mark in _since(NOTICES, position.notices or Mark(), caller, _WANTED):
        position = msgspec.structs.replace(position, notices=mark)
        yield tuple([part for raw in raws for part in await _notice_parts(raw, caller)]), position
    async for raws, mark in _since(_own_posts(caller.channel), position.own or Mark(), caller, _OWN):
        position = msgspec.structs.replace(position, own=mark)
        yield tuple([part for raw in raws for part in await _post_parts(raw, caller)]), position


async def _since(
    path: str, mark: Mark, caller: Caller, query: Iterable[tuple[str, str]]
) -> AsyncIterator[tuple[Raws, Mark]]:
    """New entries oldest first, a page at a time, and how far that is."""
    place = mark.after
    while page := await caller.ask(path, tuple[msgspec.Raw, ...], ("min_id", place), ("limit", PAGE), *query):
        entries = [(msgspec.json.decode(raw, type=wire.Listed), raw) for raw in reversed(page)]
        if entries[-1][0].id == place:  # a server that knows no min_id would say the same for ever
            return
        place = entries[-1][0].id
        known = {one for one, _ in mark.recent}
        fresh = [(one, raw) for one, raw in entries if one.id not in known]
        if fresh:
            mark = _after(mark, [one for one, _ in fresh])
            yield [raw for _, raw in fresh], mark


def _after(mark: Mark, read: Sequence[wire.Listed]) -> Mark:
    recent = [*mark.recent, *((one.id, one.created_at) for one in read)]
    edge = max(at for _, at in recent) - OVERLAP
    settled = [one for one, at in recent if at < edge]
    after = max([mark.after, *settled], key=lambda one: (len(one), one))
    return Mark(after, tuple((one, at) for one, at in recent if at >= edge))


async def _notice_parts(raw: msgspec.Raw, caller: Caller) -> list[Part]:
    """Nothing for a notification of a post that is gone already."""
    notice = msgspec.json.decode(raw, type=wire.RawNotice)
    if bytes(notice.status) == b"null":
        return []
    if notice.type in {"mention", "quote"}:
        return await _post_parts(notice.status, caller, quotes_us=notice.type == "quote")
    status = _typed(notice.status)
    thread = thread_of(status, None, caller.channel) if status else notice.id
    return [_part(f"notice:{notice.id}", thread, wire.Row(kind=notice.type, event=raw))]


async def _post_parts(raw: msgspec.Raw, caller: Caller, *, quotes_us: bool = False) -> list[Part]:
    """A part for a post, and before it for those above it: the thread shows what is answered."""
    status = _typed(raw)
    above: Raws = ()
    if status and status.in_reply_to_id and status.visibility != "direct":
        above = await _above(status.id, caller)
    if len(above) > MOST_ABOVE:
        above = [above[0], *above[1 - MOST_ABOVE :]]
    return thread_parts([*above, raw], caller.channel, quotes_us=quotes_us)


def _typed(raw: msgspec.Raw) -> wire.Status | None:
    """A post; None for what is none: it becomes a dead letter, and the reader goes on."""
    try:
        return msgspec.json.decode(raw, type=wire.Status)
    except msgspec.DecodeError:
        return None


async def _above(status_id: str, caller: Caller) -> Raws:
    """What stands above a post; nothing where the post has gone meanwhile."""
    try:
        return (await caller.ask(f"/api/v1/statuses/{status_id}/context", wire.Context)).ancestors
    except ChannelError as refused:
        if refused.code != "message_gone":
            raise
        return ()


def thread_parts(raws: Raws, channel: ChannelView, *, quotes_us: bool = False) -> list[Part]:
    """Posts that hang below each other as journal rows; the last may quote us. Where a private one stands between them, the thread begins below it."""
    parts: list[Part] = []
    root: wire.Status | None = None
    parent: wire.Status | None = None
    for raw in raws:
        status = _typed(raw)
        if status is None:
            name = f"odd:{hashlib.blake2b(raw, digest_size=16).hexdigest()}"
            parts.append(_part(name, name, wire.Row(kind="post", event=raw)))
            continue
        if parent is None or "direct" in {status.visibility, parent.visibility}:
            root = parent = None
        above = parent if parent and parent.id == status.in_reply_to_id else None
        row = wire.Row(kind="post", event=raw, parent=above, root=root, quotes_us=quotes_us and raw is raws[-1])
        parts.append(_part(f"post:{status.id}", thread_of(status, root, channel), row))
        root, parent = root or status, status
    return parts


async def find_changed(known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
    """A part for each post that the server no longer shows us, and for each that was edited."""
    caller = Caller(channel, tools)
    found: list[Part] = []
    for piece in (known[start : start + AT_ONCE] for start in range(0, len(known), AT_ONCE)):
        ids = (("id[]", one.platform_id) for one in piece)
        raws = await caller.ask("/api/v1/statuses", tuple[msgspec.Raw, ...], *ids)
        standing = {msgspec.json.decode(raw, type=wire.Listed).id: raw for raw in raws}
        found += [part for one in piece for part in _change(one, standing.get(one.platform_id))]
    return tuple(found)


def _change(one: KnownMessage, raw: msgspec.Raw | None) -> list[Part]:
    if raw is None:
        return [gone_part(one)]
    edited_at = msgspec.json.decode(raw, type=wire.Status).edited_at
    return [edit_part(one, raw, edited_at)] if edited_at else []


def gone_part(one: KnownMessage) -> Part:
    """A post that is no longer there, as a journal row."""
    gone = msgspec.json.encode(wire.Gone(id=one.platform_id, at=clock.now()))
    return _part(f"gone:{one.platform_id}", one.thread_key, wire.Row(kind="gone", event=msgspec.Raw(gone)))


def edit_part(one: KnownMessage, raw: msgspec.Raw, edited_at: datetime) -> Part:
    """A post as it is after an edit. The same edit found again is the same row."""
    name = f"edit:{one.platform_id}:{edited_at.isoformat()}"
    return _part(name, one.thread_key, wire.Row(kind="edit", event=raw))


def _part(event_id: str, order_key: str, row: wire.Row) -> Part:
    return Part("", event_id, order_key, msgspec.json.encode(row))
