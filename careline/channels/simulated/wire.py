"""The simulated platform's own words, typed. Nothing here is interpreted; `inbound` and `outbound` translate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Place = Literal["post", "comment", "dm"]
"""Where a thread stands: under a customer's post, under a post of the account's own, or in private."""


class Delivery(msgspec.Struct, frozen=True):
    """One webhook: events of any accounts of one app, in any order, perhaps seen before."""

    delivery: str
    events: tuple[msgspec.Raw, ...]


class Page(msgspec.Struct, frozen=True):
    """An answer of `GET events`: events after a position, oldest first, and the position to ask from next."""

    events: tuple[msgspec.Raw, ...]
    next: int


class Envelope(msgspec.Struct, frozen=True):
    """What every event has. `thread` is empty where an event belongs to the account as a whole."""

    id: str
    account: str
    kind: str
    at: Moment
    thread: str = ""


class Speaker(msgspec.Struct, frozen=True):
    """Someone on the platform. `vouched` holds what the platform itself has proven (`email`, `phone`, `customer`)."""

    id: str
    handle: str = ""
    name: str = ""
    avatar: str = ""
    vouched: Mapping[str, str] = {}


class FileLink(msgspec.Struct, frozen=True):
    """A file that can be fetched; a small one is also here whole, as base64."""

    name: str
    url: str
    alt: str = ""
    content: bytes = b""


class Conversation(msgspec.Struct, frozen=True):
    """The thread an utterance stands in. `root_id` and `author_id` name its first post; `views` is its reach."""

    place: Place
    author_id: str = ""
    author_name: str = ""
    root_id: str = ""
    text: str = ""
    permalink: str = ""
    views: int = 0


class Utterance(msgspec.Struct, frozen=True):
    """One post, comment, reply or direct message. `client_key` is what an app sent along with it."""

    id: str
    author: Speaker
    text: str
    reply_to: str = ""
    reply_to_author: str = ""
    mentions: tuple[str, ...] = ()
    files: tuple[FileLink, ...] = ()
    client_key: str = ""


class MessageCreated(Envelope, frozen=True, kw_only=True):
    conversation: Conversation
    message: Utterance


class MessageEdited(Envelope, frozen=True, kw_only=True):
    message_id: str
    text: str


class MessageDeleted(Envelope, frozen=True, kw_only=True):
    message_id: str


class ReceiptChanged(Envelope, frozen=True, kw_only=True):
    """How a message of the account fares. `is_final` says that a failure will not mend itself."""

    state: Literal["sent", "delivered", "read", "failed"]
    message_id: str = ""
    client_key: str = ""
    recipient: str = ""
    error: str = ""
    is_final: bool = True


class ReactionChanged(Envelope, frozen=True, kw_only=True):
    """`emoji` empty means the reaction was taken back."""

    message_id: str
    author: Speaker
    emoji: str = ""


class TypingShown(Envelope, frozen=True, kw_only=True):
    author: Speaker


class ViewsCounted(Envelope, frozen=True, kw_only=True):
    views: int


class AccessRevoked(Envelope, frozen=True, kw_only=True):
    reason: str = ""


class NewMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of `POST messages`. `to` names a person for the first direct message; afterwards `thread` does.

    `comment` is the public message that a direct one answers where no conversation is open: once for each. `template` is
    the id of an approved text, `values` what stands in its places: it may be sent when no window is open.
    """

    account: str
    place: Literal["reply", "dm"]
    text: str
    client_key: str
    thread: str = ""
    to: str = ""
    reply_to: str = ""
    files: tuple[str, ...] = ()
    written_by: Literal["human", "machine"] = "human"
    comment: str = ""
    template: str = ""
    values: tuple[str, ...] = ()


class Accepted(msgspec.Struct, frozen=True):
    """The platform took a message."""

    id: str
    thread: str
    at: Moment
    client_key: str = ""


class ApprovedTemplate(msgspec.Struct, frozen=True):
    """A text the platform has approved; each of `parameters` stands in `body` as `{{parameter}}`; with `media` a file goes along."""

    id: str
    name: str
    language: str
    body: str
    parameters: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    media: Literal["", "image"] = ""


class Approved(msgspec.Struct, frozen=True):
    """Answer of `GET templates`."""

    templates: tuple[ApprovedTemplate, ...]


class Found(msgspec.Struct, frozen=True):
    """Answer of `GET messages?client_key=`."""

    messages: tuple[Accepted, ...]


class Refusal(msgspec.Struct, frozen=True):
    """Body of a 4xx: a stable word, and a sentence for people."""

    error: str = "refused"
    message: str = ""


class Uploaded(msgspec.Struct, frozen=True):
    id: str


class Me(msgspec.Struct, frozen=True):
    """Answer of `GET me`: the accounts a token serves."""

    accounts: tuple[str, ...]
