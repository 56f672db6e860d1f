"""Generic deliveries: verified by Standard Webhooks, cut into events strictly, then translated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from careline.channels.base import (
    Author,
    ConnectionView,
    Deleted,
    Edited,
    ForeignPayload,
    Happening,
    HookRequest,
    InboundFile,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    SignInRequired,
    ThreadFacts,
    Typed,
    UnknownEvent,
)
from careline.channels.generic import wire
from careline.kit import signing

# Bytes that are no JSON, JSON that is no event, and JSON nested deeper than the interpreter's stack.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_event_decoder = msgspec.json.Decoder(wire.Event)
_envelope_decoder = msgspec.json.Decoder(wire.Envelope)


def verify(request: HookRequest, connection: ConnectionView) -> None:
    """Raise SignInRequired unless the raw body is signed with the channel's secret and fresh."""
    secret = connection.secrets.get("secret", "")
    if not secret:
        raise SignInRequired("secret_missing", "This channel has no signing secret yet.")
    try:
        signing.check_webhook(secret, request.headers, request.body)
    except ValueError as malformed:
        raise SignInRequired("secret_malformed", "The signing secret is not whsec_ followed by base64.") from malformed


def split(request: HookRequest, connection: ConnectionView) -> list[Part]:
    """One part for each event, a batch whole or not at all. Raises ForeignPayload naming the event and the field."""
    if request.method != "POST":
        raise ForeignPayload("Events are posted.")
    return [_part(raw, at, connection.accounts) for at, raw in enumerate(_raw_events(request.body))]


def _raw_events(body: bytes) -> tuple[bytes, ...]:
    try:
        head = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if "events" in head:
            return tuple(bytes(raw) for raw in msgspec.json.decode(body, type=wire.Batch).events)
    except _UNREADABLE as wrong:
        raise ForeignPayload(f"Not an event or a batch of events: {wrong}") from wrong
    return (body,)


def _part(raw: bytes, at: int, accounts: Mapping[str, int]) -> Part:
    envelope = _decode_envelope(raw, at)
    account = _account(envelope.account, at, accounts)
    if envelope.type not in wire.KNOWN:
        key = envelope.event_id or _hash(raw)
        return Part(account, f"event:{key}", f"unknown:{key}", raw)
    event = _decode_event(raw, at)
    return Part(account, _event_key(event, raw), _thread_key(event), raw)


def _decode_envelope(raw: bytes, at: int) -> wire.Envelope:
    try:
        return _envelope_decoder.decode(raw)
    except _UNREADABLE as wrong:
        raise ForeignPayload(f"events[{at}]: {wrong}") from wrong


def _decode_event(raw: bytes, at: int) -> wire.Event:
    try:
        event: wire.Event = _event_decoder.decode(raw)
    except _UNREADABLE as wrong:
        raise ForeignPayload(f"events[{at}]: {wrong}") from wrong
    problem = _problem(event)
    if problem:
        raise ForeignPayload(f"events[{at}]: {problem}")
    return event


def _problem(event: wire.Event) -> str:
    match event:
        case wire.MessageEvent(text="", html="", files=()):
            return "a message needs text, html or files"
        case wire.MessageEvent(files=files) if any(bool(file.url) == bool(file.content) for file in files):
            return "a file has either url or content - `$.files`"
        case wire.ReceiptEvent(id="", idempotency_key=""):
            return "a receipt needs id or idempotency_key"
    return ""


def _account(named: str, at: int, accounts: Mapping[str, int]) -> str:
    if named in accounts:
        return named
    if not named and len(accounts) == 1:
        return next(iter(accounts))
    raise ForeignPayload(f"events[{at}]: no such account - `$.account`")


def _event_key(event: wire.Event, raw: bytes) -> str:
    if event.event_id:
        return f"event:{event.event_id}"
    if isinstance(event, wire.MessageEvent):
        return f"message:{event.id}"
    return f"sha256:{_hash(raw)}"


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _thread_key(event: wire.Event) -> str:
    return event.thread.id if isinstance(event, wire.MessageEvent) else event.thread_id


def normalise(part: Part) -> list[Happening]:
    """Typed happenings of one event. Raises UnknownEvent for a type of a later version."""
    envelope = _decode_envelope(part.raw, 0)
    if envelope.type not in wire.KNOWN:
        raise UnknownEvent(envelope.type)
    return [_happening(_decode_event(part.raw, 0))]


def _happening(event: wire.Event) -> Happening:
    match event:
        case wire.MessageEvent():
            return _said(event)
        case wire.EditEvent():
            return Edited(platform_id=event.id, text=_storable(event.text), at=event.at, html=event.html)
        case wire.DeletionEvent():
            return Deleted(platform_id=event.id, at=event.at)
        case wire.ReceiptEvent():
            return _receipt(event)
        case wire.ReactionEvent():
            return Reacted(platform_id=event.id, author=_author(event.customer), emoji=event.emoji, at=event.at)
        case wire.TypingEvent():
            return Typed(thread_key=event.thread_id, author=_author(event.customer))


def _said(event: wire.MessageEvent) -> Said:
    thread = event.thread
    return Said(
        platform_id=event.id,
        thread_key=thread.id,
        surface="post" if thread.visibility == "public" else "message",
        author=_author(event.customer, is_us=event.ours),
        text=_storable(event.text),
        at=event.at,
        thread=ThreadFacts(thread.subject, thread.url, thread.reach, thread.parent_author, thread.parent_text),
        reply_to=event.reply_to,
        html=_storable(event.html),
        files=tuple(InboundFile(file.name, file.content, file.url, alt_text=file.alt_text) for file in event.files),
        is_addressed=event.addressed,
        automatic="notification" if event.automatic else "",
        is_history=event.history,
        idempotency_key=event.idempotency_key,
        language=event.language,
        facts={**event.facts, **_stated(event.customer.stated)},
    )


def _storable(text: str) -> str:
    # PostgreSQL takes no NUL in text.
    return text.replace("\0", "")


def _author(customer: wire.Customer, *, is_us: bool = False) -> Author:
    return Author(
        key=customer.id,
        handle=customer.handle,
        name=customer.name,
        avatar_url=customer.avatar_url,
        is_us=is_us,
        proven_keys=() if is_us else _proven(customer.proven),
    )


def _proven(keys: wire.Keys) -> tuple[tuple[str, str], ...]:
    found = (("email", keys.email.lower()), ("phone", keys.phone), ("customer", keys.customer_number))
    return tuple((kind, value) for kind, value in found if value)


def _stated(keys: wire.Keys) -> dict[str, str]:
    return {f"stated_{kind}": value for kind, value in _proven(keys)}


def _receipt(event: wire.ReceiptEvent) -> ReceiptSeen:
    return ReceiptSeen(
        state=event.state,
        at=event.at,
        platform_id=event.id,
        idempotency_key=event.idempotency_key,
        error=event.error,
        is_permanent=event.permanent,
    )
