"""The threads of a case as choices for an answer: rules of the surface, window, recipient. The one place that reads a
network's capabilities for cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from careline.cases.models import Case
from careline.cases.rows import ThreadView
from careline.channels import access, registry
from careline.channels.capabilities import Capabilities, Surface
from careline.channels.models import Channel
from careline.errors import NotFound
from careline.outbox.windows import window_of
from careline.people.models import Identity
from careline.threads import facts
from careline.threads.models import Message, Thread
from careline.threads.starting import private_thread_with


def capabilities_of(channel: Channel) -> Capabilities | None:
    """What the channel can do; None when its network is not installed. The row needs connection and brand."""
    try:
        network = registry.network(channel.network)
    except NotFound:
        return None
    return network.effective(access.view_channel(channel))


def surface_of(channel: Channel, name: str) -> Surface | None:
    """The rules of one surface of a channel; None where they are unknown."""
    capabilities = capabilities_of(channel)
    if capabilities is None:
        return None
    return next((surface for surface in capabilities.surfaces if surface.name == name), None)


@dataclass(frozen=True)
class Answerable:
    """What the answer choices of a case are made of, read beforehand."""

    threads: Iterable[Thread]
    channels: Mapping[int, Channel]
    replies_to: Mapping[int, Message]
    identities: tuple[Identity, ...]
    now: datetime
    sent_at: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    """When we wrote, by thread, where a window counts it."""
    known_private: Mapping[tuple[int, str], Thread] = field(default_factory=dict)
    """By channel and surface: a private conversation with the person that is not part of the case."""


def thread_views(case: Case, given: Answerable) -> tuple[ThreadView, ...]:
    """Threads that may be answered, newest word first; a public one is followed by its private way, if its network has
    one. No statement.
    """
    views: list[ThreadView] = []
    newest_first = sorted(given.threads, key=lambda one: (one.last_inbound_at or one.created_at, one.id), reverse=True)
    for thread in newest_first:
        channel = given.channels.get(thread.channel_id)
        surface = surface_of(channel, thread.surface) if channel else None
        if channel is None or surface is None:
            continue
        view = _view(case, thread, channel, surface, given)
        private = _private_way(channel, surface)
        if private is None or any(_is_private_of(one, channel, private) for one in newest_first):
            views.append(view)
        elif surface.private_way == "link" and (channel.id, private.name) not in given.known_private:
            views.append(msgspec.structs.replace(view, private_link=private_link(channel, thread)))
        else:
            views += [view, _private_view(case, thread, channel, private, given)]
    return tuple(views)


def _private_way(channel: Channel, surface: Surface) -> Surface | None:
    private = surface_of(channel, surface.private_surface) if surface.is_public and surface.private_surface else None
    return private if private is not None and private.initiate in {"after_contact", "free"} else None


def private_link(channel: Channel, thread: Thread) -> str:
    """The address by which somebody comes from this public thread into a private conversation; '' where there is none."""
    return registry.network(channel.network).private_link(access.view_channel(channel), thread.id)


def _is_private_of(thread: Thread, channel: Channel, private: Surface) -> bool:
    return thread.channel_id == channel.id and thread.surface == private.name


def _view(case: Case, thread: Thread, channel: Channel, surface: Surface, given: Answerable) -> ThreadView:
    reply = given.replies_to.get(thread.id)
    identity = (reply.author_identity if reply else None) or identity_on(given.identities, channel)
    window = window_of(
        surface,
        thread.last_inbound_at,
        given.now,
        "human",
        last_comment_at=last_comment_at(given, channel.id),
        sent_at=given.sent_at.get(thread.id, ()),
        is_summons=reply is None or facts.is_summons(reply),
    )
    return ThreadView(
        id=thread.id,
        key=thread.key,
        channel_id=channel.id,
        channel_name=channel.name,
        channel_handle=channel.handle,
        network=channel.network,
        is_simulated=channel.is_simulated,
        surface=surface.name,
        is_public=thread.is_public,
        subject=thread.subject,
        permalink=thread.permalink,
        reach=thread.reach,
        last_inbound_at=thread.last_inbound_at,
        rules=surface,
        window_closes_at=window.closes_at,
        closed_code=window.closed_code,
        window_allows=window.allows,
        window_used=window.used,
        opens_from="",
        undo_s=channel.undo_s,
        reply_to_message_id=reply.id if reply else 0,
        recipient_name=identity.name if identity and identity.name else case.person_name,
        recipient=recipient_of(reply, identity),
        copied=facts.copied_of(reply) if reply else (),
        parent_author=thread.parent_author,
        parent_text=thread.parent_text,
    )


def _private_view(case: Case, thread: Thread, channel: Channel, private: Surface, given: Answerable) -> ThreadView:
    """The private conversation that an answer would begin: it names the public thread it starts from, and has no key
    yet.
    """
    known = given.known_private.get((channel.id, private.name))
    comment = given.replies_to.get(thread.id)
    window = window_of(
        private,
        known.last_inbound_at if known else None,
        given.now,
        "human",
        last_comment_at=comment.at if comment else thread.last_inbound_at,
        sent_at=given.sent_at.get(known.id, ()) if known else (),
    )
    return msgspec.structs.replace(
        _view(case, thread, channel, private, given),
        window_closes_at=window.closes_at,
        closed_code=window.closed_code,
        window_allows=window.allows,
        window_used=window.used,
        opens_from=thread.surface,
        is_public=False,
        key="",
        subject="",
        permalink="",
        reach=0,
        parent_author="",
        parent_text="",
        private_link="",
    )


def last_comment_at(given: Answerable, channel_id: int) -> datetime | None:
    """When the customer last spoke in public on a channel: it opens windows for private answers."""
    public = {one.id for one in given.threads if one.is_public and one.channel_id == channel_id}
    return max((one.at for thread_id, one in given.replies_to.items() if thread_id in public), default=None)


def counted_threads(threads: Iterable[Thread], channels: Mapping[int, Channel]) -> list[int]:
    """Private threads on surfaces where a window counts our messages. No statement."""
    found = []
    for thread in threads:
        surface = surface_of(channels[thread.channel_id], thread.surface) if thread.channel_id in channels else None
        if surface is not None and any(window.max_messages for window in surface.windows):
            found.append(thread.id)
    return found


def private_ways(
    case: Case, threads: Iterable[Thread], channels: Mapping[int, Channel]
) -> dict[tuple[int, str], Thread]:
    """Private conversations with the person outside the case that a public thread of it leads to. One statement for
    each channel that has such a way.
    """
    mine = list(threads)
    found: dict[tuple[int, str], Thread] = {}
    for thread in mine:
        channel = channels.get(thread.channel_id)
        surface = surface_of(channel, thread.surface) if channel else None
        private = _private_way(channel, surface) if channel and surface else None
        if channel is None or private is None or (channel.id, private.name) in found:
            continue
        if not any(_is_private_of(one, channel, private) for one in mine):
            known = private_thread_with(channel.id, private.name, case.person_id)
            if known is not None:
                found[channel.id, private.name] = known
    return found


def identity_on(identities: Iterable[Identity], channel: Channel) -> Identity | None:
    """The person's identity on a channel's network."""
    return next((one for one in identities if one.network == channel.network), None)


def recipient_of(reply: Message | None, identity: Identity | None) -> str:
    """Where an answer goes: the address its author asked for, else their key."""
    return (facts.reply_address_of(reply) if reply else "") or (identity.key if identity else "")
