"""From Careline to Matrix: messages with files, edits, redactions, reactions, typing, and the room for a private conversation.

Every act carries a transaction id made from its idempotency key: a server answers a repeated one with the first event and does nothing twice
(Client-Server API v1.18, "Transaction identifiers", read 2026-11-22). A room made twice would be two invitations, so it gets an address of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.matrix import directs, wire
from careline.channels.matrix.calling import DUPLICATE, Caller, Refused, path
from careline.channels.matrix.inbound import MARK, PRIVATE
from careline.channels.matrix.reading import content_of
from careline.channels.matrix.rules import CONTENT_BYTES, effective
from careline.errors import ChannelError

Content = dict[str, object]
TYPING_MS: Final = 6000
_FAMILIES: Final = {"image": "m.image", "audio": "m.audio", "video": "m.video"}


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """The text, then each file as an event of its own that belongs to it. Raises ChannelError."""
    _check(outgoing, channel)
    caller = Caller(channel, tools)
    room = await _room_for(outgoing, caller)
    relation = await _relation(outgoing, room, caller)
    words = [_text(outgoing)] if outgoing.text or not outgoing.files else []
    first, *rest = [*words, *[await _file(one, caller) for one in outgoing.files]]
    sent = await _put(room, "m.room.message", outgoing.idempotency_key, first | relation, caller)
    others = [
        await _put(room, "m.room.message", f"{outgoing.idempotency_key}.{number}", _beside(sent, relation, one), caller)
        for number, one in enumerate(rest, start=1)
    ]
    key = f"{room}{PRIVATE}" if outgoing.surface == "dm" else room
    return Sent(platform_id=sent, aliases=tuple(others), thread_key=key)


def _check(outgoing: Outgoing, channel: ChannelView) -> None:
    rule = effective(channel).surface(outgoing.surface)
    if not rule.text.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.text.max_length} bytes.", permanent=True)
    if any(one.size_bytes > rule.attachments.kinds[0].max_bytes for one in outgoing.files):
        raise ChannelError("too_large", "The homeserver takes no file that large.", permanent=True)


def _text(outgoing: Outgoing) -> Content:
    """In public the answered person is named, as clients do, so that they are told of it."""
    named = {"user_ids": [outgoing.recipient]} if outgoing.surface == "group" and outgoing.recipient else {}
    return {"msgtype": "m.text", "body": outgoing.text, "m.mentions": named}


async def _file(file: OutgoingFile, caller: Caller) -> Content:
    address = await caller.upload(file.name, await file.read(), file.content_type)
    kind = _FAMILIES.get(file.content_type.partition("/")[0], "m.file")
    about = {"mimetype": file.content_type, "size": file.size_bytes}
    return {"msgtype": kind, "body": file.alt_text or file.name, "filename": file.name, "url": address, "info": about}


def _beside(first: str, relation: Content, content: Content) -> Content:
    """In a thread it stands in the thread; elsewhere it refers to the message it came with, so that both can be deleted."""
    belongs = {"m.relates_to": {"rel_type": "m.reference", "event_id": first}}
    in_thread = isinstance(found := relation.get("m.relates_to"), dict) and "rel_type" in found
    return content | (relation if in_thread else belongs)


async def _put(room: str, kind: str, key: str, content: Content, caller: Caller) -> str:
    """One event, whatever is tried again. Raises ChannelError."""
    if len(msgspec.json.encode(content)) > CONTENT_BYTES:
        raise ChannelError("text_too_long", f"At most {CONTENT_BYTES} bytes as the server counts.", permanent=True)
    where = path("rooms", room, "send", kind, f"{MARK}{key}")
    return (await caller.do("PUT", where, content, wire.Named)).event_id


async def _relation(outgoing: Outgoing, room: str, caller: Caller) -> Content:
    """In public an answer hangs on what it answers; what was said in a thread is answered in that thread, in private too."""
    if not outgoing.reply_to:
        return {}
    raw = await caller.find(path("rooms", room, "event", outgoing.reply_to), wire.Event)
    above = content_of(raw).relates_to if raw is not None else wire.Relation()
    answered: Content = {"m.in_reply_to": {"event_id": outgoing.reply_to}}
    if above.rel_type == "m.thread":
        thread: Content = {"rel_type": "m.thread", "event_id": above.event_id, "is_falling_back": False}
        return {"m.relates_to": thread | answered}
    return {"m.relates_to": answered} if outgoing.surface == "group" and raw is not None else {}


# ---- where it goes


async def _room_for(outgoing: Outgoing, caller: Caller) -> str:
    """The room of the thread; for a first private word the one we share with this person, or a new one. Raises ChannelError."""
    room = outgoing.thread_key.removesuffix(PRIVATE)
    if outgoing.surface != "dm":
        return room
    if room:
        await _check_private(room, caller)
        return room
    return await directs.shared_room(outgoing.recipient, caller) or await _new_room(outgoing, caller)


async def _check_private(room: str, caller: Caller) -> None:
    """Somebody may have come in since: nothing private is said to three."""
    if len(await directs.people_in(room, caller)) > 2:
        raise ChannelError("room_not_private", "There are more than two people in this room now.", permanent=True)


async def _new_room(outgoing: Outgoing, caller: Caller) -> str:
    """Invite one person, who can neither bring others nor switch on an encryption that we could not read. The room's address is made from the
    idempotency key, so a second try finds the room of the first.
    """
    us, person = caller.channel.account_key, outgoing.recipient
    name = f"{MARK}{hashlib.blake2b(outgoing.idempotency_key.encode(), digest_size=12).hexdigest()}"
    wanted = {
        "is_direct": True,
        "preset": "private_chat",
        "power_level_content_override": {"invite": 50},
        "invite": [person],
        "name": caller.channel.brand_name or caller.channel.name,
        "room_alias_name": name,
    }
    try:
        room = (await caller.do("POST", path("createRoom"), wanted, wire.Named)).room_id
    except Refused as refused:
        if refused.errcode != "M_ROOM_IN_USE":
            raise
        alias = f"#{name}:{us.partition(':')[2]}"
        room = (await caller.ask(path("directory", "room", alias), wire.Named)).room_id
    await directs.note_room(person, room, caller)
    return room


# ---- changing what stands


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Replace the words of a message of ours. Raises ChannelError."""
    _check(outgoing, channel)
    new = _text(outgoing)
    change = {"rel_type": "m.replace", "event_id": platform_id}
    content: Content = {"msgtype": "m.text", "body": f"* {outgoing.text}", "m.new_content": new, "m.relates_to": change}
    await _put(
        outgoing.thread_key.removesuffix(PRIVATE),
        "m.room.message",
        outgoing.idempotency_key,
        content,
        Caller(channel, tools),
    )


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """React, take it back, or delete ours. What is so already counts as done. Raises ChannelError."""
    if act.verb not in {"react", "unreact", "delete"}:
        raise ChannelError("no_moderation", "Matrix cannot do that.", permanent=True)
    room, caller = act.thread_key.removesuffix(PRIVATE), Caller(channel, tools)
    if act.verb == "react":
        return Moderated(mark=await _react(room, act, caller))
    if act.verb == "delete":
        beside = await _related(room, act.platform_id, "m.reference", caller)
        await _redact(room, [act.platform_id, *(one.event_id for one in _ours(beside, caller))], act, caller)
    else:
        mark = act.mark or await _own_reaction(room, act, caller)
        await _redact(room, [mark] if mark else [], act, caller)
    return Moderated()


async def _react(room: str, act: ModerationAct, caller: Caller) -> str:
    relation = {"rel_type": "m.annotation", "event_id": act.platform_id, "key": act.emoji}
    try:
        return await _put(room, "m.reaction", act.idempotency_key, {"m.relates_to": relation}, caller)
    except Refused as refused:
        if refused.errcode != DUPLICATE:
            raise
        return await _own_reaction(room, act, caller)


async def _own_reaction(room: str, act: ModerationAct, caller: Caller) -> str:
    found = _ours(await _related(room, act.platform_id, "m.annotation", caller), caller)
    return next((one.event_id for one in found if content_of(one).relates_to.key == act.emoji), "")


async def _related(room: str, event_id: str, rel_type: str, caller: Caller) -> tuple[wire.Event, ...]:
    where = path("rooms", room, "relations", event_id, rel_type).replace("/v3/", "/v1/", 1)
    page = await caller.find(where, wire.Page, limit="100")
    return tuple(msgspec.json.decode(raw, type=wire.Event) for raw in page.chunk) if page else ()


def _ours(events: Sequence[wire.Event], caller: Caller) -> list[wire.Event]:
    return [one for one in events if one.sender == caller.channel.account_key]


async def _redact(room: str, events: Sequence[str], act: ModerationAct, caller: Caller) -> None:
    for number, event_id in enumerate(events):
        where = path("rooms", room, "redact", event_id, f"{MARK}{act.idempotency_key}.{number}")
        await caller.do("PUT", where, {}, wire.Named)


async def show_typing(thread_key: str, channel: ChannelView, tools: Tools) -> None:
    """Best effort."""
    where = path("rooms", thread_key.removesuffix(PRIVATE), "typing", channel.account_key)
    try:
        await Caller(channel, tools).do("PUT", where, {"typing": True, "timeout": TYPING_MS}, wire.Nothing)
    except ChannelError:
        return
