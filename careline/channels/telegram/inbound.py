"""From Telegram to Careline: the secret in the header, one update a delivery, long polling, and the translation of each kind."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Deleted,
    Edited,
    Fetched,
    FileSource,
    Happening,
    HookRequest,
    Moved,
    Part,
    Reacted,
    Tools,
)
from careline.channels.telegram import calling, hearing, wire
from careline.channels.telegram.places import Place
from careline.errors import ChannelError, ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import clock

SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
WANTED: Final = (
    "message",
    "edited_message",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
)
"""What we ask for. `message_reaction` comes only when asked for, and only where the bot is an administrator."""
POLL_S: Final = 12
PAGE: Final = 100
PAUSE_S: Final = 1.0
SCHEME: Final = "telegram:"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def check_secret(request: HookRequest, connection: ConnectionView) -> None:
    """The header equals the secret given to setWebhook; nothing is signed. Raises SignInRequired."""
    secret = connection.secrets.get("hook_secret", "")
    if not secret:
        raise SignInRequired("secret_missing", "This connection takes no webhooks: it reads by polling.")
    if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode()):
        raise SignInRequired("signature_wrong", "The secret token is missing or wrong.")


def split(body: bytes, connection: ConnectionView) -> list[Part]:
    """A delivery is one update. Raises ForeignPayload."""
    try:
        return [cut(body, next(iter(connection.accounts), ""))]
    except _UNREADABLE as broken:
        raise ForeignPayload("This is not an update of the Bot API.") from broken


def cut(raw: bytes, account_key: str) -> Part:
    """One update as a journal row. Raises msgspec.DecodeError.

    An `update_id` may come again after a week of silence, when the next is drawn by chance (Update, Bot API 10.1), so the bytes join the id.
    """
    update = msgspec.json.decode(raw, type=wire.Update)
    digest = hashlib.blake2b(raw, digest_size=8).hexdigest()
    return Part(account_key, f"{update.update_id}:{digest}", _order_key(update) or account_key, raw)


def _order_key(update: wire.Update) -> str:
    for one in (update.message, update.edited_message, update.business_message, update.edited_business_message):
        if one is not None:
            return _chat_of(one).chat
    deleted, reacted = update.deleted_business_messages, update.message_reaction
    if deleted is not None:
        return Place(deleted.chat.id, business=deleted.business_connection_id).chat
    return str(reacted.chat.id) if reacted is not None else ""


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """getUpdates for ever. Asking from an offset tells Telegram that everything before it is kept, so the offset moves after the journal."""
    kept = cursor.get("offset", 0)
    offset = kept if isinstance(kept, int) else 0
    while True:
        asked_s = time.monotonic()
        raws = await _updates(channel, offset, tools)
        if raws:
            parts = tuple(cut(bytes(raw), channel.account_key) for raw in raws)
            offset = max(int(part.platform_event_id.partition(":")[0]) for part in parts) + 1
            yield Fetched(parts, {"offset": offset})
        elif time.monotonic() - asked_s < PAUSE_S:
            # A server that does not wait for news must not be asked all the time.
            await asyncio.sleep(PAUSE_S)


async def _updates(channel: ChannelView, offset: int, tools: Tools) -> tuple[msgspec.Raw, ...]:
    wanted = {"offset": offset or None, "limit": PAGE, "timeout": POLL_S, "allowed_updates": WANTED}
    try:
        return await calling.call("getUpdates", wanted, channel, tools, tuple[msgspec.Raw, ...])
    except ChannelError as error:
        error.outcome_unknown = False
        raise


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds we did not ask for, ForeignPayload for what cannot be read."""
    try:
        update = msgspec.json.decode(raw, type=wire.Update)
    except _UNREADABLE as broken:
        raise ForeignPayload(f"This is not an update of the Bot API: {broken}"[:200]) from broken
    for kind, translate in _KINDS.items():
        told = getattr(update, kind)
        if told is not None:
            return translate(told, channel)
    raise UnknownEvent("update")


def _message(message: wire.Message, channel: ChannelView) -> list[Happening]:
    moved = _moved(message)
    if moved is not None:
        return [moved]
    said = hearing.said_of(message, channel)
    return [said] if said is not None else []


def _moved(message: wire.Message) -> Moved | None:
    """A group became a supergroup with another number. Both chats are told."""
    before, after = message.migrate_from_chat_id or message.chat.id, message.migrate_to_chat_id or message.chat.id
    return Moved(str(before), str(after), _at(message.date)) if before != after else None


def _edited(message: wire.Message, channel: ChannelView) -> list[Happening]:
    key = _chat_of(message).message_key(message.message_id)
    return [Edited(key, hearing.words_of(message), _at(message.edit_date or message.date))]


def _deleted(told: wire.DeletedMessages, channel: ChannelView) -> list[Happening]:
    place = Place(told.chat.id, business=told.business_connection_id)
    return [Deleted(place.message_key(number), clock.now()) for number in told.message_ids]


def _reacted(told: wire.ReactionChange, channel: ChannelView) -> list[Happening]:
    """People who do not pay have one reaction on a message; of several the first is shown."""
    emoji = next((one.emoji for one in told.new_reaction if one.emoji), "")
    who = hearing.author_of(told.user, told.actor_chat, channel)
    if who is None or (told.new_reaction and not emoji):
        return []
    return [Reacted(Place(told.chat.id).message_key(told.message_id), who, emoji, _at(told.date))]


def _connected(told: wire.BusinessConnection, channel: ChannelView) -> list[Happening]:
    """An account of the house was connected to the bot, or taken away: its chats say the rest."""
    return []


_KINDS: Final[Mapping[str, Callable[..., list[Happening]]]] = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "deleted_business_messages": _deleted,
    "message_reaction": _reacted,
    "business_connection": _connected,
}


def _chat_of(message: wire.Message) -> Place:
    return Place(message.chat.id, business=message.business_connection_id)


def _at(seconds: int) -> datetime:
    return clock.from_epoch(seconds)


async def locate_file(address: str, channel: ChannelView, tools: Tools) -> FileSource:
    """Where the bytes of `telegram:<file id>` are, for an hour at least. Raises ChannelError.

    At most 20 MB at api.telegram.org (getFile, Bot API 10.1). A server of one's own in local mode names a place on its own disk instead.
    """
    try:
        found = await calling.call("getFile", {"file_id": address.removeprefix(SCHEME)}, channel, tools, wire.FilePlace)
    except calling.Refused as refused:
        if "too big" in refused.description.lower():
            raise ChannelError("too_large", "Telegram gives bots no files over 20 MB.", permanent=True) from refused
        raise
    if not found.file_path or found.file_path.startswith("/"):
        raise ChannelError("file_not_served", "The Bot API server does not serve this file.", permanent=True)
    token = channel.secrets.get("token", "")
    return FileSource(calling.address(channel, f"file/bot{token}/{found.file_path}"))
