"""From Careline to the simulated platform: posting, looking for what was posted, editing, deleting, moderating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from careline.channels.base import (
    ChannelView,
    MessageTemplate,
    Moderated,
    ModerationAct,
    ModerationVerb,
    Outgoing,
    OutgoingFile,
    Sent,
    Tools,
)
from careline.channels.capabilities import AttachmentKind
from careline.channels.simulated import calling, setup, wire
from careline.channels.simulated.rules import CAPABILITIES
from careline.errors import ChannelError
from careline.kit import http

_MODERATION: Final[dict[ModerationVerb, tuple[str, str]]] = {
    "hide": ("POST", "/hiding"),
    "unhide": ("DELETE", "/hiding"),
    "like": ("POST", "/liking"),
    "unlike": ("DELETE", "/liking"),
    "react": ("POST", "/reactions"),
    "unreact": ("POST", "/reactions"),
    "delete": ("DELETE", ""),
}


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post once. A text too long for one post is refused: several posts are the outbox's to make. Raises ChannelError."""
    _check_length(outgoing)
    files = await _upload_all(outgoing.files, channel, tools)
    answer = await http.send_once(
        tools.http,
        "POST",
        calling.address(channel, "messages"),
        headers=calling.headers(channel),
        body=msgspec.json.encode(_body(outgoing, channel, files)),
    )
    if answer.status not in {200, 201}:
        raise calling.refusal(answer)
    return _sent(calling.read(answer, wire.Accepted))


def _check_length(outgoing: Outgoing) -> None:
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} {rule.unit}.", permanent=True)


def _body(outgoing: Outgoing, channel: ChannelView, files: tuple[str, ...]) -> wire.NewMessage:
    return wire.NewMessage(
        account=channel.account_key,
        place="dm" if outgoing.surface == "dm" else "reply",
        text=outgoing.text,
        client_key=outgoing.idempotency_key,
        thread=outgoing.thread_key,
        to=outgoing.recipient,
        reply_to=outgoing.reply_to,
        files=files,
        written_by=outgoing.author_kind,
        comment=outgoing.answers_comment,
        template=outgoing.template.key if outgoing.template else "",
        values=outgoing.template.values if outgoing.template else (),
    )


async def templates(channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
    """The account's approved texts, where it uses them. Raises ChannelError."""
    if not setup.wants_templates(channel):
        return ()
    path = f"templates?{urlencode({'account': channel.account_key})}"
    answer = await http.send_once(
        tools.http, "GET", calling.address(channel, path), headers=calling.headers(channel), body=b""
    )
    if answer.status != 200:
        raise calling.refusal(answer)
    return tuple(
        MessageTemplate(one.id, one.name, one.language, one.body, one.parameters, one.examples, media=_media(one.media))
        for one in calling.read(answer, wire.Approved).templates
    )


def _media(kind: str) -> AttachmentKind | None:
    kinds = CAPABILITIES.surface("dm").attachments.kinds
    return next((one for one in kinds if one.kind == kind), None)


def _sent(taken: wire.Accepted) -> Sent:
    return Sent(platform_id=taken.id, at=taken.at, thread_key=taken.thread)


async def look_up(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
    """The message if it stands, None when it does not. Raises ChannelError if it cannot be told."""
    if setup.sending(channel) != "lookup":
        raise ChannelError("no_lookup", "This account cannot be asked.", outcome_unknown=True)
    found = await _find(outgoing.idempotency_key, channel, tools)
    return _sent(found) if found is not None else None


async def _find(client_key: str, channel: ChannelView, tools: Tools) -> wire.Accepted | None:
    query = urlencode({"account": channel.account_key, "client_key": client_key})
    answer = await http.send_once(
        tools.http, "GET", calling.address(channel, f"messages?{query}"), headers=calling.headers(channel), body=b""
    )
    if answer.status != 200:
        raise calling.refusal(answer)
    messages = calling.read(answer, wire.Found).messages
    return messages[0] if messages else None


async def _upload_all(files: Sequence[OutgoingFile], channel: ChannelView, tools: Tools) -> tuple[str, ...]:
    return tuple([await _upload(file, channel, tools) for file in files])


async def _upload(file: OutgoingFile, channel: ChannelView, tools: Tools) -> str:
    """Nothing is public before the message names the file, so a broken upload never leaves an outcome open."""
    headers = {
        **calling.headers(channel),
        "content-type": file.content_type,
        "x-file-name": quote(file.name),
        "x-alt-text": quote(file.alt_text),
    }
    try:
        answer = await http.send_once(
            tools.http, "POST", calling.address(channel, "files"), headers=headers, body=await file.read()
        )
        if answer.status not in {200, 201}:
            raise calling.refusal(answer)
        return calling.read(answer, wire.Uploaded).id
    except ChannelError as refused:
        refused.outcome_unknown = False
        raise


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Change a message of ours. Repeating it is harmless."""
    _check_length(outgoing)
    await _change(
        "PATCH", f"messages/{quote(platform_id)}", channel, tools, body=msgspec.json.encode({"text": outgoing.text})
    )


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """One act on a message. What is so already answers as if it had just been done; a gone message cannot be liked."""
    method, path = _MODERATION[act.verb]
    emoji = act.emoji if act.verb == "react" else ""
    await _change(
        method,
        f"messages/{quote(act.platform_id)}{path}",
        channel,
        tools,
        body=msgspec.json.encode({"emoji": emoji}),
        gone_is_fine=act.verb == "delete",
    )
    return Moderated(mark=f"{act.verb}:{act.platform_id}" if act.verb in {"like", "react"} else "")


async def show_typing(thread_key: str, channel: ChannelView, tools: Tools) -> None:
    """Best effort: a platform that is away loses a typing sign, nothing more."""
    try:
        await _change("POST", f"threads/{quote(thread_key, safe='')}/typing", channel, tools)
    except ChannelError:
        return


async def _change(
    method: str, path: str, channel: ChannelView, tools: Tools, *, body: bytes = b"{}", gone_is_fine: bool = False
) -> None:
    answer = await http.send_once(
        tools.http, method, calling.address(channel, path), headers=calling.headers(channel), body=body
    )
    if answer.status >= 300 and not (gone_is_fine and answer.status in {404, 410}):
        raise calling.refusal(answer)
