"""From X to Careline: the handshake, the signature, deliveries cut into events, and events translated. Pure.

Sources, read 2026-11-22: docs.x.com/x-api/webhooks/introduction and .../quickstart (CRC, x-twitter-webhooks-signature), x-api/activity/event-payloads and
.../introduction (xdevplatform/docs, 2026-08-22). Signs of reading and typing have no example there: they are read as the older Account Activity
API wrote them, whose shapes the direct messages there still have.
"""

from __future__ import annotations

import base64
import hmac
import html
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from careline.channels.base import (
    AccessLost,
    Author,
    ChannelView,
    ConnectionView,
    Counted,
    Deleted,
    Edited,
    Happening,
    HookAnswer,
    HookRequest,
    InboundFile,
    Part,
    ReceiptSeen,
    Said,
    ThreadFacts,
    Typed,
)
from careline.channels.x import linking, wire
from careline.errors import ForeignPayload, SignInRequired, UnknownEvent
from careline.kit import clock, signing

SIGNATURE: Final = "x-twitter-webhooks-signature"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+/=-]{1,200}")
_PRIVATE: Final = ("direct_message_events", "direct_message_mark_read_events", "direct_message_indicate_typing_events")
T = TypeVar("T")


# ---- deliveries


def answer_challenge(request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
    """The token, signed. Nothing but a token is: what looks like a delivery would come back to us with our own signature."""
    if request.method != "GET":
        return None
    token = request.query.get("crc_token", "")
    if not _TOKEN.fullmatch(token):
        raise SignInRequired("challenge_wrong", "This is no challenge of X's.")
    body = msgspec.json.encode({"response_token": _signed(token.encode(), connection)})
    return HookAnswer(200, body, "application/json")


def check_signature(request: HookRequest, connection: ConnectionView) -> None:
    """Raises SignInRequired unless the bytes as they came were signed with the app's consumer secret."""
    shown = request.headers.get(SIGNATURE, "").encode()
    if not hmac.compare_digest(_signed(request.body, connection).encode(), shown):
        raise SignInRequired("signature_wrong", "The delivery is not signed with this app's consumer secret.")


def _signed(content: bytes, connection: ConnectionView) -> str:
    secret = connection.secrets.get("consumer_secret", "")
    if not secret:
        raise SignInRequired("secret_missing", "This connection has no consumer secret.")
    return f"sha256={base64.b64encode(signing.sign(secret.encode(), content)).decode()}"


def split(body: bytes, connection: ConnectionView) -> list[Part]:
    """Raises ForeignPayload; UnknownEvent where nothing is for an account of ours, which X must not repeat."""
    event = _read(_read(body, wire.Delivery).data, wire.Event)
    account = event.filter.user_id
    if event.event_type == "oauth.revoke":
        account = _read(event.payload, wire.Revoked).user_id
    if account not in connection.accounts:
        raise UnknownEvent("no account of ours")
    return list(_cut(event, account))


def _cut(event: wire.Event, account: str) -> Iterable[Part]:
    if event.event_type.startswith("post.") and event.event_type not in {"post.delete", "post.repost.create"}:
        yield post_part(event, account)
    elif event.event_type == "post.delete":
        gone = _read(event.payload, wire.Gone)
        yield part_of(event, account, f"gone:{gone.id}", gone.id)
    elif event.event_type.startswith("dm."):
        yield from _private_parts(event, account)
    else:
        yield part_of(event, account, f"event:{event.event_uuid}", event.event_type)


def post_part(event: wire.Event, account: str) -> Part:
    """One version of a post is one event, whether it names, answers or quotes us, or was fetched."""
    post = _read(event.payload, wire.Post)
    return part_of(event, account, f"post:{post.id}", post.conversation_id or post.versions[0])


def part_of(event: wire.Event, account: str, event_id: str, order_key: str) -> Part:
    return Part(account, event_id, order_key, msgspec.json.encode(event))


def _private_parts(event: wire.Event, account: str) -> Iterable[Part]:
    told = _read(event.payload, wire.Private)
    found = [(name, raw) for name in _PRIVATE for raw in getattr(told, name)]
    if not found:
        yield part_of(event, account, f"event:{event.event_uuid}", event.event_type)
    for name, raw in found:
        one = _read(raw, wire.PrivateEvent)
        payload = msgspec.json.encode({name: [raw], "users": told.users})
        alone = msgspec.structs.replace(event, payload=msgspec.Raw(payload))
        event_id = f"dm:{one.id}" if one.id else f"{event.event_type}:{one.created_timestamp}:{event.event_uuid}"
        yield part_of(alone, account, event_id, _partner(one, account))


def _partner(one: wire.PrivateEvent, account: str) -> str:
    sender, target = one.sender_id, one.target.recipient_id
    if one.message_create is not None:
        sender, target = one.message_create.sender_id, one.message_create.target.recipient_id
    return dm_key(target if sender == account else sender)


def dm_key(user_id: str) -> str:
    """The conversation of two: X knows one, whoever began."""
    return f"dm:{user_id}"


def _read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE as broken:
        raise ForeignPayload("This is no event of X's.") from broken


# ---- events


def normalise(raw: bytes, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds nobody asked for (and for encrypted chats), ForeignPayload for what cannot be read."""
    event = _read(raw, wire.Event)
    translate = _KINDS.get(event.event_type)
    if translate is None:
        raise UnknownEvent(event.event_type[:60])
    return translate(event, channel)


def _posted(event: wire.Event, channel: ChannelView) -> list[Happening]:
    post, includes = _read(event.payload, wire.Post), event.includes
    if post.refers_to("retweeted"):
        raise UnknownEvent("repost")
    users, posts = _users(includes.users), {one.id: one for one in (*includes.posts, *includes.tweets)}
    above = posts.get(post.refers_to("replied_to"))
    shown = above or posts.get(post.refers_to("quoted"))
    said = [_said(post, shown, users, includes.media, channel, is_quote=event.event_type == "post.quote.create")]
    if above is not None:
        said.insert(0, _said(above, None, users, (), channel, is_bystander=True))
    if len(post.versions) < 2:
        return list(said)
    return [*said, Edited(post.versions[0], said[-1].text, _at(post.created_at), aliases=post.versions[1:])]


def _said(
    post: wire.Post,
    shown: wire.Post | None,
    users: Mapping[str, wire.User],
    media: tuple[wire.Media, ...],
    channel: ChannelView,
    *,
    is_quote: bool = False,
    is_bystander: bool = False,
) -> Said:
    is_named = is_quote or any(one.id == channel.account_key for one in post.entities.mentions)
    is_answer = post.in_reply_to_user_id == channel.account_key
    return Said(
        platform_id=post.versions[0],
        thread_key=_thread_of(post),
        surface=_surface(post, channel),
        author=_author(post.author_id, users, channel),
        text=_words(post, channel),
        at=_at(post.created_at),
        thread=_facts(post, shown, users, channel),
        reply_to=post.refers_to("replied_to"),
        files=_files(media, post.attachments.media_keys),
        is_addressed=(is_named or is_answer) and not is_bystander,
        is_summons=is_named,
        is_history=_is_history(post.created_at, channel),
        language="" if post.lang in {"und", "zxx"} else post.lang[:8],
        aliases=post.versions[1:],
        facts={"protected": "yes"} if users.get(post.author_id, _NOBODY).protected else {},
    )


_NOBODY: Final = wire.User("")


def _thread_of(post: wire.Post) -> str:
    """The conversation, under the id its first post had before any edit."""
    return post.versions[0] if post.conversation_id in {"", *post.versions} else post.conversation_id


def _surface(post: wire.Post, channel: ChannelView) -> str:
    """A direct answer to a post that begins a conversation of ours is a comment: only there may we hide."""
    is_ours = post.in_reply_to_user_id == channel.account_key
    return "comment" if is_ours and post.refers_to("replied_to") == post.conversation_id else "post"


def _words(post: wire.Post, channel: ChannelView) -> str:
    """The whole text, without the names an answer begins with (X writes them, not the author) and with addresses in full."""
    note = post.note_post or post.note_tweet
    text, links = (note.text, note.entities.urls) if note and note.text else (post.text, post.entities.urls)
    begins = post.display_text_range[0] if post.display_text_range else 0
    if post.refers_to("replied_to") and text == post.text:
        text = _without_names(text, begins)
    return _in_full(text, links, (*post.attachments.media_keys, post.refers_to("quoted")))


def _without_names(text: str, begins: int) -> str:
    while (found := re.match(r"@\w{1,15}\s+", text)) and found.end() <= begins:
        text, begins = text[found.end() :], begins - found.end()
    return text


def _in_full(text: str, links: tuple[wire.Link, ...], shown: tuple[str, ...]) -> str:
    """Short addresses as they were written; those of files and of the quoted post, which X adds, are taken away."""
    for link in links:
        is_added = link.media_key in shown if link.media_key else link.expanded_url.rpartition("/")[2] in shown[-1:]
        text = text.replace(link.url, "" if is_added else link.expanded_url or link.url)
    return html.unescape(text).replace("\0", "").strip()


def _facts(
    post: wire.Post, shown: wire.Post | None, users: Mapping[str, wire.User], channel: ChannelView
) -> ThreadFacts:
    begins = _thread_of(post) == post.versions[0]
    return ThreadFacts(
        permalink=f"https://x.com/i/status/{_thread_of(post)}",
        reach=post.public_metrics.impression_count if begins else 0,
        parent_author=_author(shown.author_id, users, channel).name if shown else "",
        parent_text=_words(shown, channel) if shown else "",
    )


def _files(media: tuple[wire.Media, ...], keys: tuple[str, ...]) -> tuple[InboundFile, ...]:
    found = [(one, _best(one.variants) or one.url or one.preview_image_url) for one in media if one.media_key in keys]
    return tuple(InboundFile(_name(url), url=url, alt_text=one.alt_text) for one, url in found if url)


def _best(variants: tuple[wire.Variant, ...]) -> str:
    films = [one for one in variants if one.content_type == "video/mp4"]
    return max(films, key=lambda one: one.bit_rate or one.bitrate).url if films else ""


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _users(raws: Iterable[msgspec.Raw]) -> dict[str, wire.User]:
    """Some deliveries wrap each user in `data`."""
    return {one.id: one for one in map(_user, raws)}


def _user(raw: msgspec.Raw) -> wire.User:
    try:
        return msgspec.json.decode(raw, type=wire.User)
    except _UNREADABLE:
        return _read(raw, wire.Wrapped).data


def _author(user_id: str, users: Mapping[str, wire.User], channel: ChannelView) -> Author:
    user = users.get(user_id, _NOBODY)
    handle = f"@{user.username}" if user.username else ""
    name, picture = user.name.replace("\0", "") or handle, user.profile_image_url
    return Author(user_id, handle, name, picture, is_us=user_id == channel.account_key)


def _at(at: datetime | None) -> datetime:
    return at or clock.now()


def _is_history(at: datetime | None, channel: ChannelView) -> bool:
    return at is not None and channel.history_before is not None and at < channel.history_before


def _gone(event: wire.Event, channel: ChannelView) -> list[Happening]:
    gone = _read(event.payload, wire.Gone)
    return [Deleted(gone.id, _at(gone.at))]


def _reached(event: wire.Event, channel: ChannelView) -> list[Happening]:
    post = _read(event.payload, wire.Post)
    return [Counted(post.id, post.public_metrics.impression_count, clock.now())]


def _private(event: wire.Event, channel: ChannelView) -> list[Happening]:
    told = _read(event.payload, wire.Private)
    ((name, raw),) = [(name, raw) for name in _PRIVATE for raw in getattr(told, name)] or [("", msgspec.Raw(b"{}"))]
    one, users = _read(raw, wire.PrivateEvent), _users(told.users.values())
    at, who = _from_ms(one.created_timestamp), _author(one.sender_id, users, channel)
    if name == "direct_message_indicate_typing_events":
        return [Typed(dm_key(one.sender_id), who)]
    if name == "direct_message_mark_read_events":
        return [ReceiptSeen("read", at, platform_id=one.last_read_event_id)]
    if one.message_create is None:
        raise UnknownEvent(event.event_type[:60])
    return [_private_said(one, one.message_create, at, users, channel)]


def _private_said(
    one: wire.PrivateEvent,
    made: wire.MessageCreate,
    at: datetime,
    users: Mapping[str, wire.User],
    channel: ChannelView,
) -> Said:
    words, media = made.message_data, made.message_data.attachment.media if made.message_data.attachment else None
    url = (_best(media.video_info.variants) or media.media_url_https) if media else ""
    text = words.text
    for link in words.entities.urls if media else ():
        text = text.replace(link.url, "") if "/messages/media/" in link.expanded_url else text
    fetched = wire.DmEvent(one.id, text=text, sender_id=made.sender_id, entities=words.entities, created_at=at)
    files = (InboundFile(_name(url), url=file_address(url)),) if url else ()
    return _dm(fetched, _partner(one, channel.account_key), files, users, channel)


def file_address(url: str) -> str:
    """Files of direct messages need the account's token: `x:<message>/<media>/<file>`, the last three parts of their address."""
    return f"x:{'/'.join(url.partition('?')[0].split('/')[-3:])}"


def _fetched(event: wire.Event, channel: ChannelView) -> list[Happening]:
    one, users = _read(event.payload, wire.DmEvent), _users(event.includes.users)
    others = [user_id for user_id in one.dm_conversation_id.split("-") if user_id != channel.account_key]
    if len(others) != 1 or "-" not in one.dm_conversation_id:
        raise UnknownEvent("group conversation")
    media = [found for found in event.includes.media if found.media_key in one.attachments.media_keys]
    urls = [_best(found.variants) or found.url or found.preview_image_url for found in media]
    files = tuple(InboundFile(_name(url), url=file_address(url)) for url in urls if url)
    return [_dm(one, dm_key(others[0]), files, users, channel)]


def _dm(
    one: wire.DmEvent, key: str, files: tuple[InboundFile, ...], users: Mapping[str, wire.User], channel: ChannelView
) -> Said:
    continues, text = linking.arrived_from(_in_full(one.text, one.entities.urls, ("",)), channel)
    return Said(
        platform_id=one.id,
        thread_key=key,
        surface="dm",
        author=_author(one.sender_id, users, channel),
        text=text,
        at=_at(one.created_at),
        files=files,
        continues=continues if one.sender_id != channel.account_key else 0,
        is_history=_is_history(one.created_at, channel),
    )


def _from_ms(milliseconds: str) -> datetime:
    return clock.from_epoch(int(milliseconds) / 1000) if milliseconds.isdecimal() else clock.now()


def _revoked(event: wire.Event, channel: ChannelView) -> list[Happening]:
    return [AccessLost("The account took the app's access away.", _read(event.payload, wire.Revoked).date_time)]


FETCHED_DM: Final = "careline.dm"
FETCHED_POST: Final = "careline.post"
REACHED: Final = "careline.reach"
_KINDS: Final[Mapping[str, Callable[[wire.Event, ChannelView], list[Happening]]]] = {
    **dict.fromkeys(
        ("post.create", "post.mention.create", "post.reply.create", "post.quote.create", FETCHED_POST), _posted
    ),
    **dict.fromkeys(("dm.received", "dm.sent", "dm.read", "dm.indicate_typing"), _private),
    "post.delete": _gone,
    FETCHED_DM: _fetched,
    REACHED: _reached,
    "oauth.revoke": _revoked,
}
