"""From Careline to the simulated platform: posting, looking for what was posted, editing, deleting, moderating."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

import msgspec

from careline.channels.base import ChannelView, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.simulated import calling, partkeys, setup, wire
from careline.channels.simulated.rules import CAPABILITIES
from careline.errors import ChannelError
from careline.kit import counting, http


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post once, or as several posts under one another where the text is too long for one. Raises ChannelError."""
    texts = _texts(outgoing)
    done: list[wire.Accepted] = []
    try:
        files = await _upload_all(outgoing.files, channel, tools)
        for number, text in enumerate(texts):
            key = partkeys.write(outgoing.idempotency_key, number, len(texts))
            body = _body(outgoing, channel, text, key=key, after=done, files=() if number else files)
            done.append(await _post_part(body, outgoing, channel, tools, is_one_of_several=len(texts) > 1))
    except ChannelError as refused:
        raise _after_some(refused, done, channel) from refused
    return _sent(done)


def _texts(outgoing: Outgoing) -> list[str]:
    rule = CAPABILITIES.surface(outgoing.surface).text
    if rule.fits(outgoing.text):
        return [outgoing.text]
    if rule.on_overflow != "multi_post":
        raise ChannelError("text_too_long", f"At most {rule.max_length} {rule.unit}.", permanent=True)
    return counting.split(outgoing.text, rule.unit, rule.max_length)


def _body(
    outgoing: Outgoing,
    channel: ChannelView,
    text: str,
    *,
    key: str,
    after: Sequence[wire.Accepted],
    files: tuple[str, ...],
) -> wire.NewMessage:
    return wire.NewMessage(
        account=channel.account_key,
        place="dm" if outgoing.surface == "dm" else "reply",
        text=text,
        client_key=key,
        thread=after[-1].thread if after else outgoing.thread_key,
        to=outgoing.recipient,
        reply_to=after[-1].id if after else outgoing.reply_to,
        files=files,
        written_by=outgoing.author_kind,
    )


async def _post_part(
    body: wire.NewMessage, outgoing: Outgoing, channel: ChannelView, tools: Tools, *, is_one_of_several: bool
) -> wire.Accepted:
    """A repeated attempt at a text of several posts must not repeat those that stand already."""
    if is_one_of_several and outgoing.attempt > 1 and _can_look_up(channel):
        found = await _find(body.client_key, channel, tools)
        if found is not None:
            return found
    answer = await http.send_once(
        tools.http,
        "POST",
        calling.address(channel, "messages"),
        headers=calling.headers(channel),
        body=msgspec.json.encode(body),
    )
    if answer.status not in {200, 201}:
        raise calling.refusal(answer)
    return calling.read(answer, wire.Accepted)


def _can_look_up(channel: ChannelView) -> bool:
    return setup.sending(channel) == "lookup"


def _after_some(refused: ChannelError, done: Sequence[wire.Accepted], channel: ChannelView) -> ChannelError:
    """When some posts of several stand and the platform cannot be asked which, a person must look."""
    if not done or refused.outcome_unknown or setup.sending(channel) != "never_retry":
        return refused
    return ChannelError("partly_sent", "Only the first posts were sent.", outcome_unknown=True)


def _sent(done: Sequence[wire.Accepted]) -> Sent:
    return Sent(
        platform_id=done[0].id, at=done[0].at, aliases=tuple(part.id for part in done[1:]), thread_key=done[0].thread
    )


async def look_up(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
    """The whole message if it stands, None when any part of it does not. Raises ChannelError if it cannot be told."""
    if not _can_look_up(channel):
        raise ChannelError("no_lookup", "This account cannot be asked.", outcome_unknown=True)
    count = len(_texts(outgoing))
    keys = [partkeys.write(outgoing.idempotency_key, number, count) for number in range(count)]
    found = [await _find(key, channel, tools) for key in keys]
    whole = [part for part in found if part is not None]
    return _sent(whole) if len(whole) == len(found) else None


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
    headers = {**calling.headers(channel), "content-type": file.content_type, "x-file-name": quote(file.name)}
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
    if len(_texts(outgoing)) > 1:
        raise ChannelError("text_too_long", "An edited post must fit into one.", permanent=True)
    await _change(
        "PATCH", f"messages/{quote(platform_id)}", channel, tools, body=msgspec.json.encode({"text": outgoing.text})
    )


async def delete(platform_id: str, channel: ChannelView, tools: Tools) -> None:
    """Delete a message of ours; one that is gone already counts as deleted."""
    await _change("DELETE", f"messages/{quote(platform_id)}", channel, tools, gone_is_fine=True)


async def hide(platform_id: str, channel: ChannelView, tools: Tools) -> None:
    """Hide someone's comment under a post of ours."""
    await _change("POST", f"messages/{quote(platform_id)}/hiding", channel, tools)


async def react(platform_id: str, emoji: str, channel: ChannelView, tools: Tools) -> None:
    """Set our reaction, or take it back with an empty emoji."""
    await _change(
        "POST", f"messages/{quote(platform_id)}/reactions", channel, tools, body=msgspec.json.encode({"emoji": emoji})
    )


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
