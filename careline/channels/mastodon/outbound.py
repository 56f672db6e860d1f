"""From Careline to Mastodon: answers in public and in private, files, edits, favourites, deletions.

A post reaches those it names (docs.joinmastodon.org/user/posting, read 2026-11-22), so an answer begins with the customer's name. A private mention
is a post for those it names, and for nobody else: a name more is a reader more. The Idempotency-Key is kept for an hour
(docs.joinmastodon.org/methods/statuses#create, read 2026-11-22); what was sent is looked for among our own posts first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.mastodon import lengths, rules, wire
from careline.channels.mastodon.calling import Caller, read
from careline.channels.mastodon.inbound import DIRECT, direct_key, key_of
from careline.errors import ChannelError
from careline.kit import multipart

STATUSES: Final = "/api/v1/statuses"
MOST_NAMES: Final = 10
_LOOKED_THROUGH: Final = "40"
_CLOCKS_APART: Final = timedelta(minutes=5)
_LOOKS_AT_A_FILE: Final = 60


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post once. A text too long is refused: several posts are the outbox's to make. Raises ChannelError."""
    if not rules.effective(channel).surface(outgoing.surface).text.fits(outgoing.text):
        raise _too_long()
    caller = Caller(channel, tools)
    above = await _above(outgoing, caller)
    names = _readers(outgoing, channel) if outgoing.surface == "dm" else _named(outgoing, above, channel)
    text = _begun_with(names, outgoing, channel)
    media = [await _upload(file, caller) for file in outgoing.files]
    body = _body(text, outgoing, above, media, channel)
    headers = {"idempotency-key": outgoing.idempotency_key}
    taken = await caller.do("POST", STATUSES, wire.Status, body=msgspec.json.encode(body), headers=headers)
    return _sent(taken, names, outgoing)


def _sent(taken: wire.Status, names: Iterable[str], outgoing: Outgoing) -> Sent:
    return Sent(
        platform_id=taken.id, at=taken.created_at, thread_key=direct_key(names) if outgoing.surface == "dm" else ""
    )


async def _above(outgoing: Outgoing, caller: Caller) -> wire.Status | None:
    """The post that is answered. A private conversation goes on where that one is gone."""
    answered = outgoing.reply_to or outgoing.answers_comment
    if not answered:
        return None
    try:
        return await caller.ask(f"{STATUSES}/{answered}", wire.Status)
    except ChannelError as refused:
        if refused.code != "message_gone" or outgoing.surface != "dm" or outgoing.answers_comment:
            raise
        return None


def _readers(outgoing: Outgoing, channel: ChannelView) -> list[str]:
    """Who is in the private conversation. Another name in the text would let another read it."""
    readers = [one for one in outgoing.thread_key.removeprefix(DIRECT).split(",") if one] or [outgoing.recipient]
    named = {key_of(one, channel) for one in lengths.mentions(outgoing.text)}
    if named - {*readers, channel.account_key}:
        raise ChannelError("names_another", "A name in the text would let somebody else read it.", permanent=True)
    return readers


def _named(outgoing: Outgoing, above: wire.Status | None, channel: ChannelView) -> list[str]:
    """The customer first, then those who take part."""
    taking_part = [above.account.acct, *(one.acct for one in above.mentions)] if above else []
    found = [outgoing.recipient, *(key_of(one, channel) for one in taking_part)]
    return [one for one in dict.fromkeys(found) if one and one != channel.account_key][:MOST_NAMES]


def _begun_with(names: Sequence[str], outgoing: Outgoing, channel: ChannelView) -> str:
    """The text after the names it lacks. In public the last ones stay away where there is no room."""
    present = {key_of(one, channel) for one in lengths.mentions(outgoing.text)}
    lacking = [one for one in names if one not in present]
    least = len(lacking) if outgoing.surface == "dm" else min(1, len(lacking))
    for count in range(len(lacking), least - 1, -1):
        text = " ".join([*(_written(one, channel) for one in lacking[:count]), outgoing.text])
        if lengths.measure(text) <= _room(channel):
            return text
    raise _too_long()


def _written(name: str, channel: ChannelView) -> str:
    """A name as it is written on our own server."""
    return "@" + name.removesuffix(f"@{channel.setting('domain')}")


def _room(channel: ChannelView) -> int:
    return rules.effective(channel).surfaces[0].text.max_length + rules.ROOM_FOR_NAMES


def _too_long() -> ChannelError:
    return ChannelError("text_too_long", "It is longer than this server takes.", permanent=True)


def _body(
    text: str, outgoing: Outgoing, above: wire.Status | None, media: Sequence[str], channel: ChannelView
) -> dict[str, object]:
    """As visible as what is answered, never more; with the same warning before it, where there is room."""
    warning = above.spoiler_text if above else ""
    if lengths.measure(text) + lengths.measure(warning) > _room(channel):
        warning = ""
    visibility = "direct" if outgoing.surface == "dm" else above.visibility if above else "public"
    body: dict[str, object] = {"status": text, "visibility": visibility}
    more = {
        "in_reply_to_id": above.id if above else "",
        "media_ids": list(media),
        "spoiler_text": warning,
        "language": outgoing.language[:2],
    }
    return body | {name: value for name, value in more.items() if value}


async def _upload(file: OutgoingFile, caller: Caller) -> str:
    """202 says that the server still works on it, and 206 that it still does (docs.joinmastodon.org/methods/media, read 2026-11-22)."""
    form = multipart.Upload("file", file.name, file.content_type, await file.read())
    fields = {"description": file.alt_text.encode()} if file.alt_text else {}
    kind, body = multipart.encode(fields, [form])
    try:
        answer = await caller.send("POST", "/api/v2/media", body, {"content-type": kind})
        media = read(answer, wire.Media)
        if answer.status == 202:
            await _processed(media.id, caller)
    except ChannelError as refused:  # nothing stands yet that anybody could read
        refused.outcome_unknown = False
        raise
    return media.id


async def _processed(media_id: str, caller: Caller) -> None:
    for look in range(_LOOKS_AT_A_FILE):
        try:
            await caller.ask(f"/api/v1/media/{media_id}", wire.Media)
        except ChannelError as refused:
            if refused.code != "file_processing" or look == _LOOKS_AT_A_FILE - 1:
                raise
        else:
            return
        await asyncio.sleep(1.0)


async def look_up(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
    """Our own post with these words below the same post; None when there is none."""
    caller = Caller(channel, tools)
    path = f"/api/v1/accounts/{channel.setting('account_id')}/statuses"
    answered = outgoing.reply_to or outgoing.answers_comment or None
    for one in await caller.ask(path, tuple[wire.Status, ...], ("limit", _LOOKED_THROUGH), ("exclude_reblogs", "true")):
        is_early = outgoing.written_at is not None and one.created_at < outgoing.written_at - _CLOCKS_APART
        if is_early or one.in_reply_to_id != answered or (one.visibility == "direct") != (outgoing.surface == "dm"):
            continue
        source = await caller.ask(f"{STATUSES}/{one.id}/source", wire.Source)
        if one.id not in outgoing.references and source.text.endswith(outgoing.text):
            names = [key_of(name.acct, channel) for name in one.mentions]
            return _sent(one, names, outgoing)
    return None


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Other words in a post of ours. What an edit leaves out is taken away, so names, files and warning go with it."""
    caller = Caller(channel, tools)
    stands = await caller.ask(f"{STATUSES}/{platform_id}", wire.Status)
    names = [key_of(one.acct, channel) for one in stands.mentions]
    if outgoing.surface == "dm":
        _readers(msgspec.structs.replace(outgoing, thread_key=direct_key(names)), channel)
    body = {
        "status": _begun_with(names, outgoing, channel),
        "media_ids": [one.id for one in stands.media_attachments],
        "spoiler_text": stands.spoiler_text,
        "sensitive": stands.sensitive,
        **({"language": stands.language} if stands.language else {}),
    }
    await caller.do("PUT", f"{STATUSES}/{platform_id}", wire.Nothing, body=msgspec.json.encode(body))


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """One act; what is so already, or gone already, counts as done. Raises ChannelError."""
    verb, path = _ACTS.get(act.verb, ("", ""))
    if not verb:
        raise ChannelError("no_moderation", "Mastodon cannot do that.", permanent=True)
    try:
        await Caller(channel, tools).do(verb, f"{STATUSES}/{act.platform_id}{path}", wire.Nothing)
    except ChannelError as refused:
        if refused.code != "message_gone" or act.verb == "like":
            raise
    return Moderated()


_ACTS: Final = {"like": ("POST", "/favourite"), "unlike": ("POST", "/unfavourite"), "delete": ("DELETE", "")}
