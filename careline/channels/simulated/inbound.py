"""From the simulated platform to Careline: signature, handshake, cutting apart, translating, looking for gaps."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from careline.channels.base import (
    AccessLost,
    Author,
    AuthorFacts,
    ChannelView,
    ConnectionView,
    Counted,
    Deleted,
    Edited,
    Fetched,
    Happening,
    HookAnswer,
    HookRequest,
    InboundFile,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    ThreadFacts,
    Tools,
    Typed,
    UnnamedAuthor,
)
from careline.channels.simulated import calling, setup, wire
from careline.errors import ChannelError, ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import http, signing

PAGE: Final = 200
# Bytes that are no JSON, JSON that is something else, and JSON nested deeper than the stack.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_E = TypeVar("_E", bound=wire.Envelope)


def check_signature(request: HookRequest, connection: ConnectionView) -> None:
    """Standard Webhooks over the raw body. Raises SignInRequired."""
    secret = connection.secrets.get("hook_secret", "")
    if not secret:
        raise SignInRequired("secret_missing", "This connection has no hook secret.")
    try:
        signing.check_webhook(secret, request.headers, request.body)
    except ValueError as malformed:
        raise SignInRequired("secret_malformed", "The hook secret is not whsec_ followed by base64.") from malformed


def answer_challenge(request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
    """`GET ?challenge=` is answered with its HMAC, which shows that we hold the secret without saying it."""
    challenge = request.query.get("challenge", "")
    if request.method != "GET" or not challenge:
        return None
    key = signing.webhook_secret_bytes(connection.secrets.get("hook_secret", ""))
    proof = base64.b64encode(signing.sign(key, b"challenge." + challenge.encode())).decode()
    return HookAnswer(200, msgspec.json.encode({"response": proof}), "application/json")


def split(body: bytes, accounts: frozenset[str]) -> list[Part]:
    """Events of accounts we serve. Raises ForeignPayload for other bytes, and when none is of an account of ours."""
    try:
        parts = [cut(raw) for raw in msgspec.json.decode(body, type=wire.Delivery).events]
    except _UNREADABLE as broken:
        raise ForeignPayload("This is not a delivery of the simulated network.") from broken
    ours = [part for part in parts if part.account_key in accounts]
    if parts and not ours:
        raise ForeignPayload("No event of this delivery belongs to an account of this connection.")
    return ours


def cut(raw: msgspec.Raw) -> Part:
    """One event as a journal row. Raises msgspec.DecodeError."""
    event = msgspec.json.decode(raw, type=wire.Envelope)
    return Part(event.account, event.id, event.thread or event.account, bytes(raw))


async def listen(channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
    """What webhooks missed: pages after the cursor, at once, then every `gap_check_s` seconds. Raises ChannelError."""
    after = cursor.get("after", 0)
    position = after if isinstance(after, int) else 0
    while True:
        page = await _page(channel, position, tools)
        if page.events:
            position = page.next
            yield Fetched(tuple(cut(raw) for raw in page.events), {"after": position})
        if len(page.events) < PAGE:
            await asyncio.sleep(setup.gap_check_s(channel))


async def _page(channel: ChannelView, after: int, tools: Tools) -> wire.Page:
    query = urlencode({"account": channel.account_key, "after": after, "limit": PAGE})
    try:
        answer = await tools.http.request(
            "GET", calling.address(channel, f"events?{query}"), headers=calling.headers(channel)
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as broken:
        raise ChannelError("unreachable", "The platform could not be reached.") from broken
    if answer.status != 200:
        raise calling.refusal(answer)
    return calling.read(answer, wire.Page)


async def who_is(author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
    """The name of somebody whose event bore none. Raises ChannelError."""
    path = f"people/{quote(author.key, safe='')}?{urlencode({'account': channel.account_key})}"
    where, headers = calling.address(channel, path), calling.headers(channel)
    answer = await http.send_once(tools.http, "GET", where, headers=headers, body=b"")
    if answer.status != 200:
        raise calling.refusal(answer)
    person = calling.read(answer, wire.Speaker)
    return AuthorFacts(_storable(person.name), _storable(person.handle), person.avatar)


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    kind = _read(raw, wire.Envelope).kind
    translate = _KINDS.get(kind)
    if translate is None:
        raise UnknownEvent(kind[:60])
    return translate(raw, channel)


def _said(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.MessageCreated)
    message, conversation = event.message, event.conversation
    said = Said(
        platform_id=message.id,
        thread_key=event.thread,
        surface=_surface(conversation, message),
        author=_author(message.author, channel),
        text=_storable(message.text),
        at=event.at,
        thread=_facts(conversation, message),
        reply_to=message.reply_to,
        files=tuple(_file(file) for file in message.files),
        is_addressed=_is_addressed(conversation, message, channel.account_key),
        idempotency_key=message.client_key,
    )
    return [said]


def _file(file: wire.FileLink) -> InboundFile:
    if file.content:
        return InboundFile(file.name, content=file.content, alt_text=file.alt)
    return InboundFile(file.name, url=file.url, alt_text=file.alt)


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in text."""
    return text.replace("\0", "")


def _surface(conversation: wire.Conversation, message: wire.Utterance) -> str:
    if conversation.place == "post" and message.id != conversation.root_id:
        return "reply"
    return conversation.place


def _facts(conversation: wire.Conversation, message: wire.Utterance) -> ThreadFacts:
    is_root = message.id == conversation.root_id
    return ThreadFacts(
        permalink=conversation.permalink,
        reach=conversation.views,
        parent_author="" if is_root else conversation.author_name,
        parent_text="" if is_root else conversation.text,
    )


def _is_addressed(conversation: wire.Conversation, message: wire.Utterance, account: str) -> bool:
    """A bystander speaks to someone else in public; whoever began the thread always speaks to us."""
    if conversation.place == "dm" or account in message.mentions or message.reply_to_author == account:
        return True
    if conversation.place == "comment":
        return message.reply_to_author in {"", account, message.author.id}
    return message.author.id == conversation.author_id


def _author(speaker: wire.Speaker, channel: ChannelView) -> Author:
    return Author(
        key=speaker.id,
        handle=speaker.handle,
        name=speaker.name,
        avatar_url=speaker.avatar,
        is_us=speaker.id == channel.account_key,
        proven_keys=tuple(sorted(speaker.vouched.items())),
    )


def _edited(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.MessageEdited)
    return [Edited(event.message_id, _storable(event.text), event.at)]


def _deleted(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.MessageDeleted)
    return [Deleted(event.message_id, event.at)]


def _receipt(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.ReceiptChanged)
    seen = ReceiptSeen(
        state=event.state,
        at=event.at,
        platform_id=event.message_id,
        idempotency_key=event.client_key,
        recipient=event.recipient,
        error=event.error,
        is_permanent=event.is_final,
    )
    return [seen]


def _reacted(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.ReactionChanged)
    return [Reacted(event.message_id, _author(event.author, channel), event.emoji, event.at)]


def _typed(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.TypingShown)
    return [Typed(event.thread, _author(event.author, channel))]


def _counted(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.ViewsCounted)
    return [Counted(event.thread, event.views, event.at)]


def _access_lost(raw: bytes, channel: ChannelView) -> list[Happening]:
    event = _read(raw, wire.AccessRevoked)
    return [AccessLost(event.reason or "revoked", event.at)]


_KINDS: Final[Mapping[str, Callable[[bytes, ChannelView], list[Happening]]]] = {
    "message.created": _said,
    "message.edited": _edited,
    "message.deleted": _deleted,
    "receipt.changed": _receipt,
    "reaction.changed": _reacted,
    "typing.shown": _typed,
    "views.counted": _counted,
    "access.revoked": _access_lost,
}


def _read(raw: bytes, kind: type[_E]) -> _E:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE as broken:
        raise ForeignPayload(f"This is not an event of the simulated network: {broken}"[:200]) from broken
