"""`m.direct`: with whom the account speaks alone, and where. Kept in its account data, so that its other clients know it too.

Source: Client-Server API v1.18, "Direct Messaging" (spec.matrix.org, read 2026-11-22).
"""

from __future__ import annotations

from careline.channels.matrix import wire
from careline.channels.matrix.calling import Caller, path


async def shared_room(person: str, caller: Caller) -> str:
    """The newest room in which both are, and nobody else; empty when there is none."""
    for room in reversed((await _directs(caller)).get(person, [])):
        if await people_in(room, caller) == {person, caller.channel.account_key}:
            return room
    return ""


async def note_room(person: str, room: str, caller: Caller) -> None:
    """This room is for speaking with this person. Harmless to repeat."""
    known = await _directs(caller)
    if room not in known.get(person, []):
        told = {**known, person: [*known.get(person, []), room]}
        await caller.do("PUT", _where(caller), told, wire.Nothing)


async def people_in(room: str, caller: Caller) -> frozenset[str]:
    """Who has entered it; nobody where we are not in it."""
    found = await caller.find(path("rooms", room, "joined_members"), wire.Members)
    return frozenset(found.joined) if found else frozenset()


async def _directs(caller: Caller) -> dict[str, list[str]]:
    return await caller.find(_where(caller), dict[str, list[str]]) or {}


def _where(caller: Caller) -> str:
    return path("user", caller.channel.account_key, "account_data", "m.direct")
