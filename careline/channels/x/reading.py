"""Asking X what its deliveries may have missed, and what of the older posts is changed or gone. Nothing is translated here.

Lists are pages from new to old; ids grow with time (docs.x.com/fundamentals/x-ids, read 2026-11-22). Only what is returned is charged for, and
once in a day (docs.x.com/x-api/getting-started/pricing, read 2026-11-22).
After a longer silence X is also asked to deliver again what it tried to (POST /2/webhooks/replay: the last 24 hours): quotes stand in no list.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, KnownMessage, Part, Tools
from careline.channels.x import setup, wire
from careline.channels.x.calling import Caller
from careline.channels.x.inbound import FETCHED_DM, FETCHED_POST, REACHED, dm_key, part_of, post_part
from careline.errors import ChannelError
from careline.kit import clock

MOST_PAGES: Final = 50
AT_ONCE: Final = 10
"""Direct messages are read from the newest on, known or not, and each costs: a look asks for few, and for more only where all are new."""
SILENCE: Final = timedelta(minutes=30)
REPLAYED: Final = timedelta(hours=23, minutes=50)
_POST: Final = {
    "post__fields": (
        "attachments",
        "conversation_id",
        "created_at",
        "display_text_range",
        "entities",
        "lang",
        "note_post",
        "public_metrics",
    ),
    "expansions": ("author_id", "referenced_posts", "attachments.media_keys", "edit_history_post_ids"),
    "user__fields": ("name", "profile_image_url", "protected", "username"),
    "media__fields": ("alt_text", "media_key", "preview_image_url", "type", "url", "variants"),
}
_DM: Final = {
    "dm_event__fields": ("attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "text"),
    "expansions": ("sender_id", "attachments.media_keys"),
    "user__fields": _POST["user__fields"],
    "media__fields": _POST["media__fields"],
    "event_types": ("MessageCreate",),
}
Lists = list[tuple[wire.Post, Part]]


class Position(msgspec.Struct, frozen=True):
    """The reader's cursor: the newest post that names us, post of ours and direct message seen; and when we looked."""

    mentions: int = 0
    own: int = 0
    private: int = 0
    looked_at: datetime | None = None


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """What is new since the cursor, then a look every `poll_s` seconds. Raises ChannelError."""
    caller = Caller(channel, tools)
    position = msgspec.convert(cursor, Position)
    await _replay(position, caller)
    while True:
        parts, position = await _look(position, caller)
        yield Fetched(parts, msgspec.to_builtins(position))
        await asyncio.sleep(setup.poll_s(channel))


async def _replay(position: Position, caller: Caller) -> None:
    """What was tried to deliver while nobody answered comes again by webhook. Best effort: the lists are read anyway."""
    now, webhook = clock.now(), caller.channel.setting("webhook_id")
    if not webhook or position.looked_at is None or now - position.looked_at < SILENCE:
        return
    begins = max(position.looked_at - SILENCE, now - REPLAYED)
    body = {"webhook_id": webhook, "from_date": f"{begins:%Y%m%d%H%M}", "to_date": f"{now:%Y%m%d%H%M}"}
    try:
        await caller.as_app("POST", "/2/webhooks/replay", object, body)
    except ChannelError:
        return


async def _look(position: Position, caller: Caller) -> tuple[tuple[Part, ...], Position]:
    us = caller.channel.account_key
    mentions = await _posts(f"/2/users/{us}/mentions", position.mentions, caller)
    own = await _posts(f"/2/users/{us}/tweets", position.own, caller)
    private = await _messages(position.private, caller)
    reached = Position(
        max([position.mentions, *(number for number, _ in mentions)]),
        max([position.own, *(number for number, _ in own)]),
        max([position.private, *(number for number, _ in private)]),
        clock.now(),
    )
    return tuple(part for _, part in sorted((*mentions, *own, *private), key=lambda one: one[0])), reached


async def _posts(path: str, since: int, caller: Caller) -> list[tuple[int, Part]]:
    """Numbered parts. A new channel hears since its history begins."""
    begins = caller.channel.history_before
    after = {"since_id": since} if since else {"start_time": _stamp(begins)} if begins else {}
    found: list[tuple[int, Part]] = []
    token = ""
    for _ in range(MOST_PAGES):
        page = await caller.page(path, max_results=100, pagination_token=token, **after, **_POST)
        found += [(int(post.id), part) for post, part in _cut(page, caller)]
        token = page.meta.next_token
        if not token:
            break
    return found


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _cut(page: wire.Page, caller: Caller) -> Lists:
    """A part for each post of a page."""
    includes = msgspec.json.decode(page.includes, type=wire.Includes)
    events = [wire.Event(FETCHED_POST, raw, includes=includes) for raw in page.data]
    return [
        (msgspec.json.decode(one.payload, type=wire.Post), post_part(_alone(one), caller.channel.account_key))
        for one in events
    ]


def _alone(event: wire.Event) -> wire.Event:
    """With what belongs to this post of all that came along with its page."""
    post, all_of = msgspec.json.decode(event.payload, type=wire.Post), event.includes
    wanted = {one.id for one in (*post.referenced_posts, *post.referenced_tweets)}
    posts = tuple(one for one in (*all_of.posts, *all_of.tweets) if one.id in wanted)
    media = tuple(one for one in all_of.media if one.media_key in post.attachments.media_keys)
    return msgspec.structs.replace(event, includes=wire.Includes(all_of.users, posts=posts, media=media))


async def _messages(since: int, caller: Caller) -> list[tuple[int, Part]]:
    """Direct messages of the last 30 days, as far as they are new."""
    found: list[tuple[int, Part]] = []
    token = ""
    for _ in range(MOST_PAGES * 10):
        page = await caller.page("/2/dm_events", max_results=AT_ONCE, pagination_token=token, **_DM)
        numbered = [
            (int(one.id), one, raw) for raw in page.data for one in (msgspec.json.decode(raw, type=wire.DmEvent),)
        ]
        new = [
            (number, _dm_part(one, raw, page, caller)) for number, one, raw in numbered if _is_new(one, since, caller)
        ]
        found += new
        token = page.meta.next_token
        if not token or len(new) < len(numbered):
            break
    return found


def _is_new(one: wire.DmEvent, since: int, caller: Caller) -> bool:
    if since:
        return int(one.id) > since
    begins = caller.channel.history_before
    return begins is None or one.created_at is None or one.created_at >= begins


def _dm_part(one: wire.DmEvent, raw: msgspec.Raw, page: wire.Page, caller: Caller) -> Part:
    us = caller.channel.account_key
    other = next((user_id for user_id in one.dm_conversation_id.split("-") if user_id != us), "")
    event = wire.Event(FETCHED_DM, raw, includes=msgspec.json.decode(page.includes, type=wire.Includes))
    return part_of(event, us, f"dm:{one.id}", dm_key(other))


async def recheck(known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
    """Parts for the posts that X says are gone (deleted, protected, suspended: its policy wants them gone here too), edited, or seen by more."""
    public = {one.platform_id: one for one in known if one.platform_id.isdecimal() and one.surface != "dm"}
    if not public:
        return ()
    caller = Caller(channel, tools)
    page = await caller.page("/2/tweets", ids=tuple(public), **_POST)
    standing = _cut(page, caller)
    newest = [post.versions[-1] for post, _ in standing if post.versions[-1] not in public]
    edited = _cut(await caller.page("/2/tweets", ids=tuple(newest), **_POST), caller) if newest else []
    begun = [post for post, _ in standing if public[post.id].thread_key == post.id]
    seen = [_reach_part(post, channel) for post in begun if post.public_metrics.impression_count]
    gone = {one.resource_id or one.value for one in page.errors if one.type.rpartition("/")[2] in _GONE} & public.keys()
    return (*(_gone_part(one, channel) for one in sorted(gone)), *(part for _, part in edited), *seen)


_GONE: Final = {"resource-not-found", "not-authorized-for-resource"}


def _gone_part(post_id: str, channel: ChannelView) -> Part:
    gone = wire.Event("post.delete", msgspec.Raw(msgspec.json.encode(wire.Gone(post_id, clock.now()))))
    return part_of(gone, channel.account_key, f"gone:{post_id}", post_id)


def _reach_part(post: wire.Post, channel: ChannelView) -> Part:
    event = wire.Event(REACHED, msgspec.Raw(msgspec.json.encode(post)))
    return part_of(event, channel.account_key, f"reach:{post.id}:{post.public_metrics.impression_count}", post.id)
