"""What the platform remembers, as rows of its ledger. Times are seconds since 1970."""

from __future__ import annotations

import msgspec


class App(msgspec.Struct, frozen=True):
    """An app registered on the platform: where its webhooks go, and how they are signed."""

    id: str
    hook_url: str
    hook_secret: str
    token: str
    revoked: bool = False


class Account(msgspec.Struct, frozen=True):
    """A brand's account.

    `sending` is what the platform offers after an unknown outcome: lookup, never_retry or safe_retry.
    """

    key: str
    app: str
    name: str
    handle: str
    sending: str = "lookup"


class Persona(msgspec.Struct, frozen=True):
    """Somebody on the platform."""

    id: str
    handle: str
    name: str
    vouched: dict[str, str] = {}


class ThreadRow(msgspec.Struct, frozen=True):
    id: str
    account: str
    place: str
    root_id: str
    author_id: str
    views: int
    moved_at: float


class FileRef(msgspec.Struct, frozen=True):
    id: str
    name: str
    alt: str = ""


class MessageRow(msgspec.Struct, frozen=True):
    """One utterance as the platform keeps it.

    `origin`: customer, api (through our API), elsewhere (the platform's own app). `liked_at`: the account likes it.
    `comment`: the public message that a private reply answers.
    """

    seq: int
    id: str
    thread: str
    account: str
    author_id: str
    origin: str
    text: str
    reply_to: str
    client_key: str
    at: float
    edited_at: float | None
    deleted_at: float | None
    hidden_at: float | None
    state: str
    reactions: dict[str, str]
    files: tuple[FileRef, ...]
    liked_at: float | None = None
    comment: str = ""


class EventRow(msgspec.Struct, frozen=True):
    """One event and how its delivery fares. `acked_at` is set by the first 2xx."""

    seq: int
    id: str
    app: str
    account: str
    kind: str
    body: bytes
    emitted_at: float
    due_at: float
    tries: int
    deliveries: int
    last_status: int
    acked_at: float | None


class RequestRow(msgspec.Struct, frozen=True):
    """One call of `POST messages`, whatever came of it."""

    seq: int
    at: float
    account: str
    client_key: str
    outcome: str


class MailRow(msgspec.Struct, frozen=True):
    """A mail to or from a simulated customer. `id` is its Message-ID with brackets; `is_ours` one that Careline sent."""

    seq: int
    id: str
    at: float
    sender: str
    recipient: str
    subject: str
    text: str
    references: str
    reply_to: str
    is_ours: bool


class NewEvent(msgspec.Struct, frozen=True):
    id: str
    account: str
    kind: str
    body: bytes
    delay_s: float = 0.0
