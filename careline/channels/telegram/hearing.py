"""What one Telegram message says, to whom, and where it stands: text with its links, files, author, thread. Pure."""

from __future__ import annotations

from typing import Final

from careline.channels.base import Author, ChannelView, InboundFile, Said, ThreadFacts
from careline.channels.telegram import linking, wire
from careline.channels.telegram.places import Place
from careline.errors import UnknownEvent
from careline.kit import clock

START: Final = "/start"
_SUPERGROUP: Final = "-100"
# Field of a message -> the name its file gets where it brings none.
_FILES: Final = {
    "animation": "animation.mp4",
    "document": "document",
    "video": "video.mp4",
    "video_note": "video.mp4",
    "audio": "audio.mp3",
    "voice": "voice.ogg",
    "sticker": "sticker.webp",
}


def said_of(message: wire.Message, channel: ChannelView) -> Said | None:
    """The message as the desk hears it; None for a bare /start, which a button writes. Raises UnknownEvent where it holds nothing we can show."""
    words, files = words_of(message), files_of(message)
    author = author_of(message.sender, message.sender_chat, channel, message)
    surface, place = surface_of(message), place_of(message)
    if author is None or not (words or files):
        raise UnknownEvent("message")
    continues = _arrived_from(words, channel) if surface == "dm" else 0
    if surface == "dm" and words.partition(" ")[0] == START:
        if not continues:
            return None
        words = START
    reply, at = message.reply_to_message, clock.from_epoch(message.date)
    return Said(
        platform_id=place.message_key(message.message_id),
        thread_key=place.thread_key,
        surface=surface,
        author=author,
        text=words,
        at=at,
        thread=_facts(message, surface),
        reply_to=place.message_key(reply.message_id) if reply is not None else "",
        quoted_text=message.quote.text if message.quote is not None else "",
        files=files,
        is_addressed=surface in {"dm", "business"} or _is_to_us(message, surface, channel),
        continues=continues,
        is_history=_is_history(message.date, channel),
        joins_reply=surface == "group" and reply is not None and bool(message.message_thread_id) and not place.topic,
    )


def _is_history(date: int, channel: ChannelView) -> bool:
    """Telegram tells whole seconds: what was said in the second of the connection is news."""
    return channel.history_before is not None and date < int(channel.history_before.timestamp())


def _arrived_from(words: str, channel: ChannelView) -> int:
    command, _, payload = words.partition(" ")
    return linking.thread_of(payload.strip(), channel) if command == START else 0


def surface_of(message: wire.Message) -> str:
    """dm, business, group, or comment: a word under a channel's post in its discussion group."""
    if message.business_connection_id:
        return "business"
    if message.chat.type == "private":
        return "dm"
    return "comment" if _post_of(message) else "group"


def place_of(message: wire.Message) -> Place:
    """The thread. Only forum topics are conversations of their own: other thread ids count replies in a chat."""
    topic = message.message_thread_id if message.is_topic_message else 0
    return Place(message.chat.id, topic, 0 if topic else _post_of(message), message.business_connection_id)


def _post_of(message: wire.Message) -> int:
    """The channel post this stands under: itself, or the one it answers. A comment on a comment names only that: it joins it by `joins_reply`."""
    if message.is_automatic_forward:
        return message.message_id
    reply = message.reply_to_message
    return reply.message_id if reply is not None and reply.is_automatic_forward else 0


def words_of(message: wire.Message) -> str:
    """The text or caption with the addresses behind its links; else what a place, a contact or a poll says in words."""
    if message.text or message.caption:
        written = message.text or message.caption
        return _with_links(written, message.entities or message.caption_entities)
    if message.contact is not None:
        one = message.contact
        return " ".join(part for part in (one.first_name, one.last_name, one.phone_number) if part)
    if message.venue is not None:
        return f"{message.venue.title}, {message.venue.address} ({_spot(message.venue.location)})"
    if message.location is not None:
        return _spot(message.location)
    if message.poll is not None:
        return message.poll.question
    return message.sticker.emoji if message.sticker is not None else ""


def _spot(location: wire.Location) -> str:
    """A geo URI (RFC 5870, June 2010)."""
    return f"geo:{location.latitude},{location.longitude}"


def _with_links(text: str, entities: tuple[wire.Entity, ...]) -> str:
    """An address hidden behind words stands after them: the agent must see where a link leads."""
    for one in sorted(entities, key=lambda one: one.offset, reverse=True):
        if one.type == "text_link" and one.url and one.url.rstrip("/") != _piece(text, one).rstrip("/"):
            end = one.offset + one.length
            text = f"{_cut(text, 0, end)} ({one.url}){_cut(text, end, None)}"
    return text


def _piece(text: str, entity: wire.Entity) -> str:
    return _cut(text, entity.offset, entity.offset + entity.length)


def _cut(text: str, start: int, end: int | None) -> str:
    """By UTF-16 code units, as entities count."""
    units = text.encode("utf-16-le")
    return units[2 * start : None if end is None else 2 * end].decode("utf-16-le", "ignore")


def files_of(message: wire.Message) -> tuple[InboundFile, ...]:
    """Photos come in several sizes, the largest last; an animation comes as a document, too."""
    found = [InboundFile("photo.jpg", url=f"telegram:{message.photo[-1].file_id}")] if message.photo else []
    for field, name in _FILES.items():
        media = getattr(message, field)
        if media is not None and not (field == "document" and message.animation is not None):
            found.append(InboundFile(media.file_name or name, url=f"telegram:{media.file_id}"))
    return tuple(found)


def author_of(
    user: wire.User | None, chat: wire.Chat | None, channel: ChannelView, message: wire.Message | None = None
) -> Author | None:
    """A person, or the chat they speak for; None for what nobody said."""
    if chat is not None:
        return Author(str(chat.id), chat.username, chat.title, is_us=message is not None and _is_house(message, chat))
    if user is None:
        return None
    name = f"{user.first_name} {user.last_name}".strip()
    is_us = str(user.id) == channel.account_key or (message is not None and _is_staff(message, user))
    return Author(str(user.id), f"@{user.username}" if user.username else "", name, is_us=is_us)


def _is_house(message: wire.Message, chat: wire.Chat) -> bool:
    """The group's own anonymous administrators, and the channel whose discussion it is."""
    return message.is_automatic_forward or chat.id == message.chat.id


def _is_staff(message: wire.Message, user: wire.User) -> bool:
    """In a chat of a connected account, whoever is not the customer is the account's owner or a bot of theirs."""
    return bool(message.business_connection_id) and user.id != message.chat.id


def _is_to_us(message: wire.Message, surface: str, channel: ChannelView) -> bool:
    """In public: it names the bot, replies to it, is a command for it, or answers the brand's own post."""
    reply = message.reply_to_message
    if reply is not None and reply.sender is not None and str(reply.sender.id) == channel.account_key:
        return True
    if surface == "comment" and reply is not None and reply.is_automatic_forward:
        return True
    text = message.text or message.caption
    return any(_names_us(text, one, channel) for one in message.entities or message.caption_entities)


def _names_us(text: str, entity: wire.Entity, channel: ChannelView) -> bool:
    handle = f"@{channel.setting('username')}".lower()
    piece = _piece(text, entity).lower()
    if entity.type == "text_mention":
        return entity.user is not None and str(entity.user.id) == channel.account_key
    if entity.type == "bot_command":
        return "@" not in piece or piece.endswith(handle)
    return entity.type == "mention" and piece == handle


def _facts(message: wire.Message, surface: str) -> ThreadFacts:
    if surface in {"dm", "business"}:
        return ThreadFacts()
    post = message.reply_to_message if surface == "comment" else None
    return ThreadFacts(
        subject=message.chat.title,
        permalink=permalink_of(message.chat, message.message_id),
        parent_author=post.sender_chat.title if post is not None and post.sender_chat is not None else "",
        parent_text=words_of(post) if post is not None else "",
    )


def permalink_of(chat: wire.Chat, message_id: int) -> str:
    """Where members see it; basic groups have no addresses. Source: github.com/LonamiWebs/Telethon/wiki/Special-links, read 2026-11-22."""
    if chat.username:
        return f"https://t.me/{chat.username}/{message_id}"
    number = str(chat.id)
    return f"https://t.me/c/{number.removeprefix(_SUPERGROUP)}/{message_id}" if number.startswith(_SUPERGROUP) else ""
