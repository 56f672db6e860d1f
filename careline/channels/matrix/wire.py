"""Matrix's own words, typed, as far as Careline reads them, and the row that the journal keeps. Nothing here is interpreted.

Source: Matrix Client-Server API v1.18 (spec.matrix.org, its OpenAPI files and event schemas), read 2026-11-22. What others write (`content`) stays
raw until it is translated: whatever a stranger puts there must not stop the reading of everything else.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

NOTHING: Final = msgspec.Raw(b"{}")


class Unsigned(msgspec.Struct, frozen=True):
    """`transaction_id` only on what our own device sent."""

    transaction_id: str = ""


class Event(msgspec.Struct, frozen=True):
    """An event of a room, without what it says. Before room version 11 `redacts` stands here, later in the content."""

    type: str
    event_id: str = ""
    sender: str = ""
    origin_server_ts: int = 0
    content: msgspec.Raw = NOTHING
    redacts: str = ""
    state_key: str = ""
    unsigned: Unsigned = Unsigned()


class Named(msgspec.Struct, frozen=True):
    """What was made or is meant: an event, a room, or a file's address."""

    event_id: str = ""
    room_id: str = ""
    content_uri: str = ""


class Relation(msgspec.Struct, frozen=True):
    """`m.relates_to`: m.replace, m.thread, m.annotation (with its `key`), or only a reply."""

    rel_type: str = ""
    event_id: str = ""
    key: str = ""
    is_falling_back: bool = False
    in_reply_to: Named = msgspec.field(name="m.in_reply_to", default=Named())


class Mentions(msgspec.Struct, frozen=True):
    user_ids: tuple[str, ...] = ()


class Content(msgspec.Struct, frozen=True):
    """What an event says. `mentions` None is a client that never says whom it names."""

    msgtype: str = ""
    body: str = ""
    format: str = ""
    formatted_body: str = ""
    filename: str = ""
    url: str = ""
    geo_uri: str = ""
    redacts: str = ""
    is_direct: bool = False
    relates_to: Relation = msgspec.field(name="m.relates_to", default=Relation())
    mentions: Mentions | None = msgspec.field(name="m.mentions", default=None)
    new_content: msgspec.Raw = msgspec.field(name="m.new_content", default=NOTHING)


class Timeline(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] = ()
    limited: bool = False
    prev_batch: str = ""


class SyncedRoom(msgspec.Struct, frozen=True):
    timeline: Timeline = Timeline()
    ephemeral: Timeline = Timeline()


class Invited(msgspec.Struct, frozen=True):
    """A room we are invited to, as far as it shows itself."""

    invite_state: Timeline = Timeline()


class SyncedRooms(msgspec.Struct, frozen=True):
    join: dict[str, SyncedRoom] = {}
    leave: dict[str, SyncedRoom] = {}
    invite: dict[str, Invited] = {}


class Sync(msgspec.Struct, frozen=True):
    next_batch: str
    rooms: SyncedRooms = SyncedRooms()


class Page(msgspec.Struct, frozen=True):
    """Of /messages and /relations."""

    chunk: tuple[msgspec.Raw, ...] = ()
    end: str = ""


class Receipt(msgspec.Struct, frozen=True):
    ts: int = 0


class ReceiptEvent(msgspec.Struct, frozen=True):
    """`m.receipt`: by the event up to which somebody has read, the kind of receipt, and the reader."""

    content: dict[str, dict[str, dict[str, Receipt]]] = {}


class Member(msgspec.Struct, frozen=True):
    display_name: str | None = None


class Members(msgspec.Struct, frozen=True):
    joined: dict[str, Member] = {}

    def name_of(self, person: str) -> str:
        """As they call themselves; empty where they do not, or have left."""
        return self.joined.get(person, Member()).display_name or ""


class RoomState(msgspec.Struct, frozen=True):
    """Of `m.room.name` or of `m.room.join_rules`."""

    name: str = ""
    join_rule: str = ""


class Whoami(msgspec.Struct, frozen=True):
    user_id: str
    device_id: str = ""


class Login(msgspec.Struct, frozen=True):
    """Of /login and of /refresh, which says no user and may keep the refresh token."""

    access_token: str
    user_id: str = ""
    device_id: str = ""
    refresh_token: str = ""


class Versions(msgspec.Struct, frozen=True):
    versions: tuple[str, ...]


class WellKnown(msgspec.Struct, frozen=True):
    homeserver: dict[str, str] = msgspec.field(name="m.homeserver", default_factory=dict)


class MediaLimits(msgspec.Struct, frozen=True):
    size: int = msgspec.field(name="m.upload.size", default=0)


class Refusal(msgspec.Struct, frozen=True):
    errcode: str = ""
    retry_after_ms: int = 0


class Nothing(msgspec.Struct, frozen=True):
    """An answer that says no more than that it was done."""


class Room(msgspec.Struct, frozen=True):
    """A room as it was when something was said there. `people` are the joined members."""

    id: str
    name: str = ""
    people: int = 0
    is_private: bool = False


class Row(msgspec.Struct, frozen=True):
    """What the journal keeps of one event. `name` is the sender's; `above` wrote what it answers or changes. The rest is for a reaction taken back
    (`emoji` is what is left of that person's on the message) and for a receipt.
    """

    kind: Literal["event", "unreact", "read"]
    room: Room
    event: msgspec.Raw = NOTHING
    name: str = ""
    above: str = ""
    target: str = ""
    sender: str = ""
    emoji: str = ""
    at_ms: int = 0
