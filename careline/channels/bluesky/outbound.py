"""From Careline to Bluesky: posts, messages, likes, reactions, hiding, deleting.

A record's key is made from the delivery's idempotency key, so the same post cannot stand twice: a PDS answers 500 to a second createRecord of one
key (tried on the real one, 2026-11-22), and the look-up finds the first. Direct messages have no such key; they are looked for by their words.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.bluesky import facets, wire
from careline.channels.bluesky.calling import Caller
from careline.channels.bluesky.inbound import did_of, key_of
from careline.channels.bluesky.rules import CAPABILITIES, IMAGE_BYTES
from careline.errors import ChannelError
from careline.kit import clock

_LETTERS: Final = "234567abcdefghijklmnopqrstuvwxyz"
_MOST_HIDDEN: Final = 300
_LOOKED_THROUGH: Final = "50"


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Post or write once. A text too long is refused: several posts are the outbox's to make. Raises ChannelError."""
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} {rule.unit}.", permanent=True)
    caller = Caller(channel, tools)
    return await (_write(outgoing, caller) if outgoing.surface == "dm" else _post(outgoing, caller))


async def look_up(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
    """The post under our key, or the message with our words; None when there is none."""
    caller = Caller(channel, tools)
    if outgoing.surface == "dm":
        return await _find_written(outgoing, caller)
    stored = await _stored(wire.POST, record_key(outgoing), caller)
    return Sent(platform_id=stored.uri) if stored else None


# ---- posts


async def _post(outgoing: Outgoing, caller: Caller) -> Sent:
    record = wire.Post(
        kind=wire.POST,
        text=outgoing.text,
        created_at=_stamp(outgoing.written_at or clock.now()),
        reply=await _reply(outgoing.reply_to, caller) if outgoing.reply_to else None,
        facets=await facets.facets_of(outgoing.text, _resolver(caller)),
        langs=(outgoing.language,) if outgoing.language else (),
        embed=await _pictures(outgoing.files, caller) if outgoing.files else msgspec.UNSET,
    )
    taken = await _create(wire.POST, record_key(outgoing), record, caller)
    return Sent(platform_id=taken.uri)


async def _create(collection: str, key: str, record: wire.Word, caller: Caller) -> wire.Taken:
    body = {"repo": caller.channel.account_key, "collection": collection, "rkey": key, "record": record}
    return await caller.do("com.atproto.repo.createRecord", body, wire.Taken)


def record_key(outgoing: Outgoing) -> str:
    """A TID (atproto.com/specs/tid, read 2026-11-22) of the second the answer was written; the rest is a hash of the idempotency key."""
    mixed = int.from_bytes(hashlib.blake2b(outgoing.idempotency_key.encode(), digest_size=8).digest())
    if outgoing.written_at is None:
        return _tid(mixed)
    return _tid(int(outgoing.written_at.timestamp() * 1_000_000) >> 20 << 30 | mixed & (1 << 30) - 1)


def _tid(number: int) -> str:
    """63 bits, five a letter: microseconds above, ten bits of clock name below."""
    number &= (1 << 63) - 1
    return "".join(_LETTERS[number >> shift & 31] for shift in range(60, -5, -5))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _reply(uri: str, caller: Caller) -> wire.ReplyRef:
    """What is answered, with its hash: our own from our repository, where it stands at once; others' as the network sees them."""
    if did_of(uri) == caller.channel.account_key:
        stored = await _stored(wire.POST, key_of(uri), caller)
        found = (stored.cid, msgspec.json.decode(stored.value, type=wire.HeardPost)) if stored else None
    else:
        view = await _view(uri, caller)
        found = (view.cid, view.record) if view else None
    if found is None:
        raise ChannelError("message_gone", "The post that was answered is gone.", permanent=True)
    parent = wire.StrongRef(uri=uri, cid=found[0])
    return wire.ReplyRef(root=found[1].reply.root if found[1].reply else parent, parent=parent)


async def _view(uri: str, caller: Caller) -> wire.PostView | None:
    page = await caller.ask("app.bsky.feed.getPosts", wire.Posts, ("uris", uri))
    return msgspec.json.decode(page.posts[0], type=wire.PostView) if page.posts else None


async def _stored(collection: str, key: str, caller: Caller) -> wire.Stored | None:
    query = (("repo", caller.channel.account_key), ("collection", collection), ("rkey", key))
    try:
        return await caller.ask("com.atproto.repo.getRecord", wire.Stored, *query)
    except ChannelError as refused:
        if refused.code == "message_gone":
            return None
        raise


def _resolver(caller: Caller) -> facets.Resolve:
    async def resolve(handle: str) -> str:
        try:
            return (await caller.ask("com.atproto.identity.resolveHandle", wire.Resolved, ("handle", handle))).did
        except ChannelError as unknown:
            if unknown.permanent:
                return ""
            raise

    return resolve


async def _pictures(files: tuple[OutgoingFile, ...], caller: Caller) -> wire.ImagesEmbed:
    if any(file.size_bytes > IMAGE_BYTES for file in files):
        raise ChannelError("too_large", "Bluesky takes pictures of at most 2 MB.", permanent=True)
    blobs = [(file, await caller.upload(await file.read(), file.content_type)) for file in files]
    images = tuple(wire.Image(alt=file.alt_text, image=uploaded.blob) for file, uploaded in blobs)
    return wire.ImagesEmbed(kind="app.bsky.embed.images", images=images)


# ---- direct messages


async def _write(outgoing: Outgoing, caller: Caller) -> Sent:
    convo = outgoing.thread_key or (await _convo_with(outgoing.recipient, caller))
    words = wire.ChatInput(text=outgoing.text, facets=await facets.facets_of(outgoing.text, _resolver(caller)))
    body = {"convoId": convo, "message": words}
    taken = await caller.do("chat.bsky.convo.sendMessage", body, wire.ChatMessage)
    await _mark_read(convo, caller)
    return Sent(platform_id=taken.id, at=taken.sent_at, thread_key=convo)


async def _convo_with(did: str, caller: Caller) -> str:
    """The one conversation with somebody; refused where they take no messages from us."""
    found = await caller.ask("chat.bsky.convo.getConvoForMembers", wire.OneConvo, ("members", did))
    return found.convo.id


async def _mark_read(convo: str, caller: Caller) -> None:
    """What was answered is read, in the app too. Best effort."""
    try:
        await caller.do("chat.bsky.convo.updateRead", {"convoId": convo}, wire.Nothing)
    except ChannelError:
        return


async def _find_written(outgoing: Outgoing, caller: Caller) -> Sent | None:
    convo = outgoing.thread_key or (await _convo_with(outgoing.recipient, caller))
    query = (("convoId", convo), ("limit", _LOOKED_THROUGH))
    page = await caller.ask("chat.bsky.convo.getMessages", wire.ChatMessages, *query)
    ours = (one for one in page.messages if one.sender and one.sender.did == caller.channel.account_key)
    found = next((one for one in ours if _is_it(one, outgoing)), None)
    return Sent(platform_id=found.id, at=found.sent_at, thread_key=convo) if found else None


def _is_it(one: wire.ChatMessage, outgoing: Outgoing) -> bool:
    is_later = outgoing.written_at is None or one.sent_at is None or one.sent_at >= outgoing.written_at
    return is_later and one.text == outgoing.text and one.id not in outgoing.references


# ---- acts on messages


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """One act; what is so already counts as done. Raises ChannelError."""
    caller, surface = Caller(channel, tools), CAPABILITIES.surface(act.surface)
    match act.verb:
        case "like" if surface.is_public:
            return await _like(act.platform_id, caller)
        case "unlike" if surface.is_public:
            await _unlike(act, caller)
        case "delete" if surface.is_public and did_of(act.platform_id) == channel.account_key:
            await _delete(wire.POST, key_of(act.platform_id), caller)
        case "hide" | "unhide" if surface.moderation.hide:
            await _hide(act, caller)
        case "react" | "unreact" if not surface.is_public:
            method = f"chat.bsky.convo.{'add' if act.verb == 'react' else 'remove'}Reaction"
            body = {"convoId": act.thread_key, "messageId": act.platform_id, "value": act.emoji}
            await caller.do(method, body, wire.Nothing)
        case _:
            raise ChannelError("no_moderation", "Bluesky cannot do that.", permanent=True)
    return Moderated()


async def _like(uri: str, caller: Caller) -> Moderated:
    view = await _view(uri, caller)
    if view is None:
        raise ChannelError("message_gone", "The post is gone.", permanent=True)
    if view.viewer.like:
        return Moderated(mark=view.viewer.like)
    record = wire.Like(kind=wire.LIKE, subject=wire.StrongRef(uri=uri, cid=view.cid), created_at=_stamp(clock.now()))
    taken = await _create(wire.LIKE, _tid(int.from_bytes(hashlib.sha256(uri.encode()).digest()[:8])), record, caller)
    return Moderated(mark=taken.uri)


async def _unlike(act: ModerationAct, caller: Caller) -> None:
    view = await _view(act.platform_id, caller)
    for like in {act.mark, view.viewer.like if view else ""} - {""}:
        await _delete(wire.LIKE, key_of(like), caller)


async def _delete(collection: str, key: str, caller: Caller) -> None:
    """deleteRecord makes sure that nothing is there; what is gone already is no error."""
    body = {"repo": caller.channel.account_key, "collection": collection, "rkey": key}
    await caller.do("com.atproto.repo.deleteRecord", body, wire.Nothing)


async def _hide(act: ModerationAct, caller: Caller) -> None:
    """The gate of our root post lists the replies we hide; it has the root's own key."""
    key = key_of(act.thread_key)
    stored = await _stored(wire.GATE, key, caller)
    gate = (
        msgspec.json.decode(stored.value, type=wire.Threadgate)
        if stored
        else wire.Threadgate(kind=wire.GATE, post=act.thread_key, created_at=_stamp(clock.now()))
    )
    hidden = tuple(uri for uri in gate.hidden_replies if uri != act.platform_id)
    hidden = (*hidden, act.platform_id)[-_MOST_HIDDEN:] if act.verb == "hide" else hidden
    swap = {"swapRecord": stored.cid} if stored else {}
    body = {
        "repo": caller.channel.account_key,
        "collection": wire.GATE,
        "rkey": key,
        "record": msgspec.structs.replace(gate, hidden_replies=hidden),
    }
    await caller.do("com.atproto.repo.putRecord", {**body, **swap}, wire.Taken)
