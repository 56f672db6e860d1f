"""From WhatsApp to Careline: messages, edits, revocations, echoes and signs of arrival, cut apart and translated. Pure.

People are known by `user_id`, which is theirs towards one business, else by number: who has a user name may show no number (business-scoped
user IDs, Meta, live since 2026; read 2026-11-22). Conversations go by number where there is one, because signs of arrival always name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    Happening,
    InboundFile,
    Moved,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
)
from careline.channels.meta import calling, hooks
from careline.channels.meta.hooks import storable
from careline.channels.meta.whatsapp import wire
from careline.errors import UnknownEvent
from careline.kit import clock

FILE: Final = "whatsapp:"
_ENDINGS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/amr": "amr",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "application/pdf": "pdf",
}
_STATES: Final = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}


def cut(entry: hooks.Entry) -> Iterable[Part]:
    """A row for each message and each status; what belongs to no number of ours has the business account's id."""
    for change in entry.told():
        value = msgspec.json.decode(change.value, type=wire.Value)
        account = value.metadata.phone_number_id
        if not account or not (value.messages or value.statuses or value.message_echoes):
            yield Part(
                account or entry.id, hooks.digest(change.field, change.value), account, b'{"kind":"","event":{}}'
            )
            continue
        for raw in value.messages:
            yield _message_part(raw, value, "message")
        for raw in value.message_echoes:
            yield _message_part(raw, value, "echo")
        for raw in value.statuses:
            yield _status_part(raw, value)


def _message_part(raw: msgspec.Raw, value: wire.Value, kind: str) -> Part:
    message = msgspec.json.decode(raw, type=wire.Message)
    contact = _contact_of(message, value.contacts)
    us = value.metadata.phone_number_id
    row = wire.Row(kind, raw, contact, us)
    return Part(us, f"{message.id}:{message.type}", _thread_of(message, contact), msgspec.json.encode(row))


def _contact_of(message: wire.Message, known: tuple[wire.Contact, ...]) -> wire.Contact:
    keys = {message.sender, message.from_user_id, message.to, message.to_user_id} - {""}
    return next((one for one in known if {one.wa_id, one.user_id} & keys), wire.Contact())


def _thread_of(message: wire.Message, contact: wire.Contact) -> str:
    phone = message.to if message.to or message.to_user_id else message.sender
    return message.group_id or phone or message.to_user_id or message.from_user_id or contact.wa_id or contact.user_id


def _status_part(raw: msgspec.Raw, value: wire.Value) -> Part:
    status = msgspec.json.decode(raw, type=wire.Status)
    us = value.metadata.phone_number_id
    who = status.recipient_id or status.recipient_user_id
    row = wire.Row("status", raw, us=us)
    return Part(us, f"{status.id}:{status.status}:{who}", who, msgspec.json.encode(row))


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = hooks.decode(raw, wire.Row)
    if row.kind == "status":
        return [_receipt(hooks.decode(row.event, wire.Status))]
    if row.kind not in {"message", "echo"}:
        raise UnknownEvent("account news")
    message = hooks.decode(row.event, wire.Message)
    if message.group_id:
        raise UnknownEvent("group message")
    return [_KINDS.get(message.type, _said)(message, row)]


def _said(message: wire.Message, row: wire.Row) -> Happening:
    text, files = words_of(message), files_of(message)
    if not text and not files:
        raise UnknownEvent(f"message {message.type}"[:60])
    return Said(
        platform_id=message.id,
        thread_key=_thread_of(message, row.contact),
        surface="dm",
        author=_author(message, row),
        text=text,
        at=clock.from_epoch(int(message.timestamp)),
        reply_to=message.context.id if message.context else "",
        files=files,
        quoted_text=_came_from(message.referral),
    )


def _came_from(referral: wire.Referral | None) -> str:
    """The advertisement or post that led here, as what is answered."""
    told = (referral.headline, referral.body, referral.source_url) if referral is not None else ()
    return storable("\n".join(one for one in told if one))


def _author(message: wire.Message, row: wire.Row) -> Author:
    if row.kind == "echo":
        return Author(key=row.us, is_us=True)
    phone = message.sender or row.contact.wa_id
    key = message.from_user_id or row.contact.user_id or phone
    username = row.contact.profile.username
    number = f"+{phone}" if phone else ""
    return Author(
        key=key,
        handle=f"@{username}" if username else number,
        name=storable(row.contact.profile.name) or number,
        proven_keys=(("phone", number),) if number else (),
    )


def words_of(message: wire.Message) -> str:
    """What was written or chosen; a place, a contact or an order in words."""
    media = media_of(message)
    choice = _choice(message)
    if message.text is not None:
        return storable(message.text.body)
    if message.location is not None:
        return storable(_place(message.location))
    if message.contacts:
        return storable("\n".join(_card(card) for card in message.contacts))
    if message.order is not None:
        return storable("\n".join((*([message.order.text] if message.order.text else []), *_items(message.order))))
    return storable(media.caption if media is not None else choice)


def _choice(message: wire.Message) -> str:
    """What was tapped."""
    if message.button is not None:
        return message.button.text
    told = message.interactive
    chosen = (told.list_reply or told.button_reply or told.nfm_reply) if told is not None else None
    return ", ".join(one for one in (chosen.title, chosen.description, chosen.body) if one) if chosen else ""


def _place(place: wire.Location) -> str:
    """A geo URI (RFC 5870, June 2010)."""
    spot = f"geo:{place.latitude},{place.longitude}"
    named = ", ".join(one for one in (place.name, place.address) if one)
    return f"{named} ({spot})" if named else spot


def _card(card: wire.Card) -> str:
    return " ".join((card.name.formatted_name, *(one.phone for one in card.phones)))


def _items(order: wire.Order) -> list[str]:
    return [
        f"{one.quantity} × {one.product_retailer_id} ({one.item_price:g} {one.currency})" for one in order.product_items
    ]


def media_of(message: wire.Message) -> wire.Media | None:
    return message.image or message.video or message.audio or message.document or message.sticker


def files_of(message: wire.Message) -> tuple[InboundFile, ...]:
    """Its bytes need a question with the token: `locate_file`."""
    media = media_of(message)
    if media is None or not media.id:
        return ()
    ending = _ENDINGS.get(media.mime_type.partition(";")[0].strip(), "bin")
    return (InboundFile(media.filename or f"{message.type}.{ending}", url=f"{FILE}{media.id}"),)


def _edited(message: wire.Message, row: wire.Row) -> Happening:
    change = message.edit
    if change is None or change.message is None:
        raise UnknownEvent("edit")
    at = clock.from_epoch(int(message.timestamp))
    return Edited(change.original_message_id, words_of(change.message), at)


def _revoked(message: wire.Message, row: wire.Row) -> Happening:
    if message.revoke is None:
        raise UnknownEvent("revoke")
    return Deleted(message.revoke.original_message_id, clock.from_epoch(int(message.timestamp)))


def _reacted(message: wire.Message, row: wire.Row) -> Happening:
    if message.reaction is None:
        raise UnknownEvent("reaction")
    at = clock.from_epoch(int(message.timestamp))
    return Reacted(message.reaction.message_id, _author(message, row), message.reaction.emoji, at)


def _system(message: wire.Message, row: wire.Row) -> Happening:
    """The customer has a new number: the conversation goes on there."""
    if message.system is None or not message.system.wa_id or not message.sender:
        raise UnknownEvent("system")
    return Moved(message.sender, message.system.wa_id, clock.from_epoch(int(message.timestamp)))


_KINDS: Final[dict[str, Callable[[wire.Message, wire.Row], Happening]]] = {
    "edit": _edited,
    "revoke": _revoked,
    "reaction": _reacted,
    "system": _system,
}


def _receipt(status: wire.Status) -> ReceiptSeen:
    state = _STATES.get(status.status)
    if state is None:
        raise UnknownEvent(f"status {status.status}"[:60])
    problem = status.errors[0] if status.errors else wire.Problem()
    told = problem.error_data.details or problem.title
    return ReceiptSeen(
        state=state,  # type: ignore[arg-type] # one of the four, by the table
        at=clock.from_epoch(int(status.timestamp)),
        platform_id=status.id,
        idempotency_key=status.biz_opaque_callback_data,
        error=(told or calling.failure_of(problem.code))[:300] if status.errors else "",
    )
