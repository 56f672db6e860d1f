"""Where an answer goes: the thread of the case, or the private one that a public thread leads to."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from careline.cases.changing import CaseChange
from careline.cases.queries.answering import identity_on, surface_of
from careline.cases.queries.persons import known_identities
from careline.channels.access import channels_by_id
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.errors import InputRefused, NotFound
from careline.people.models import Identity
from careline.threads.models import Message, Thread
from careline.threads.queries import last_inbound_by_thread, thread_ids_of_case, threads_by_id
from careline.threads.starting import private_thread_with, start_thread


@dataclass(frozen=True)
class Place:
    """Where an answer goes: thread, channel, rules of the surface, what it replies to, and who it is for.

    `comment` is the public word that a private answer answers: it may be all that lets us write.
    """

    thread: Thread
    channel: Channel
    surface: Surface
    reply: Message | None
    identity: Identity | None
    facts: dict[str, object] = field(default_factory=dict)
    comment: Message | None = None


def find_place(change: CaseChange, thread_id: int, *, is_public: bool, reply_to_message_id: int = 0) -> Place:
    """The thread of the case to answer in; for a private answer to a public thread the private one, begun if needed."""
    thread = _access_thread(change, thread_id)
    channel = channels_by_id([thread.channel_id])[thread.channel_id]
    surface = surface_of(channel, thread.surface)
    if surface is None:
        raise InputRefused("answer_elsewhere", _("This channel cannot be answered from here."), field="thread_id")
    if thread.is_public and not is_public:
        return _private_place(change, thread, channel, surface, reply_to_message_id)
    if is_public != thread.is_public:
        raise InputRefused("mode_wrong", _("Choose again whether this answer is public or private."), field="mode")
    reply = _reply(change, thread, reply_to_message_id)
    comment = None if is_public else _newest_comment(change, surface, channel)
    return Place(thread, channel, surface, reply, _identity(change, reply, channel), comment=comment)


def _newest_comment(change: CaseChange, surface: Surface, channel: Channel) -> Message | None:
    """Their newest public word in this case on the channel, where such a word opens a window."""
    if not any(window.opens == "inbound_comment" for window in surface.windows):
        return None
    case = change.case
    threads = threads_by_id(case.workspace_id, thread_ids_of_case(case.workspace_id, case.id)).values()
    public = [one.id for one in threads if one.is_public and one.channel_id == channel.id]
    heard = last_inbound_by_thread(public, case.person_id).values()
    return max(heard, key=lambda one: one.at, default=None)


def _access_thread(change: CaseChange, thread_id: int) -> Thread:
    case = change.case
    thread = threads_by_id(case.workspace_id, [thread_id]).get(thread_id)
    if thread is None or thread_id not in thread_ids_of_case(case.workspace_id, case.id):
        raise NotFound("thread_not_found", _("This conversation does not belong to the case."))
    return thread


def _private_place(change: CaseChange, public: Thread, channel: Channel, surface: Surface, comment_id: int) -> Place:
    case = change.case
    private = surface_of(channel, surface.private_surface) if surface.private_surface else None
    if private is None or private.initiate not in {"after_contact", "free"}:
        raise InputRefused("no_private_way", _("This channel has no private way to answer."), field="mode")
    reply = _reply(change, public, comment_id)
    identity = _identity(change, reply, channel)
    known = private_thread_with(channel.id, private.name, case.person_id)
    if known is None and surface.private_way == "link":
        raise InputRefused(
            "customer_must_begin", _("Only the customer can begin here. Send them the private link."), field="mode"
        )
    thread = known or _begun_before(change, channel, private) or start_thread(
        case.workspace_id, channel.id, private.name, subject=public.subject, case_id=case.id
    )  # fmt: skip
    _bind(thread, case.id)
    return Place(thread, channel, private, None, identity, {"from_thread": public.key}, comment=reply)


def _begun_before(change: CaseChange, channel: Channel, private: Surface) -> Thread | None:
    return (
        Thread.objects.filter(bound_case_id=change.case.id, channel_id=channel.id, surface=private.name)
        .order_by("id")
        .first()
    )


def _bind(thread: Thread, case_id: int) -> None:
    if thread.bound_case_id != case_id:
        thread.bound_case_id = case_id
        thread.save(update_fields=["bound_case_id"])


def _reply(change: CaseChange, thread: Thread, message_id: int) -> Message | None:
    if not message_id:
        return last_inbound_by_thread([thread.id], change.case.person_id).get(thread.id)
    found = (
        Message.objects.select_related("author_identity")
        .filter(id=message_id, thread=thread, workspace_id=thread.workspace_id)
        .first()
    )
    if found is None:
        raise NotFound("message_not_found", _("The message you answer is no longer there."))
    return found


def _identity(change: CaseChange, reply: Message | None, channel: Channel) -> Identity | None:
    if reply is not None and reply.author_identity is not None:
        return reply.author_identity
    return identity_on(known_identities(change.case.workspace_id, change.case.person_id), channel)
