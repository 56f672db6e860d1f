"""Answers to the configured address: signed, `webhook-id` is the idempotency key, so a receiver can drop repeats."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from careline.channels.base import ChannelError, ChannelView, Health, Moderated, ModerationAct, Outgoing, Sent, Tools
from careline.channels.generic import wire
from careline.channels.generic.setup import CAPABILITIES
from careline.kit import clock, signing
from careline.kit.http import Answer, send_once

_TRY_LATER = frozenset({408, 425, 429})
_NOT_LET_IN = frozenset({401, 403})


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post one message. An answer `{"id": ...}` names it there; without one our idempotency key does. An answer to the
    first message of a conversation may name that, too (`thread_id`).
    """
    if not CAPABILITIES.surface(outgoing.surface).text.fits(outgoing.text):
        raise ChannelError("text_too_long", "The text is longer than this channel takes.", permanent=True)
    body = msgspec.json.encode(await _message(outgoing, channel))
    answer = await post(channel, outgoing.idempotency_key, body, tools)
    taken = _taken(answer.body)
    return Sent(platform_id=taken.id or outgoing.idempotency_key, at=clock.now(), thread_key=taken.thread_id)


async def _message(outgoing: Outgoing, channel: ChannelView) -> wire.OutMessage:
    return wire.OutMessage(
        idempotency_key=outgoing.idempotency_key,
        account=channel.account_key,
        thread_id=outgoing.thread_key,
        visibility="public" if outgoing.surface == "post" else "private",
        recipient=outgoing.recipient,
        text=outgoing.text,
        html=outgoing.html,
        reply_to=outgoing.reply_to,
        language=outgoing.language,
        agent_name=outgoing.agent_name,
        author_kind=outgoing.author_kind,
        files=tuple(
            [wire.SentFile(one.name, one.content_type, one.size_bytes, await one.read()) for one in outgoing.files]
        ),
        written_at=outgoing.written_at,
        answers=outgoing.answers_comment,
    )


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Post an edit; each new text has an id of its own."""
    body = msgspec.json.encode(
        wire.OutEdit(platform_id, channel.account_key, outgoing.thread_key, outgoing.text, outgoing.html)
    )
    await post(channel, f"edit:{hashlib.sha256(body).hexdigest()}", body, tools)


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """Post a deletion of ours; the receiver knows a repeated one by its id."""
    if act.verb != "delete":
        raise ChannelError("no_moderation", "The API channel knows deletions only.", permanent=True)
    body = msgspec.json.encode(wire.OutDeletion(act.platform_id, channel.account_key, act.thread_key))
    await post(channel, f"deletion:{hashlib.sha256(body).hexdigest()}", body, tools)
    return Moderated()


async def show_typing(thread_key: str, channel: ChannelView, tools: Tools) -> None:
    """Best effort: a receiver that refuses typing signs loses nothing."""
    body = msgspec.json.encode(wire.OutTyping(channel.account_key, thread_key))
    try:
        await post(channel, f"typing:{channel.id}:{clock.epoch_s():.3f}", body, tools)
    except ChannelError:
        return


async def check(channel: ChannelView, tools: Tools) -> Health:
    """A signed ping to the configured address."""
    if not channel.setting("outbound_url"):
        return Health(ok=True, code="listens_only")
    try:
        await post(channel, f"ping:{clock.epoch_s():.3f}", msgspec.json.encode(wire.Ping(channel.account_key)), tools)
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    return Health(ok=True)


async def post(channel: ChannelView, webhook_id: str, body: bytes, tools: Tools) -> Answer:
    """One signed request. Raises ChannelError for everything that is not 2xx."""
    url, secret = channel.setting("outbound_url"), channel.secrets.get("secret", "")
    if not url or not secret:
        raise ChannelError("no_address", "This channel has no address or secret for answers.", permanent=True)
    try:
        headers = {**signing.webhook_headers(secret, webhook_id, body), "content-type": "application/json"}
    except ValueError as malformed:
        raise ChannelError(
            "secret_malformed", "The signing secret is not whsec_ followed by base64.", unauthorised=True
        ) from malformed
    answer = await send_once(tools.http, "POST", url, headers=headers, body=body)
    _check_answer(answer)
    return answer


def _check_answer(answer: Answer) -> None:
    if 200 <= answer.status < 300:
        return
    wait_s = retry_after_s(answer.headers.get("retry-after", ""))
    if answer.status in _TRY_LATER:
        raise ChannelError("rate_limited", f"The receiver asks to wait ({answer.status}).", retry_after_s=wait_s)
    if answer.status >= 500:
        raise ChannelError("receiver_failed", f"The receiver answered {answer.status}.", retry_after_s=wait_s)
    if answer.status in _NOT_LET_IN:
        raise ChannelError("unauthorised", f"The receiver refused our signature ({answer.status}).", unauthorised=True)
    raise ChannelError("refused", f"The receiver refused the message ({answer.status}).", permanent=True)


def retry_after_s(value: str) -> float | None:
    """Seconds to wait: a number, or a date in the future (RFC 9110 section 10.2.3); None when neither."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, (_aware(at) - clock.now()).total_seconds())


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _taken(body: bytes) -> wire.Taken:
    try:
        return msgspec.json.decode(body, type=wire.Taken)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return wire.Taken()
