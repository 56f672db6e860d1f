"""Visiting a channel's feeds for ever, each when it is due; what is known of them is the cursor, so a restart neither repeats nor misses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, Part, Tools
from careline.channels.feed import calling, cutting, formats, pages
from careline.channels.feed.calling import Caller, Visit
from careline.channels.feed.wire import Document, FeedState, Kept, Letter, addresses
from careline.errors import ChannelError
from careline.kit import clock
from careline.kit.http import guarded_client

USUAL_MINUTES: Final = 10.0
LEAST_S: Final = 5.0
LONGEST_SLEEP_S: Final = 60.0
COMMENTS_EVERY: Final = 3
"""A comment feed whose post does not count its comments is visited every third time."""
_Change = tuple[dict[str, FeedState], list[Letter]]


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """One feed at a time. Raises ChannelError while none of the channel's own feeds can be read."""
    feeds = load(cursor, channel)
    async with guarded_client() as outside:
        while feeds:
            address = min(feeds, key=lambda one: feeds[one].due_s)
            wait_s = feeds[address].due_s - clock.epoch_s()
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, LONGEST_SLEEP_S))
                continue
            state = feeds[address]
            typed = state.root.feed if state.root is not None else address
            try:
                changed, letters = await _look(address, state, channel, Caller(tools, outside, pages.host_of(typed)))
            except ChannelError as error:
                changed, letters = _failed(address, state, channel, error)
                if not _hears_others(address, feeds, channel):
                    error.retry_after_s = changed[address].due_s - clock.epoch_s()
                    raise
            feeds = _merged(feeds, changed, address, channel)
            parts: tuple[Part, ...] = tuple(cutting.part_of(one, channel.account_key) for one in letters)
            yield Fetched(parts, msgspec.to_builtins(Kept(feeds)))


def load(cursor: Mapping[str, object], channel: ChannelView) -> dict[str, FeedState]:
    """The state of each feed; a feed that others were there before is late. Feeds no longer typed are forgotten with their comments."""
    try:
        kept = msgspec.convert(cursor, Kept, strict=False).feeds
    except msgspec.ValidationError:
        kept = {}
    typed = addresses(channel)
    fresh = FeedState(is_late=bool(kept))
    comments = {at: state for at, state in kept.items() if state.root is not None and state.root.feed in typed}
    return {**{address: kept.get(address, fresh) for address in typed}, **comments}


def _merged(
    feeds: Mapping[str, FeedState], changed: Mapping[str, FeedState], address: str, channel: ChannelView
) -> dict[str, FeedState]:
    """What changed, over what was there; comment feeds of `address` that were not named again are left, where others were."""
    own, named = addresses(channel), {at for at in changed if at != address}
    left = {at for at, state in feeds.items() if named and state.root and state.root.feed == address} - named
    kept = {at: state for at, state in feeds.items() if at not in left}
    for at, state in changed.items():
        before = kept.get(at)
        if at == address or before is None:
            kept[at] = state
        elif before.root is not None and at not in own and before.count != state.count:
            kept[at] = msgspec.structs.replace(before, count=state.count, due_s=0, root=state.root)
    return kept


async def _look(address: str, state: FeedState, channel: ChannelView, caller: Caller) -> _Change:
    """One visit: the new state of the feed, of the comment feeds it names, and what happened."""
    at = state.now_at or address
    found, document = await read_feed(at, state, caller)
    if document is None:
        due_s = calling.next_due_s(_every_s(channel, state), found, state.manners)
        return {address: msgspec.structs.replace(state, due_s=due_s, failures=0, failed="")}, []
    after, letters = cutting.cut(address, state, document, channel)
    if document.problem and state.failed != "feed_unreadable":
        letters.append(cutting.unreadable(address, document.problem))
    named = cutting.comment_feeds(address, document, channel) if _follows(channel, state) else {}
    return {**named, address: _visited(after, found, document, channel)}, letters


async def read_feed(at: str, state: FeedState, caller: Caller) -> tuple[Visit, Document | None]:
    """The feed at an address, or the first one the page there names; no document when nothing changed. Raises ChannelError."""
    found = await calling.visit(at, state, caller)
    if found.is_unchanged:
        return found, None
    document = await _read(found)
    if document.offers:
        onward = await calling.visit(document.offers[0], FeedState(), caller)
        return msgspec.structs.replace(onward, moved_to=onward.moved_to or onward.at), await _read(onward)
    return found, document


async def _read(found: Visit) -> Document:
    """Beside the event loop: a large feed takes a second."""
    return await asyncio.to_thread(formats.read, found.answer.body, found.content_type, found.at)


def _visited(state: FeedState, found: Visit, document: Document, channel: ChannelView) -> FeedState:
    headers = found.answer.headers
    return msgspec.structs.replace(
        state,
        now_at=found.moved_to or state.now_at,
        etag=headers.get("etag", "")[:500],
        modified=headers.get("last-modified", "")[:100],
        due_s=calling.next_due_s(_every_s(channel, state), found, document.manners),
        failures=0,
        failed="feed_unreadable" if document.problem else "",
        manners=document.manners,
    )


def _failed(address: str, state: FeedState, channel: ChannelView, error: ChannelError) -> _Change:
    """A feed that is gone for good is left alone, a day at a time; one that moved is looked for where it was."""
    every_s, failures = _every_s(channel, state), state.failures + 1
    pause_s = calling.DAY_S if error.code == "feed_gone" else error.retry_after_s
    told = [cutting.unreadable(address, error.message)] if error.code == "feed_gone" != state.failed else []
    after = msgspec.structs.replace(
        state,
        now_at="" if error.permanent or error.code == "feed_missing" else state.now_at,
        due_s=calling.after_failure_s(every_s, failures, pause_s),
        failures=failures,
        failed=error.code,
    )
    return {address: after}, told


def _hears_others(address: str, feeds: Mapping[str, FeedState], channel: ChannelView) -> bool:
    """Whether the channel still hears anything when this feed fails."""
    own = addresses(channel)
    return address not in own or any(feeds[one].failures == 0 for one in own if one != address)


def _follows(channel: ChannelView, state: FeedState) -> bool:
    return state.root is None and str(channel.settings.get("comments", "1")).lower() in {"1", "true", "on", "yes"}


def _every_s(channel: ChannelView, state: FeedState) -> float:
    """Seconds between visits. A comment feed whose post counts its comments waits for the count to change."""
    try:
        minutes = float(channel.setting("every_min") or USUAL_MINUTES)
    except ValueError:
        minutes = USUAL_MINUTES
    every_s = max(LEAST_S, minutes * 60)
    if state.root is None:
        return every_s
    return every_s * COMMENTS_EVERY if state.count < 0 else calling.DAY_S
