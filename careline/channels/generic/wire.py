"""The generic channel's own words, typed: what callers post to us and what we post to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Key = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(max_length=160)]
Handle = Annotated[str, Meta(max_length=200)]
OptionalKey = Annotated[str, Meta(max_length=200)]
Address = Annotated[str, Meta(max_length=2000)]
Text = Annotated[str, Meta(max_length=100_000)]
Email = Annotated[str, Meta(max_length=254, pattern=r"^([^@\s]+@[^@\s]+)?$")]
# E.164 (ITU-T E.164, 2010-11): a plus sign and at most fifteen digits.
Phone = Annotated[str, Meta(pattern=r"^(\+[1-9][0-9]{5,14})?$")]
At = Annotated[datetime, Meta(tz=True)]
MOST_FILES = 20
MOST_EVENTS = 500


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A misspelt field is refused, not silently dropped."""


class Keys(_Strict, frozen=True, kw_only=True):
    """Exact keys of a customer: `proven` ones the caller vouches for, `stated` ones the customer merely said."""

    email: Email = ""
    phone: Phone = ""
    customer_number: Annotated[str, Meta(max_length=200)] = ""


class Customer(_Strict, frozen=True, kw_only=True):
    """Who spoke. `id` is the caller's stable id of that person."""

    id: Key
    name: Name = ""
    handle: Handle = ""
    avatar_url: Address = ""
    proven: Keys = Keys()
    stated: Keys = Keys()


class Conversation(_Strict, frozen=True, kw_only=True):
    """The thread. `parent` is the post a comment hangs under."""

    id: Key
    visibility: Literal["private", "public"] = "private"
    subject: Annotated[str, Meta(max_length=400)] = ""
    url: Address = ""
    reach: Annotated[int, Meta(ge=0)] = 0
    parent_author: Handle = ""
    parent_text: Text = ""


class File(_Strict, frozen=True, kw_only=True):
    """A file by address or by content (base64 in JSON); exactly one of the two."""

    name: Annotated[str, Meta(min_length=1, max_length=160)]
    url: Annotated[str, Meta(max_length=2000, pattern=r"^(https?://.+)?$")] = ""
    content: bytes = b""
    alt_text: Annotated[str, Meta(max_length=1000)] = ""


class _Event(_Strict, frozen=True, kw_only=True, tag_field="type"):
    """What every event may carry. Without `event_id` a message is known by its id, anything else by its bytes."""

    account: Key = ""
    event_id: Key = ""


class MessageEvent(_Event, frozen=True, kw_only=True, tag="message"):
    """A customer said something; with `ours`, somebody of us did, elsewhere (an echo)."""

    id: Key
    thread: Conversation
    customer: Customer
    at: At
    text: Text = ""
    html: Annotated[str, Meta(max_length=500_000)] = ""
    reply_to: OptionalKey = ""
    language: Annotated[str, Meta(max_length=8)] = ""
    addressed: bool = True
    ours: bool = False
    automatic: bool = False
    history: bool = False
    idempotency_key: OptionalKey = ""
    files: Annotated[tuple[File, ...], Meta(max_length=MOST_FILES)] = ()
    facts: Annotated[
        dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=400)]], Meta(max_length=20)
    ] = {}


class EditEvent(_Event, frozen=True, kw_only=True, tag="edit"):
    """The author changed message `id` of `thread_id`."""

    id: Key
    thread_id: Key
    text: Text
    at: At
    html: Annotated[str, Meta(max_length=500_000)] = ""


class DeletionEvent(_Event, frozen=True, kw_only=True, tag="deletion"):
    """The author deleted message `id` of `thread_id`."""

    id: Key
    thread_id: Key
    at: At


class ReceiptEvent(_Event, frozen=True, kw_only=True, tag="receipt"):
    """How a message of ours fared: named by the id the receiver gave it, or by our idempotency key."""

    state: Literal["sent", "delivered", "read", "failed"]
    at: At
    thread_id: Key
    id: OptionalKey = ""
    idempotency_key: OptionalKey = ""
    error: Annotated[str, Meta(max_length=300)] = ""
    permanent: bool = True


class ReactionEvent(_Event, frozen=True, kw_only=True, tag="reaction"):
    """A reaction to message `id` of `thread_id`; an empty emoji takes it back."""

    id: Key
    thread_id: Key
    customer: Customer
    at: At
    emoji: Annotated[str, Meta(max_length=40)] = ""


class TypingEvent(_Event, frozen=True, kw_only=True, tag="typing"):
    """The customer is typing."""

    thread_id: Key
    customer: Customer
    at: At


Event = MessageEvent | EditEvent | DeletionEvent | ReceiptEvent | ReactionEvent | TypingEvent
KNOWN = frozenset({"message", "edit", "deletion", "receipt", "reaction", "typing"})


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several events in one delivery, in order, each still raw."""

    events: Annotated[tuple[msgspec.Raw, ...], Meta(min_length=1, max_length=MOST_EVENTS)]


class Envelope(msgspec.Struct, frozen=True):
    """Just enough of an event to know whether this version understands it."""

    type: str
    account: Key = ""
    event_id: Key = ""


def schema() -> dict[str, object]:
    """JSON Schema 2020-12 of a delivery. schema.json is this, kept equal by a test."""
    events = [MessageEvent, EditEvent, DeletionEvent, ReceiptEvent, ReactionEvent, TypingEvent]
    found, components = msgspec.json.schema_components(events, ref_template="#/$defs/{name}")
    batch = {
        "type": "object",
        "required": ["events"],
        "additionalProperties": False,
        "properties": {
            "events": {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": {"$ref": "#/$defs/Event"}}
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Careline generic channel: a delivery",
        "anyOf": [{"$ref": "#/$defs/Event"}, batch],
        "$defs": {**components, "Event": {"oneOf": list(found)}},
    }


# ---- what we post to the configured address


class SentFile(msgspec.Struct, frozen=True):
    """A file of ours, content in base64."""

    name: str
    content_type: str
    size_bytes: int
    content: bytes


class OutMessage(msgspec.Struct, frozen=True, tag="message"):
    """An agent's message. The same bytes at every attempt.

    Where it begins a conversation `thread_id` is empty, and `answers` is the public message that it answers in private.
    """

    idempotency_key: str
    account: str
    thread_id: str
    visibility: str
    recipient: str
    text: str
    html: str
    reply_to: str
    language: str
    agent_name: str
    author_kind: str
    files: tuple[SentFile, ...]
    written_at: datetime | None
    answers: str = ""


class OutEdit(msgspec.Struct, frozen=True, tag="edit"):
    """An agent changed message `id`."""

    id: str
    account: str
    thread_id: str
    text: str
    html: str


class OutDeletion(msgspec.Struct, frozen=True, tag="deletion"):
    """An agent took message `id` back."""

    id: str
    account: str
    thread_id: str


class OutTyping(msgspec.Struct, frozen=True, tag="typing"):
    """An agent is typing."""

    account: str
    thread_id: str


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """A live check: answer any 2xx."""

    account: str


class Taken(msgspec.Struct, frozen=True):
    """What the receiver may answer: its name of the message, and of the conversation that it began."""

    id: Annotated[str, Meta(max_length=200)] = ""
    thread_id: Annotated[str, Meta(max_length=200)] = ""
