"""Asking the homeserver what is new: /sync from its last token, the gap it leaves out after an outage, and invitations. Nothing is translated here.

What a line of the journal must know beside the event (how many people are in the room, the sender's name, who wrote what is answered or changed)
is asked for now: later it would be another answer. Source: Client-Server API v1.18, "Syncing" and /messages (spec.matrix.org, read 2026-11-22).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, Part, Tools
from careline.channels.matrix import directs, wire
from careline.channels.matrix.calling import TOO_LARGE, Caller, path
from careline.errors import ChannelError

POLL_MS: Final = 12_000
PAUSE_S: Final = 1.0
AT_ONCE: Final = 20
FIRST: Final = 10
PAGE: Final = 100
REMEMBERED: Final = 200
WANTED: Final = ("m.room.message", "m.room.encrypted", "m.sticker", "m.reaction", "m.room.redaction", "m.room.member")
_NEVER: Final = {"not_types": ["*"]}
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Reaction(msgspec.Struct, frozen=True):
    """A reaction that may be taken back, which names only the event it was."""

    event_id: str
    target: str
    sender: str
    emoji: str


class Position(msgspec.Struct, frozen=True):
    """The reader's cursor. `invited` are rooms to enter, as (room, who wants to speak with us alone there); `ours` messages of ours that nobody has
    read yet, as (room, event).
    """

    since: str = ""
    invited: tuple[tuple[str, str], ...] = ()
    ours: tuple[tuple[str, str], ...] = ()
    reactions: tuple[Reaction, ...] = ()


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """What is new since the cursor, for ever. Raises ChannelError."""
    reader = _Reader(Caller(channel, tools), msgspec.convert(cursor, Position))
    while True:
        asked_s = time.monotonic()
        async for parts in reader.news():
            yield Fetched(parts, msgspec.to_builtins(reader.position))
        if time.monotonic() - asked_s < PAUSE_S:
            # A server that does not wait for news must not be asked all the time.
            await asyncio.sleep(PAUSE_S - (time.monotonic() - asked_s))


class _Reader:
    """One account's reading: the position, and what was asked about rooms and events for as long as it runs."""

    def __init__(self, caller: Caller, position: Position) -> None:
        self.position = position
        self._caller = caller
        self._us = caller.channel.account_key
        self._rooms: dict[str, tuple[wire.Room, wire.Members]] = {}
        self._authors: dict[str, str] = {}

    async def news(self) -> AsyncIterator[tuple[Part, ...]]:
        """One look, in pieces that can be journalled: gaps first, each page of them with the position from before the look."""
        sync = await self._sync()
        for room_id, room in (*sync.rooms.join.items(), *sync.rooms.leave.items()):
            if room.timeline.limited and self.position.since:
                async for page in self._gap(room_id, room.timeline):
                    if parts := await self._parts(room_id, page):
                        yield parts
        found: list[Part] = []
        for room_id, room in (*sync.rooms.join.items(), *sync.rooms.leave.items()):
            found += await self._parts(room_id, room.timeline.events)
            found += await self._receipts(room_id, room.ephemeral.events)
        new = tuple((room_id, self._wants_us_alone(one)) for room_id, one in sync.rooms.invite.items())
        invited = await self._answer_invites((*self.position.invited, *new))
        self.position = msgspec.structs.replace(self.position, since=sync.next_batch, invited=invited)
        yield tuple(found)

    async def _sync(self) -> wire.Sync:
        """An answer larger than we take is asked for in smaller pieces; what they leave out is a gap like any other."""
        try:
            return await self._ask_sync(AT_ONCE if self.position.since else FIRST)
        except ChannelError as refused:
            if refused.code != TOO_LARGE:
                raise
            return await self._ask_sync(1)

    async def _ask_sync(self, at_once: int) -> wire.Sync:
        room = {"timeline": {"limit": at_once, "types": WANTED}, "ephemeral": {"types": ["m.receipt"]}}
        wanted = {"presence": _NEVER, "account_data": _NEVER, "room": {**room, "state": _NEVER, "account_data": _NEVER}}
        since = {"since": self.position.since, "timeout": str(POLL_MS)} if self.position.since else {}
        return await self._caller.ask(
            path("sync"), wire.Sync, filter=msgspec.json.encode(wanted).decode(), set_presence="offline", **since
        )

    async def _gap(self, room_id: str, timeline: wire.Timeline) -> AsyncIterator[tuple[msgspec.Raw, ...]]:
        """What happened between the last look and the piece of the timeline that came, oldest first; of a private room that we have just joined,
        everything from its beginning.
        """
        room, _ = await self._room(room_id)
        start = "" if room.is_private and self._has_just_joined(timeline) else self.position.since
        while True:
            query = {"from": start} if start else {}
            wanted = msgspec.json.encode({"types": WANTED}).decode()
            page = await self._caller.find(
                path("rooms", room_id, "messages"),
                wire.Page,
                **query,
                dir="f",
                to=timeline.prev_batch,
                limit=str(PAGE),
                filter=wanted,
            )
            if page is None or not page.chunk:
                return
            yield page.chunk
            if not page.end or page.end == start:
                return
            start = page.end

    def _has_just_joined(self, timeline: wire.Timeline) -> bool:
        found = (_header(raw) for raw in timeline.events)
        return any(one is not None and one.type == "m.room.member" and one.sender == self._us for one in found)

    async def _parts(self, room_id: str, raws: Iterable[msgspec.Raw]) -> tuple[Part, ...]:
        parts: list[Part] = []
        for raw in raws:
            event = _header(raw)
            if event is None or not event.event_id:
                parts.append(_part(_digest(raw), wire.Row("event", wire.Room(room_id), raw)))
            elif event.type == "m.room.member":
                self._rooms.pop(room_id, None)
            elif event.type == "m.room.redaction":
                parts += [_part(event.event_id, await self._redaction(room_id, event, raw))]
            else:
                parts += await self._said(room_id, event, raw)
        return tuple(parts)

    async def _said(self, room_id: str, event: wire.Event, raw: msgspec.Raw) -> list[Part]:
        """A row for it, and before it one for what it answers in a public room: the thread shows that too. Only an author's own changes count
        ("Validity of replacement events"); changes of what is gone would bring its words back.
        """
        relation = content_of(event).relates_to
        room, members = await self._room(room_id)
        self._remember(room, event, relation)
        is_change = relation.rel_type == "m.replace"
        named = relation.event_id if is_change else relation.in_reply_to.event_id
        above, before = await self._author_of(room_id, named) if named else ("", [])
        if is_change and above != event.sender:
            return []
        row = wire.Row("event", room, raw, members.name_of(event.sender), above)
        return [*([] if room.is_private or is_change else before), _part(event.event_id, row)]

    def _remember(self, room: wire.Room, event: wire.Event, relation: wire.Relation) -> None:
        self._authors[event.event_id] = "" if is_redacted(event) else event.sender
        if len(self._authors) > 5 * REMEMBERED:
            del self._authors[next(iter(self._authors))]
        if event.type == "m.reaction" and relation.event_id:
            one = Reaction(event.event_id, relation.event_id, event.sender, relation.key)
            others = (known for known in self.position.reactions if known.event_id != one.event_id)
            self._move(reactions=(*others, one)[-REMEMBERED:])
        elif room.is_private and event.sender == self._us and relation.rel_type != "m.replace":
            ours = (room.id, event.event_id)
            self._move(ours=(*(known for known in self.position.ours if known != ours), ours)[-REMEMBERED:])

    def _move(self, **changed: object) -> None:
        self.position = msgspec.structs.replace(self.position, **changed)

    async def _author_of(self, room_id: str, event_id: str) -> tuple[str, list[Part]]:
        """Who wrote an event, and a row for it where it was not read here lately. Nobody where we may not see it, and where it is redacted."""
        if event_id in self._authors:
            return self._authors[event_id], []
        raw = await self._caller.find(path("rooms", room_id, "event", event_id), msgspec.Raw)
        event = _header(raw) if raw is not None else None
        if raw is None or event is None:
            return "", []
        self._authors[event_id] = "" if is_redacted(event) else event.sender
        room, members = await self._room(room_id)
        row = wire.Row("event", room, raw, members.name_of(event.sender))
        return self._authors[event_id], [_part(event_id, row)] if event.type in WANTED else []

    async def _redaction(self, room_id: str, event: wire.Event, raw: msgspec.Raw) -> wire.Row:
        """Of a message, or of a reaction: then what else that person has on the message is what still shows."""
        room, _ = await self._room(room_id)
        gone = redacted_by(event)
        known = next((one for one in self.position.reactions if one.event_id == gone), None)
        if known is None:
            return wire.Row("event", room, raw)
        rest = tuple(one for one in self.position.reactions if one != known)
        self._move(reactions=rest)
        left = [one.emoji for one in rest if (one.target, one.sender) == (known.target, known.sender)]
        return wire.Row(
            "unreact",
            room,
            target=known.target,
            sender=known.sender,
            emoji=left[-1] if left else "",
            at_ms=event.origin_server_ts,
        )

    async def _receipts(self, room_id: str, raws: Iterable[msgspec.Raw]) -> list[Part]:
        """Whoever reads a message of ours in private has read those before it."""
        ours = [event for room, event in self.position.ours if room == room_id]
        if not ours:
            return []
        room, _ = await self._room(room_id)
        found: list[Part] = []
        for event_id, at_ms in _read_up_to(raws, self._us):
            if event_id in ours:
                read, ours = ours[: ours.index(event_id) + 1], ours[ours.index(event_id) + 1 :]
                found += [_part(f"read:{one}", wire.Row("read", room, target=one, at_ms=at_ms)) for one in read]
        self._move(ours=tuple(one for one in self.position.ours if one[0] != room_id or one[1] in ours))
        return found

    async def _room(self, room_id: str) -> tuple[wire.Room, wire.Members]:
        """A room that not everybody may enter, with at most two people in it, is a private conversation."""
        if room_id not in self._rooms:
            members = await self._members(room_id)
            name = await self._caller.find(path("rooms", room_id, "state", "m.room.name", ""), wire.RoomState)
            rules = await self._caller.find(path("rooms", room_id, "state", "m.room.join_rules", ""), wire.RoomState)
            people = len({*members.joined, self._us}) if members else 0
            is_private = rules is not None and rules.join_rule != "public" and 0 < people <= 2
            room = wire.Room(room_id, name.name if name else "", people, is_private)
            self._rooms[room_id] = room, members or wire.Members()
        return self._rooms[room_id]

    async def _members(self, room_id: str) -> wire.Members | None:
        """Those who are in it, or, once we are not, who were when we left. None where they are too many to be told."""
        found = await self._caller.find(path("rooms", room_id, "joined_members"), wire.Members)
        if found is not None:
            return found
        left = await self._caller.find(path("rooms", room_id, "members"), wire.Page, membership="join")
        if left is None:
            return None
        events = (_header(raw) for raw in left.chunk)
        return wire.Members({one.state_key: wire.Member() for one in events if one is not None})

    def _wants_us_alone(self, invited: wire.Invited) -> str:
        found = (_header(raw) for raw in invited.invite_state.events)
        ours = (one for one in found if one and (one.type, one.state_key) == ("m.room.member", self._us))
        return next((one.sender for one in ours if content_of(one).is_direct), "")

    async def _answer_invites(self, rooms: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Enter the rooms we are invited to, where that is wanted. Gives those that could not be entered yet: they are tried again."""
        if self._caller.channel.setting("accept_invites", "yes") == "no":
            return ()
        waiting = []
        for room_id, person in dict(rooms).items():
            try:
                await self._caller.do("POST", path("rooms", room_id, "join"), {}, wire.Nothing)
                if person:
                    await directs.note_room(person, room_id, self._caller)
            except ChannelError as refused:
                if refused.unauthorised:
                    raise
                waiting += [] if refused.permanent else [(room_id, person)]
        return tuple(waiting[-REMEMBERED:])


def content_of(event: wire.Event) -> wire.Content:
    """What an event says; nothing where it says that in a way nobody can read."""
    try:
        return msgspec.json.decode(event.content, type=wire.Content)
    except _UNREADABLE:
        return wire.Content()


def redacted_by(event: wire.Event) -> str:
    """Which event a redaction takes back."""
    return event.redacts or content_of(event).redacts


def is_redacted(event: wire.Event) -> bool:
    """A redaction takes everything out of a message; its author and its place remain ("Redactions")."""
    return bytes(event.content).strip() == b"{}"


def _header(raw: msgspec.Raw) -> wire.Event | None:
    try:
        return msgspec.json.decode(raw, type=wire.Event)
    except _UNREADABLE:
        return None


def _read_up_to(raws: Iterable[msgspec.Raw], us: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for raw in raws:
        try:
            told = msgspec.json.decode(raw, type=wire.ReceiptEvent)
        except _UNREADABLE:
            continue
        for event_id, by_kind in told.content.items():
            found += [(event_id, one.ts) for who, one in by_kind.get("m.read", {}).items() if who != us]
    return found


def _digest(raw: msgspec.Raw) -> str:
    return f"unread:{hashlib.blake2b(bytes(raw), digest_size=16).hexdigest()}"


def _part(event_id: str, row: wire.Row) -> Part:
    """Everything of a room is digested in order: an edit must not overtake what it changes."""
    return Part("", event_id, row.room.id, msgspec.json.encode(row))
