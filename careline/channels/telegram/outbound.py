"""From Careline to Telegram: messages with files, edits, reactions, deletions, typing. Telegram knows no idempotency and cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.telegram import calling, wire
from careline.channels.telegram.calling import Refused
from careline.channels.telegram.places import Place, message_of, place_of
from careline.channels.telegram.rules import CAPABILITIES, CAPTION_UNITS, PHOTO_BYTES
from careline.errors import ChannelError
from careline.kit import counting
from careline.kit.multipart import Upload

Parameters = dict[str, object]
# Kind of file -> method and parameter that send it alone.
_METHODS: Final = {
    "photo": "sendPhoto",
    "video": "sendVideo",
    "audio": "sendAudio",
    "document": "sendDocument",
}
_PHOTOS: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
_AUDIO: Final = frozenset({"audio/mpeg", "audio/mp4", "audio/x-m4a"})


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post once; a group that has become a supergroup refuses before it takes anything, so the new one is tried at once. Raises ChannelError."""
    _check_length(outgoing)
    place = place_of(outgoing.thread_key or outgoing.recipient)
    try:
        taken = await _post(outgoing, place, channel, tools)
    except Refused as refused:
        if not refused.moved_to:
            raise
        place = Place(refused.moved_to)
        taken = await _post(outgoing, place, channel, tools)
    keys = [place.message_key(one.message_id) for one in taken]
    return Sent(keys[0], aliases=tuple(keys[1:]), thread_key=place.thread_key)


def _check_length(outgoing: Outgoing) -> None:
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} characters.", permanent=True)
    if outgoing.files and counting.measure(outgoing.text, rule.unit) > CAPTION_UNITS:
        raise ChannelError("caption_too_long", f"With files at most {CAPTION_UNITS} characters.", permanent=True)


async def _post(outgoing: Outgoing, place: Place, channel: ChannelView, tools: Tools) -> tuple[wire.Accepted, ...]:
    where = _where(outgoing, place)
    if not outgoing.files:
        given = {**where, "text": outgoing.text}
        return (await calling.call("sendMessage", given, channel, tools, wire.Accepted),)
    uploads = [await _upload(file, f"file{number}") for number, file in enumerate(outgoing.files)]
    kinds = _kinds(outgoing.files)
    if len(uploads) > 1:
        album = _album(uploads, kinds, outgoing.text)
        return await calling.call(
            "sendMediaGroup", {**where, "media": album}, channel, tools, tuple[wire.Accepted, ...], files=uploads
        )
    kind = kinds[0]
    given = {**where, kind: f"attach://{uploads[0].field}", "caption": outgoing.text or None}
    return (await calling.call(_METHODS[kind], given, channel, tools, wire.Accepted, files=uploads),)


def _where(outgoing: Outgoing, place: Place) -> Parameters:
    return {
        "chat_id": place.chat_id,
        "message_thread_id": place.topic or None,
        "business_connection_id": place.business or None,
        "reply_parameters": _reply(outgoing, place),
    }


def _reply(outgoing: Outgoing, place: Place) -> Parameters | None:
    """In public an answer hangs on what it answers, or on the post; between two people that would only repeat their words."""
    if not CAPABILITIES.surface(outgoing.surface).is_public:
        return None
    chat, number = message_of(outgoing.reply_to) if outgoing.reply_to else (place, 0)
    answered = number if chat.chat_id == place.chat_id and number else place.post
    return {"message_id": answered, "allow_sending_without_reply": True} if answered else None


async def _upload(file: OutgoingFile, field: str) -> Upload:
    return Upload(field, file.name, file.content_type, await file.read())


def _kinds(files: Sequence[OutgoingFile]) -> list[str]:
    """How each file goes: an album holds photos and videos together, or only audio, or only documents (sendMediaGroup, Bot API 10.1)."""
    kinds = [_kind(file) for file in files]
    return kinds if set(kinds) <= {"photo", "video"} or len(set(kinds)) == 1 else ["document"] * len(kinds)


def _kind(file: OutgoingFile) -> str:
    if file.content_type in _PHOTOS and file.size_bytes <= PHOTO_BYTES:
        return "photo"
    if file.content_type == "video/mp4":
        return "video"
    return "audio" if file.content_type in _AUDIO else "document"


def _album(uploads: Sequence[Upload], kinds: Sequence[str], text: str) -> list[Parameters]:
    """The caption of the first is shown for all."""
    album: list[Parameters] = [
        {"type": kind, "media": f"attach://{upload.field}"} for kind, upload in zip(kinds, uploads, strict=True)
    ]
    if text:
        album[0]["caption"] = text
    return album


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Change a message of ours, or the words under its file. What says so already is done."""
    _check_length(outgoing)
    place, number = message_of(platform_id)
    method, field = ("editMessageCaption", "caption") if outgoing.files else ("editMessageText", "text")
    where = {
        "chat_id": place.chat_id,
        "message_id": number,
        "business_connection_id": place.business or None,
    }
    await _done_if("not modified", method, {**where, field: outgoing.text}, channel, tools)


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """React, or delete ours. What is so already is done."""
    rules = CAPABILITIES.surface(act.surface)
    can = rules.delete.out if act.verb == "delete" else rules.reactions.outbound and act.verb in {"react", "unreact"}
    if not can:
        raise ChannelError("no_moderation", "Telegram's bots cannot do that.", permanent=True)
    place, number = message_of(act.platform_id)
    if act.verb == "delete":
        await _delete(place, number, channel, tools)
    else:
        await _react(place, number, act.emoji if act.verb == "react" else "", channel, tools)
    return Moderated()


async def _delete(place: Place, number: int, channel: ChannelView, tools: Tools) -> None:
    if place.business:
        given: Parameters = {"business_connection_id": place.business, "message_ids": [number]}
        await _done_if("not found", "deleteBusinessMessages", given, channel, tools)
        return
    given = {"chat_id": place.chat_id, "message_id": number}
    await _done_if("message to delete not found", "deleteMessage", given, channel, tools)


async def _react(place: Place, number: int, emoji: str, channel: ChannelView, tools: Tools) -> None:
    """An empty list takes ours back; a bot has one reaction on a message."""
    reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
    given: Parameters = {"chat_id": place.chat_id, "message_id": number, "reaction": reaction}
    await calling.call("setMessageReaction", given, channel, tools, object)


async def _done_if(words: str, method: str, given: Parameters, channel: ChannelView, tools: Tools) -> None:
    try:
        await calling.call(method, given, channel, tools, object)
    except Refused as refused:
        if words not in refused.description.lower():
            raise


async def show_typing(thread_key: str, channel: ChannelView, tools: Tools) -> None:
    """Shown for 5 seconds at most (sendChatAction). Best effort."""
    try:
        place = place_of(thread_key)
        given: Parameters = {
            "chat_id": place.chat_id,
            "message_thread_id": place.topic or None,
            "business_connection_id": place.business or None,
            "action": "typing",
        }
        await calling.call("sendChatAction", given, channel, tools, object)
    except ChannelError:
        return
