"""Telegram's own words, typed, as far as Careline reads them. Nothing here is interpreted; `inbound` and `outbound` translate.

Source: core.telegram.org/bots/api, Bot API 10.1 of 2026-06-11, read 2026-11-22. Fields Careline does not read are left out.
"""

from __future__ import annotations

import msgspec


class User(msgspec.Struct, frozen=True):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    can_read_all_group_messages: bool = False


class Chat(msgspec.Struct, frozen=True):
    """`type` is private, group, supergroup or channel."""

    id: int
    type: str
    title: str = ""
    username: str = ""
    first_name: str = ""
    last_name: str = ""


class Entity(msgspec.Struct, frozen=True):
    """A marked piece of a text. `offset` and `length` count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str = ""
    user: User | None = None


class Media(msgspec.Struct, frozen=True):
    """Any file: photo size, document, video, audio, voice, animation, sticker. `file_size` 0 means unsaid."""

    file_id: str
    file_name: str = ""
    file_size: int = 0
    emoji: str = ""


class Contact(msgspec.Struct, frozen=True):
    phone_number: str
    first_name: str = ""
    last_name: str = ""


class Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float


class Venue(msgspec.Struct, frozen=True):
    location: Location
    title: str
    address: str


class Poll(msgspec.Struct, frozen=True):
    question: str


class Quote(msgspec.Struct, frozen=True):
    text: str


class Message(msgspec.Struct, frozen=True):
    message_id: int
    date: int
    chat: Chat
    sender: User | None = msgspec.field(name="from", default=None)
    sender_chat: Chat | None = None
    sender_business_bot: User | None = None
    business_connection_id: str = ""
    message_thread_id: int = 0
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    reply_to_message: Message | None = None
    quote: Quote | None = None
    edit_date: int = 0
    text: str = ""
    entities: tuple[Entity, ...] = ()
    caption: str = ""
    caption_entities: tuple[Entity, ...] = ()
    photo: tuple[Media, ...] = ()
    animation: Media | None = None
    document: Media | None = None
    video: Media | None = None
    video_note: Media | None = None
    audio: Media | None = None
    voice: Media | None = None
    sticker: Media | None = None
    contact: Contact | None = None
    venue: Venue | None = None
    location: Location | None = None
    poll: Poll | None = None
    migrate_to_chat_id: int = 0
    migrate_from_chat_id: int = 0


class DeletedMessages(msgspec.Struct, frozen=True):
    business_connection_id: str
    chat: Chat
    message_ids: tuple[int, ...]


class Reaction(msgspec.Struct, frozen=True):
    """`type` is emoji, custom_emoji or paid; only the first names its `emoji`."""

    type: str
    emoji: str = ""


class ReactionChange(msgspec.Struct, frozen=True):
    chat: Chat
    message_id: int
    date: int
    user: User | None = None
    actor_chat: Chat | None = None
    new_reaction: tuple[Reaction, ...] = ()


class BusinessConnection(msgspec.Struct, frozen=True):
    id: str
    is_enabled: bool


class Update(msgspec.Struct, frozen=True):
    """At most one of the optional fields is present."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    business_connection: BusinessConnection | None = None
    business_message: Message | None = None
    edited_business_message: Message | None = None
    deleted_business_messages: DeletedMessages | None = None
    message_reaction: ReactionChange | None = None


class Parameters(msgspec.Struct, frozen=True):
    """Why a request was refused, for machines. Zeros mean unsaid."""

    retry_after: int = 0
    migrate_to_chat_id: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What every method answers. `result` stays raw: each method has its own."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error_code: int = 0
    description: str = ""
    parameters: Parameters = Parameters()


class Accepted(msgspec.Struct, frozen=True):
    """A message of ours as the platform took it."""

    message_id: int
    chat: Chat


class FilePlace(msgspec.Struct, frozen=True):
    """The answer of getFile. `file_path` may be missing for files over 20 MB."""

    file_path: str = ""


class HookState(msgspec.Struct, frozen=True):
    """The answer of getWebhookInfo. `url` is empty where none is set."""

    url: str
    last_error_message: str = ""
    last_error_date: int = 0
