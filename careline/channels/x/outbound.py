"""From Careline to X: replies, direct messages, files, hiding, likes, deletions. X knows no idempotency; what it took comes back as an echo.

Sources: X API v2 OpenAPI 2.167 (POST /2/tweets, /2/dm_conversations/with/:participant_id/messages, /2/media/upload, PUT /2/tweets/:tweet_id/hidden);
docs.x.com/x-api/media/quickstart/media-upload-chunked (initialize, append, finalize, status), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from typing import Final

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.x import rules, wire
from careline.channels.x.calling import Caller
from careline.channels.x.inbound import dm_key
from careline.errors import ChannelError
from careline.kit.multipart import Upload

PIECE_BYTES: Final = 1_000_000
MOST_LOOKS: Final = 60


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post or write once. A text too long is refused: several posts are the outbox's to make. Raises ChannelError."""
    rule = rules.CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} {rule.unit}.", permanent=True)
    caller = Caller(channel, tools)
    media = [await _upload(file, outgoing.surface, caller) for file in outgoing.files]
    return await (_write if outgoing.surface == "dm" else _post)(outgoing, media, caller)


async def _post(outgoing: Outgoing, media: list[str], caller: Caller) -> Sent:
    body: dict[str, object] = {"text": outgoing.text}
    if outgoing.reply_to:
        body["reply"] = {"in_reply_to_tweet_id": outgoing.reply_to}
    if media:
        body["media"] = {"media_ids": media}
    taken = await caller.do("POST", "/2/tweets", body, wire.Named)
    return Sent(_known(taken.id))


async def _write(outgoing: Outgoing, media: list[str], caller: Caller) -> Sent:
    partner = outgoing.thread_key.removeprefix("dm:") or outgoing.recipient
    body: dict[str, object] = {"text": outgoing.text} if outgoing.text else {}
    if media:
        body["attachments"] = [{"media_id": one} for one in media]
    taken = await caller.do("POST", f"/2/dm_conversations/with/{partner}/messages", body, wire.Took)
    return Sent(taken.dm_event_id, thread_key=dm_key(partner))


def _known(post_id: str) -> str:
    if not post_id:
        raise ChannelError("answer_unreadable", "X named no post.", outcome_unknown=True)
    return post_id


# ---- files


async def _upload(file: OutgoingFile, surface: str, caller: Caller) -> str:
    """In pieces; a film is ready only after X has worked on it. Nothing names it yet, so a broken upload leaves no outcome open."""
    begun = {
        "media_type": file.content_type,
        "total_bytes": file.size_bytes,
        "media_category": _category(file, surface),
    }
    media_id = (await caller.prepare("/2/media/upload/initialize", begun, wire.Named)).id
    content = await file.read()
    for number, start in enumerate(range(0, len(content), PIECE_BYTES)):
        piece = Upload("media", file.name, "application/octet-stream", content[start : start + PIECE_BYTES])
        await caller.prepare(f"/2/media/upload/{media_id}/append", {"segment_index": number}, object, piece)
    done = await caller.prepare(f"/2/media/upload/{media_id}/finalize", None, wire.Uploaded)
    await _wait_until_ready(done, caller)
    if file.alt_text and surface != "dm":
        metadata = {"id": media_id, "metadata": {"alt_text": {"text": file.alt_text[:1000]}}}
        await caller.prepare("/2/media/metadata", metadata, object)
    return media_id


def _category(file: OutgoingFile, surface: str) -> str:
    kind = "gif" if file.content_type == "image/gif" else file.content_type.partition("/")[0]
    return f"{'dm' if surface == 'dm' else 'tweet'}_{kind}"


async def _wait_until_ready(uploaded: wire.Uploaded, caller: Caller) -> None:
    for _ in range(MOST_LOOKS):
        working = uploaded.processing_info
        if working is None or working.state == "succeeded":
            return
        if working.state == "failed":
            raise ChannelError("file_refused", "X could not use the file.", permanent=True)
        await asyncio.sleep(min(10, working.check_after_secs))
        uploaded = await caller.get(f"/2/media/upload?command=STATUS&media_id={uploaded.id}", wire.Uploaded)
    raise ChannelError("file_not_ready", "X is still working on the file.")


# ---- acts on messages


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """One act; what is so already counts as done. Raises ChannelError."""
    caller, surface, us = Caller(channel, tools), rules.effective(channel).surface(act.surface), channel.account_key
    match act.verb:
        case "hide" | "unhide" if surface.moderation.hide:
            body = {"hidden": act.verb == "hide"}
            await caller.do("PUT", f"/2/tweets/{act.platform_id}/hidden", body, object)
        case "like" if surface.moderation.like:
            await caller.do("POST", f"/2/users/{us}/likes", {"tweet_id": act.platform_id}, object)
        case "unlike" if surface.moderation.like:
            await caller.do("DELETE", f"/2/users/{us}/likes/{act.platform_id}", None, object)
        case "delete" if surface.delete.out:
            await _delete(act.platform_id, caller)
        case _:
            raise ChannelError("no_moderation", "X does not allow that here.", permanent=True)
    return Moderated()


async def _delete(post_id: str, caller: Caller) -> None:
    try:
        await caller.do("DELETE", f"/2/tweets/{post_id}", None, object)
    except ChannelError as refused:
        if refused.code != "message_gone":
            raise
