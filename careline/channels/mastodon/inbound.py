"""From Mastodon to Careline: posts, their edits, favourites, boosts and what is gone, translated. Pure.

Nobody counts views, so those who answered, favourited, boosted or quoted a post stand for its reach. A post for followers only is treated as
public, for we do not know who they are; a `direct` one is private, but the administrators of each server concerned can read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from careline.channels.base import (
    Author,
    ChannelView,
    Deleted,
    Edited,
    Happening,
    InboundFile,
    Part,
    Reacted,
    Said,
    ThreadFacts,
)
from careline.channels.mastodon import lengths, wire
from careline.channels.mastodon.setup import full_name
from careline.errors import ForeignPayload, UnknownEvent
from careline.kit.markup import plain_text

FAVOURITE: Final = "\u2b50"
BOOST: Final = "\U0001f501"
DIRECT: Final = "direct:"
_QUOTE_LINE: Final = re.compile(r'<p class="quote-inline">.{0,4000}?</p>', re.DOTALL)
"""A link to what is quoted, for apps that know no quotes (docs.joinmastodon.org/client/quotes, read 2026-11-22)."""
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_T = TypeVar("_T")


def normalise(part: Part, channel: ChannelView) -> list[Happening]:
    """Raises UnknownEvent for kinds of a later version, ForeignPayload for what cannot be read."""
    row = _read(part.raw, wire.Row)
    translate = _KINDS.get(row.kind)
    if translate is None:
        raise UnknownEvent(row.kind[:60])
    return [translate(row, channel)]


def _read(raw: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE as broken:
        raise ForeignPayload("This is not an event of Mastodon.") from broken


def key_of(acct: str, channel: ChannelView) -> str:
    """By what a person is known: their full name."""
    return full_name(acct, channel.setting("domain"))


def thread_of(status: wire.Status, root: wire.Status | None, channel: ChannelView) -> str:
    """A public thread by the post that began it; a private conversation by those who are in it, as the apps list it."""
    if status.visibility != "direct":
        return (root or status).id
    accts = [status.account.acct, *(one.acct for one in status.mentions)]
    return direct_key({key_of(one, channel) for one in accts} - {channel.account_key})


def direct_key(names: Iterable[str]) -> str:
    """The conversation with these people."""
    return DIRECT + ",".join(sorted(names))


def _post(row: wire.Row, channel: ChannelView) -> Happening:
    status = _read(row.event, wire.Status)
    is_direct, author = status.visibility == "direct", _author(status.account, channel)
    return Said(
        platform_id=status.id,
        thread_key=thread_of(status, row.root, channel),
        surface="dm" if is_direct else "reply" if status.in_reply_to_id else "post",
        author=author,
        text=_own_words(status, row.parent) if author.is_us else _words(status),
        at=status.created_at,
        thread=ThreadFacts() if is_direct else _facts(status, row),
        reply_to=status.in_reply_to_id or "",
        files=_files(status.media_attachments),
        is_addressed=row.quotes_us or _is_addressed(status, row.parent, channel),
        is_history=channel.history_before is not None and status.created_at < channel.history_before,
        language=(status.language or "")[:10],
        joins_reply=not is_direct and row.parent is not None,
    )


def _is_addressed(status: wire.Status, parent: wire.Status | None, channel: ChannelView) -> bool:
    """Named by its author, or an answer to us. An app names everybody of a thread in each answer; that alone addresses nobody."""
    us = channel.account_key
    named = us in {key_of(one.acct, channel) for one in status.mentions}
    quoted = status.quote.quoted_status if status.quote else None
    if (quoted and key_of(quoted.account.acct, channel) == us) or (named and parent is None):
        return True
    if not named or parent is None:
        return False
    above = {key_of(one, channel) for one in (parent.account.acct, *(one.acct for one in parent.mentions))}
    if key_of(parent.account.acct, channel) == us or us not in above or parent.account.id == status.account.id:
        return True
    return _names(lengths.without_first_mentions(_words(status)), channel)


def _names(text: str, channel: ChannelView) -> bool:
    us = channel.account_key
    return not {us, us.partition("@")[0]}.isdisjoint(lengths.mentions(text))


def _facts(status: wire.Status, row: wire.Row) -> ThreadFacts:
    root = row.root or status
    above = row.parent or (status.quote.quoted_status if status.quote else None)
    return ThreadFacts(
        permalink=root.url or "",
        reach=root.replies_count + root.reblogs_count + root.favourites_count + (root.quotes_count or 0),
        parent_author=above.account.display_name or f"@{above.account.acct}" if above else "",
        parent_text=_words(above) if above else "",
    )


def _words(status: wire.Status) -> str:
    """The warning before a post, its words, what it lets vote on."""
    options = "\n".join(f"\u25cb {one.title}" for one in (status.poll.options if status.poll else ()))
    pieces = (status.spoiler_text, plain_text(_QUOTE_LINE.sub("", status.content)), options)
    return "\n\n".join(one for one in pieces if one).replace("\0", "")


def _own_words(status: wire.Status, parent: wire.Status | None) -> str:
    """What somebody of ours wrote: without the names and the warning that an app takes over from what is answered."""
    is_taken_over = parent is not None and status.spoiler_text == parent.spoiler_text
    bare = msgspec.structs.replace(status, spoiler_text="") if is_taken_over else status
    return lengths.without_first_mentions(_words(bare))


def _files(media: Iterable[wire.Media]) -> tuple[InboundFile, ...]:
    """What the server has, else what lies elsewhere."""
    found = ((one.url or one.remote_url or "", one) for one in media)
    return tuple(
        InboundFile(url.partition("?")[0].rpartition("/")[2][:120] or one.id, url=url, alt_text=one.description or "")
        for url, one in found
        if url
    )


def _author(account: wire.Account, channel: ChannelView) -> Author:
    key = key_of(account.acct, channel)
    return Author(
        key=key,
        handle=f"@{key}",
        name=account.display_name.replace("\0", ""),
        avatar_url=account.avatar,
        is_us=key == channel.account_key,
    )


def _edit(row: wire.Row, channel: ChannelView) -> Happening:
    status = _read(row.event, wire.Status)
    is_ours = key_of(status.account.acct, channel) == channel.account_key
    words = _own_words(msgspec.structs.replace(status, spoiler_text=""), None) if is_ours else _words(status)
    return Edited(status.id, words, status.edited_at or status.created_at)


def _gone(row: wire.Row, channel: ChannelView) -> Happening:
    gone = _read(row.event, wire.Gone)
    return Deleted(gone.id, gone.at)


def _reacted(row: wire.Row, channel: ChannelView) -> Happening:
    notice = _read(row.event, wire.Notice)
    if notice.status is None:
        raise ForeignPayload("A reaction to nothing.")
    emoji = FAVOURITE if notice.type == "favourite" else BOOST
    return Reacted(notice.status.id, _author(notice.account, channel), emoji, notice.created_at)


_KINDS: Final[Mapping[str, Callable[[wire.Row, ChannelView], Happening]]] = {
    "post": _post,
    "edit": _edit,
    "gone": _gone,
    "favourite": _reacted,
    "reblog": _reacted,
}
