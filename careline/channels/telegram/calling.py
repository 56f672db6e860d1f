"""One call of a Bot API method: its address, JSON or multipart, and what its refusals mean.

Source: core.telegram.org/bots/api#making-requests (Bot API 10.1); the words of refusals as the open Bot API server writes them
(github.com/tdlib/telegram-bot-api, Client.cpp, fail_query_with_error) and as bots report them in public issues, read 2026-11-22.
The token is part of every address, so no error of this module carries an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from careline.channels.base import ChannelView, Tools
from careline.channels.telegram import wire
from careline.errors import ChannelError
from careline.kit import http, multipart
from careline.kit.multipart import Upload

API: Final = "https://api.telegram.org"
JSON_HEADERS: Final = {"content-type": "application/json", "user-agent": "Careline"}
_T = TypeVar("_T")
# What stands in the description of a refusal -> our code. The first that fits counts.
_WORDS: Final = (
    ("bot was blocked by the user", "customer_blocked_us"),
    ("initiate conversation", "customer_must_begin"),
    ("user is deactivated", "customer_gone"),
    ("bot was kicked", "removed_from_chat"),
    ("bot is not a member", "removed_from_chat"),
    ("not enough rights", "rights_missing"),
    ("have no rights", "rights_missing"),
    ("message is too long", "text_too_long"),
    ("caption is too long", "caption_too_long"),
    ("caption_too_long", "caption_too_long"),
    ("can't be deleted", "too_late_to_delete"),
    ("reaction_invalid", "reaction_refused"),
    ("chat not found", "thread_gone"),
    ("thread not found", "thread_gone"),
    ("topic_closed", "thread_gone"),
    ("not found", "message_gone"),
)


class Refused(ChannelError):
    """A refusal with Telegram's own facts. `moved_to` is the supergroup that a group has become, or 0."""

    description: str = ""
    moved_to: int = 0


def address(channel: ChannelView, path: str) -> str:
    """`/bot<token>/<method>` or `/file/bot<token>/<path>` at the API address of this channel."""
    return f"{(channel.setting('api') or API).rstrip('/')}/{path}"


def method_address(channel: ChannelView, method: str) -> str:
    return address(channel, f"bot{channel.secrets.get('token', '')}/{method}")


async def call(
    method: str,
    parameters: Mapping[str, object],
    channel: ChannelView,
    tools: Tools,
    kind: type[_T],
    *,
    files: Sequence[Upload] = (),
) -> _T:
    """One attempt; parameters that are None are left out. Raises Refused or ChannelError."""
    given = {name: value for name, value in parameters.items() if value is not None}
    headers, body = _form(given, files) if files else (JSON_HEADERS, msgspec.json.encode(given))
    try:
        answer = await http.send_once(tools.http, "POST", method_address(channel, method), headers=headers, body=body)
    except ChannelError as broken:
        if broken.code == "address_refused":
            raise ChannelError("address_refused", "The API address is not allowed.", permanent=True) from None
        raise
    return read(answer, kind)


def read(answer: http.Answer, kind: type[_T]) -> _T:
    """The result of a success. Raises Refused; a success that cannot be read leaves the outcome open."""
    try:
        told = msgspec.json.decode(answer.body, type=wire.Answer)
        if answer.status < 300 and told.ok:
            return msgspec.json.decode(told.result, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as unreadable:
        if answer.status < 300:
            raise ChannelError(
                "answer_unreadable", "Telegram's answer could not be read.", outcome_unknown=True
            ) from unreadable
        told = wire.Answer(ok=False)
    raise refusal(answer, told)


def refusal(answer: http.Answer, told: wire.Answer) -> Refused:
    """A refusal in the outbox's terms. 404 is said of tokens that are none."""
    status = told.error_code or answer.status
    error = _judged(status, told, answer)
    error.description, error.moved_to = told.description, told.parameters.migrate_to_chat_id
    return error


def _judged(status: int, told: wire.Answer, answer: http.Answer) -> Refused:
    if status in {401, 404}:
        return Refused("token_refused", "Telegram does not accept this bot token.", unauthorised=True)
    if status == 409:
        return Refused("other_reader", "Something else reads this bot's messages.")
    if status == 429:
        return Refused("rate_limited", "Telegram asks us to slow down.", retry_after_s=_retry_after_s(told, answer))
    if status >= 500 or status < 300:
        return Refused("platform_failed", f"Telegram failed with {status}.", outcome_unknown=True)
    if status == 413:
        return Refused("too_large", "Telegram refused the file as too large.", permanent=True)
    said = told.description.lower()
    code = next((code for words, code in _WORDS if words in said), "refused")
    return Refused(code, f"Telegram refused with {status}.", permanent=True)


def _retry_after_s(told: wire.Answer, answer: http.Answer) -> float | None:
    header = answer.headers.get("retry-after", "")
    return float(told.parameters.retry_after or (header if header.isdecimal() else 0)) or None


def _form(parameters: Mapping[str, object], files: Sequence[Upload]) -> tuple[Mapping[str, str], bytes]:
    kind, body = multipart.encode({name: _as_text(value) for name, value in parameters.items()}, files)
    return {**JSON_HEADERS, "content-type": kind}, body


def _as_text(value: object) -> bytes:
    """What is no text is JSON, as the API asks."""
    return value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
