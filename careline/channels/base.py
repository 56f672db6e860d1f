"""The contract: what a network's folder provides, and the typed words that cross the border in both directions.

A network never touches the database, never decides who a person is or which case a message joins, never retries. It verifies, splits and
translates what arrives, and translates and sends what leaves. Guarantees it may rely on: `normalise` sees each journal row at least once
and must be pure; `send` is called once per attempt, after the attempt is committed.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from careline.channels.capabilities import AttachmentKind, AuthorKind, Capabilities
from careline.errors import ChannelError, ForeignPayload, InputRefused, SignInRequired, UnknownEvent
from careline.kit.http import GuardedClient

_PARAMETER = re.compile(r"\{\{([^{}]+)\}\}")
__all__ = ["ChannelError", "ForeignPayload", "InputRefused", "SignInRequired", "UnknownEvent"]


# ---- what the core tells a network -------------------------------------------------------------------------------------------


class HookRequest(msgspec.Struct, frozen=True):
    """One HTTP delivery, untouched: raw body bytes, raw URL, headers with lower-case names."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = {}
    client_address: str = ""


class ConnectionView(msgspec.Struct, frozen=True):
    """An app and its secrets, as a network sees it. `accounts` maps account keys to channel ids."""

    id: int
    workspace_id: int
    network: str
    secrets: Mapping[str, str]
    accounts: Mapping[str, int]


class ChannelView(msgspec.Struct, frozen=True):
    """One connected account, as a network sees it. `settings` are the values of `Network.fields`; secrets are decrypted."""

    id: int
    workspace_id: int
    network: str
    account_key: str
    name: str
    handle: str
    settings: Mapping[str, object]
    secrets: Mapping[str, str]
    brand_name: str = ""
    is_simulated: bool = False
    signing_key: bytes = b""
    """32 bytes bound to this installation and channel: for Message-IDs, plus-addresses, visitor tokens."""
    history_before: datetime | None = None
    """Messages from before this moment are history (`Said.is_history`); None where the network need not care."""

    def setting(self, name: str, default: str = "") -> str:
        """A setting as text."""
        value = self.settings.get(name, default)
        return value if isinstance(value, str) else str(value)


# ---- what a network tells the core: inbound ------------------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True):
    """One event cut out of a delivery, not yet interpreted: one journal row.

    (channel, platform_event_id) is unique for ever, so it must be the platform's own id of the event, or a hash of its bytes. Rows with
    the same `order_key` (normally the thread) are digested in the order they were journalled.
    """

    account_key: str
    platform_event_id: str
    order_key: str
    raw: bytes


class HookAnswer(msgspec.Struct, frozen=True):
    """What the platform gets back instead of a plain 200."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class Author(msgspec.Struct, frozen=True):
    """Who spoke. `key` is stable within the surface's identity scope; `is_us` marks our own account (a self-echo)."""

    key: str
    handle: str = ""
    name: str = ""
    avatar_url: str = ""
    is_us: bool = False
    proven_keys: tuple[tuple[str, str], ...] = ()
    """Exact keys the platform vouches for, as (kind, value): ("email", ...), ("phone", "+34..."), ("customer", ...). They link; claims in text never do."""


class UnnamedAuthor(msgspec.Struct, frozen=True):
    """Somebody known by key alone: whom `who_is` is asked about. `platform_id` names a message of theirs on the surface, for platforms
    that tell a message's author and not a key's owner."""

    key: str
    surface: str
    thread_key: str
    platform_id: str


class AuthorFacts(msgspec.Struct, frozen=True):
    """What the platform says of an author. A handle alone is a name too; neither: it does not tell."""

    name: str = ""
    handle: str = ""
    avatar_url: str = ""


class InboundFile(msgspec.Struct, frozen=True):
    """A file that came along: its bytes, or an address to fetch after the digest."""

    name: str
    content: bytes = b""
    url: str = ""
    content_id: str = ""
    is_inline: bool = False
    alt_text: str = ""


class ThreadFacts(msgspec.Struct, frozen=True):
    """What is known of the conversation. `reach` is people who can have seen it (views), 0 when unknown."""

    subject: str = ""
    permalink: str = ""
    reach: int = 0
    parent_author: str = ""
    parent_text: str = ""


Automatic = Literal["", "auto_reply", "bounce", "list", "notification"]


class Said(msgspec.Struct, frozen=True, tag="said"):
    """A message. `platform_id` is unique on the channel; `thread_key` names the conversation on the channel.

    `is_addressed` is False for a bystander's word in a public thread: shown, but it opens no case. `reply_to` is a platform id.
    `continues` is a thread id of ours proven by a signature (mail's plus-address, a signed link). A private message that continues a public thread
    stays in its own, and joins the case that its author has in that thread; somebody else who followed the link joins none. `suggests` names one that is only likely.
    `is_history` messages are older than the connection: they open done cases, start no clock, send nothing.
    `at` is the platform's time; the core clamps times from the future.
    """

    platform_id: str
    thread_key: str
    surface: str
    author: Author
    text: str
    at: datetime
    thread: ThreadFacts = ThreadFacts()
    reply_to: str = ""
    html: str = ""
    quoted_text: str = ""
    files: tuple[InboundFile, ...] = ()
    is_addressed: bool = True
    automatic: Automatic = ""
    continues: int = 0
    suggests: int = 0
    is_history: bool = False
    idempotency_key: str = ""
    recipients: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    reply_address: str = ""
    language: str = ""
    aliases: tuple[str, ...] = ()
    """Other platform ids under which replies may name this message (a mail's References)."""
    facts: Mapping[str, str] = {}
    """Small extra facts for the thread view (authentication verdict, booking reference from a form; `unreadable: encrypted`). Never secrets."""
    on_behalf: bool = False
    """An agent logged what the customer said (phone, counter)."""
    is_summons: bool = True
    """On surfaces with reply_rule `author_must_mention_us`: the author named or quoted us, so the platform takes our answer."""
    joins_reply: bool = False
    """It stands in the thread of the message it replies to, where that is here; `thread_key` is where it stands otherwise. For platforms whose
    replies name a message and not its conversation."""


class Edited(msgspec.Struct, frozen=True, tag="edited"):
    """The author changed a message. `aliases` are ids it has besides, where the platform gives each version its own."""

    platform_id: str
    text: str
    at: datetime
    html: str = ""
    aliases: tuple[str, ...] = ()


class Deleted(msgspec.Struct, frozen=True, tag="deleted"):
    """The author deleted a message: its words must go everywhere."""

    platform_id: str
    at: datetime


class ReceiptSeen(msgspec.Struct, frozen=True, tag="receipt"):
    """A sign of arrival for a message of ours, found by platform id or by our idempotency key; or, where neither is given,
    for everything of ours in the thread `thread_key` up to `at`.
    """

    state: Literal["sent", "delivered", "read", "failed"]
    at: datetime
    platform_id: str = ""
    idempotency_key: str = ""
    recipient: str = ""
    error: str = ""
    is_permanent: bool = True
    thread_key: str = ""


class Reacted(msgspec.Struct, frozen=True, tag="reacted"):
    """A reaction was set, or taken back (`emoji` empty)."""

    platform_id: str
    author: Author
    emoji: str
    at: datetime


class Typed(msgspec.Struct, frozen=True, tag="typed"):
    """Someone is typing. Never journalled by networks that can tell it apart; fades by itself."""

    thread_key: str
    author: Author


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """New reach of a public thread."""

    thread_key: str
    reach: int
    at: datetime


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """The platform gave a conversation another key: what was said under `thread_key` goes on under `to`."""

    thread_key: str
    to: str
    at: datetime


class AccessLost(msgspec.Struct, frozen=True, tag="access_lost"):
    """The platform says our access ended: the channel becomes unauthorised and its owners are told."""

    reason: str
    at: datetime


Happening = Said | Edited | Deleted | ReceiptSeen | Reacted | Typed | Counted | Moved | AccessLost


class Fetched(msgspec.Struct, frozen=True):
    """What `listen` found: parts, and the cursor that commits together with them."""

    parts: tuple[Part, ...]
    cursor: Mapping[str, object]


class KnownMessage(msgspec.Struct, frozen=True):
    """Somebody's message that the desk holds: what `recheck` is asked about."""

    platform_id: str
    thread_key: str
    surface: str


# ---- what the core tells a network: outbound -----------------------------------------------------------------------------------


class OutgoingFile(msgspec.Struct, frozen=True):
    """A file to send; `read` gives its plain bytes."""

    name: str
    content_type: str
    size_bytes: int
    read: Callable[[], Awaitable[bytes]]
    content_id: str = ""
    alt_text: str = ""


class MessageTemplate(msgspec.Struct, frozen=True):
    """A text the platform has approved, for writing where a free one is not allowed (a closed window, a first word).

    `key` names it to the platform for ever, `language` is BCP 47. `body` holds each of `parameters` as `{{parameter}}`;
    `examples` are one value each. `heading`, `footer` and `buttons` are words that go along and cannot be changed. `media` is the kind of file
    it begins with, which the writer brings each time.
    """

    key: str
    name: str
    language: str
    body: str
    parameters: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    category: str = ""
    heading: str = ""
    footer: str = ""
    buttons: tuple[str, ...] = ()
    media: AttachmentKind | None = None

    def filled(self, values: Mapping[str, str]) -> str:
        """The body with these values; a parameter without one stays as it is written."""
        return _PARAMETER.sub(lambda found: values.get(found[1].strip(), found[0]), self.body)


class TemplateUse(msgspec.Struct, frozen=True):
    """A template as one delivery sends it: `values` in the order of its parameters, whose names stand beside them. With `media` the file it begins
    with is the one in `Outgoing.files`.
    """

    key: str
    name: str
    language: str
    parameters: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    media: AttachmentKind | None = None


class Outgoing(msgspec.Struct, frozen=True):
    """One delivery to one recipient. `idempotency_key` is the same at every attempt of the same delivery."""

    delivery_id: int
    idempotency_key: str
    attempt: int
    surface: str
    thread_id: int
    thread_key: str
    recipient: str
    text: str
    author_kind: AuthorKind
    html: str = ""
    subject: str = ""
    reply_to: str = ""
    references: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    agent_name: str = ""
    language: str = ""
    facts: Mapping[str, str] = {}
    written_at: datetime | None = None
    answers_comment: str = ""
    """Platform id of the public message that a private one answers: set where no private conversation is open yet, so
    that only the public word lets us write (a private reply, a private mention). Empty otherwise."""
    template: TemplateUse | None = None
    """Set where the writer chose an approved template: it is sent instead of `text`, which is the same filled in."""


class Sent(msgspec.Struct, frozen=True):
    """The platform took it. `platform_id` may be empty where the result comes by receipt (result: async_status)."""

    platform_id: str
    at: datetime | None = None
    aliases: tuple[str, ...] = ()
    thread_key: str = ""


ModerationVerb = Literal["hide", "unhide", "like", "unlike", "react", "unreact", "delete", "edit"]
"""What we do to a message that stands. `delete` and `edit` are for ours only, and `edit` comes as `Network.edit`; the others come in pairs that undo
each other.
"""


class ModerationAct(msgspec.Struct, frozen=True):
    """One act on one message. `idempotency_key` is the same at every attempt; `emoji` goes with react and unreact.

    `mark` is what `moderate` gave back for the act that this one undoes, where the platform needs it (the record of a
    like, the event of a reaction); empty when it gave none.
    """

    verb: ModerationVerb
    platform_id: str
    surface: str
    thread_key: str
    idempotency_key: str
    attempt: int = 1
    emoji: str = ""
    mark: str = ""


class Moderated(msgspec.Struct, frozen=True):
    """The platform did it. `mark` names what it made of it, for the act that undoes it."""

    mark: str = ""


class Health(msgspec.Struct, frozen=True):
    """A live check in plain words, translated by the screen through `code`."""

    ok: bool
    code: str = "ok"
    detail: str = ""


class Introduced(msgspec.Struct, frozen=True):
    """What the platform says of an account when it is connected. What is empty stays as the administrator typed it.

    `settings` and `secrets` are kept beside the typed ones: a server's limits, a session got for a password, a secret
    made for the hook. `secrets_end_at` only where a person must renew them.
    """

    account_key: str = ""
    name: str = ""
    handle: str = ""
    settings: Mapping[str, object] = {}
    secrets: Mapping[str, str] = {}
    secrets_end_at: datetime | None = None


class Renewed(msgspec.Struct, frozen=True):
    """Secrets the platform gave for old ones. `end_at` only where a person must renew the next time."""

    secrets: Mapping[str, str]
    end_at: datetime | None = None


class FileSource(msgspec.Struct, frozen=True):
    """Where a file's bytes are now. Headers go to this host alone; neither they nor the address are kept or logged."""

    url: str
    headers: Mapping[str, str] = {}


Renew = Callable[["ChannelView"], Awaitable[Renewed]]
Renewing = Callable[["ChannelView", Renew], Awaitable["ChannelView"]]


async def renew_in_memory(channel: ChannelView, renew: Renew) -> ChannelView:
    """For an account that is not connected yet: nothing is stored."""
    renewed = await renew(channel)
    return msgspec.structs.replace(channel, secrets={**channel.secrets, **renewed.secrets})


class Tools(msgspec.Struct, frozen=True):
    """What a network may use for its work: the guarded client, and the renewal of secrets.

    `await tools.renew(channel, ask)` gives the channel with secrets newer than its own: those another task has stored
    meanwhile, or those `ask` gets, stored before they are used. `ask` runs once at a time for a connection, in all
    processes, so a refresh token that works once is not spent twice.
    """

    http: GuardedClient
    renew: Renewing = renew_in_memory


class SettingField(msgspec.Struct, frozen=True):
    """A field of the guided connection page. `kind` secret is stored encrypted and never shown again."""

    name: str
    label: str
    kind: Literal["text", "secret", "number", "choice", "flag", "address"] = "text"
    required: bool = True
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


class Network(ABC):
    """One platform. Stateless: everything it needs comes in its arguments."""

    slug: str
    name: str
    icon: str = "chat"
    fields: tuple[SettingField, ...] = ()
    capabilities: Capabilities

    def effective(self, channel: ChannelView) -> Capabilities:
        """Capabilities of this account, where plan or server decides; else the declared ones. Must be quick and pure."""
        return self.capabilities

    # connecting

    async def introduce(self, channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
        """Called once when a channel is connected, and again when its secrets are changed: who the account is, what its server allows, and the
        platform's subscription to `hook_url`. Where the platform knocks there before it agrees (`inbound.handshake`) it is called twice when connecting:
        with an empty `hook_url` before the channel is there to answer, and with the address once it is. Must be harmless to repeat.
        Raises ChannelError with a code the settings page has words for.
        """
        return Introduced()

    # inbound, pushed

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        """Raise SignInRequired unless the raw bytes were signed with this connection's secret and are fresh."""
        raise SignInRequired("no_hook", f"{self.name} takes no webhooks.")

    def answer_challenge(self, request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
        """The platform's handshake, answered before `verify`; None when this request is none."""
        return None

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        """Cut a verified delivery into events without interpreting more. Raises ForeignPayload for bytes of something else."""
        raise ForeignPayload(f"{self.name} takes no webhooks.")

    # inbound, fetched

    def listens(self, channel: ChannelView) -> bool:
        """Whether `listen` is wanted for this channel."""
        return False

    def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        """Yield what is new since `cursor`, for ever (IDLE, sync, stream, poll). Each Fetched is journalled durably before the next is asked for.

        Raises ChannelError; the reader reconnects with backoff. At least once: after a crash it starts again from the last committed cursor.
        """
        raise NotImplementedError

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        """For surfaces whose delete.duty is `recheck`: parts for what happened to these messages of others since (gone, changed), nothing for
        those that stand. Asked about at most 100 at a time, again and again while they are kept. Raises ChannelError; never guesses.
        """
        return ()

    # inbound, both

    @abstractmethod
    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        """Raw to typed. Pure. Raises UnknownEvent (accepted, counted) or ForeignPayload (dead letter); any other error is a dead letter too."""

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        """For files whose InboundFile.url is `<slug>:...`, because they need a token or a question first. Called just before each fetch."""
        raise ChannelError("no_files", "This network's files have plain addresses.", permanent=True)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        """For surfaces whose identity.names is `asked`: the name of somebody who came without one. Changes nothing on the platform. Asked after
        the digest, a few a second for each account, once for each identity.

        Raises ChannelError with its facts set: `permanent` where the platform will not tell (they have not consented, they blocked us, they are
        gone), which is an answer and no failure; `unauthorised` as everywhere; anything else is asked again, later and later.
        """
        raise ChannelError("no_names", "This network tells names by itself.", permanent=True)

    # outbound

    @abstractmethod
    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        """One attempt. Raises ChannelError with its facts set; anything else counts as outcome unknown."""

    async def look_up(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
        """For `unknown_outcome: lookup`: the message if the platform has it, None when it surely does not. Raises ChannelError if it cannot be told."""
        raise ChannelError("no_lookup", "This network cannot be asked.", outcome_unknown=True)

    async def templates(self, channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
        """The texts that may be sent now where a surface says `templates_required_after_window`. Asked when the account is connected, and every
        hour. Raises ChannelError.
        """
        return ()

    async def edit(self, platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
        """Change a message of ours, where the surface's edit.out: `outgoing` is it, with its new text. Must be harmless to repeat: words that stand
        there already count as changed. Raises ChannelError with its facts set, as `send` does.
        """
        raise ChannelError("no_edit", "This network cannot edit.", permanent=True)

    async def moderate(self, act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
        """Hide, like, react, delete ours, and back, where the surface's moderation, reactions.outbound and delete.out say so.

        One attempt, after it is committed; never two at once on the same message. What is so already (hidden, liked,
        gone) counts as done. Raises ChannelError with its facts set, as `send` does; an unknown outcome is repeated where
        moderation.repeatable, else a person is asked.
        """
        raise ChannelError("no_moderation", "This network cannot do that.", permanent=True)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:  # noqa: B027 - optional
        """Tell the customer that someone types, where capabilities.typing.outbound. Best effort."""

    async def check(self, channel: ChannelView, tools: Tools) -> Health:
        """A live check of secrets and reach, for the settings page and `careline doctor`. Never raises."""
        return Health(ok=True)

    def private_link(self, channel: ChannelView, thread_id: int) -> str:
        """For `private_way: link`: the address at which somebody who spoke in the public thread begins a private conversation with us. Their first
        message there says `continues` with this thread. Quick and pure; empty where the account has none.
        """
        return ""

    def page_tag(self, base_url: str, hook_token: str) -> str:
        """The script tag an administrator puts on their own pages; empty for networks without one."""
        return ""

    def address_problem(self, value: str) -> str:
        """Why an address cannot be written to on this network, as a code; empty when it can."""
        return ""
