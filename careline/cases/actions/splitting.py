"""Split messages off into a case of their own: a second problem told in the same breath. Reversible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from careline.cases.applying import begin_case, close
from careline.cases.cards import index_cards
from careline.cases.changing import CaseChange, changes_of, changing_case
from careline.cases.gathering import gather_signs
from careline.cases.models import Case, CaseAct
from careline.cases.moving import bind_threads, message_ids_of, move_messages, settle
from careline.cases.numbering import take_numbers
from careline.cases.queries.answering import surface_of
from careline.cases.reversing import reverses
from careline.channels.access import channels_by_id
from careline.channels.capabilities import Surface
from careline.errors import Conflict, InputRefused, NotFound
from careline.kit import ids
from careline.people.models import Person
from careline.threads.models import Message
from careline.workspaces.sight import Viewer


def split_case(viewer: Viewer, number: int, message_ids: Sequence[int], title: str = "") -> Case:
    """Messages of a case leave for a new one of their author, with the same team and assignee. Returns the new case.

    Raises InputRefused('nothing_to_split') or ('nothing_left'), NotFound for a message of another case.
    """
    with changing_case(viewer, number, "manage_case") as change:
        leaving = _leaving(change, message_ids)
        fresh = _begin(change, leaving, title)
        moved = [message.id for message in leaving]
        threads = _threads_left_behind(change.case, leaving)
        move_messages(moved, fresh)
        bind_threads(threads, fresh)
        _wait_as_heard(fresh, leaving)
        batch = ids.new_id()
        said = change.case.signs
        gather_signs(change.case, said)
        gather_signs(fresh, said)
        settle(change.case)
        change.save(
            "split",
            batch=batch,
            extra={"into": fresh.number, "into_id": fresh.id, "message_ids": moved, "thread_ids": threads},
        )
        change.record("case.split", into=fresh.number)
        other = changes_of(change.work, [fresh], viewer.agent_id)[0]
        settle(fresh)
        other.save("split_here", batch=batch, extra={"from": change.case.number, "from_id": change.case.id})
        other.record("case.opened")
        index_cards([fresh])
        return fresh


def _leaving(change: CaseChange, message_ids: Sequence[int]) -> list[Message]:
    wanted = set(message_ids)
    found = Message.objects.filter(workspace_id=change.case.workspace_id, case_id=change.case.id, id__in=wanted)
    leaving = list(found.select_related("author_identity", "thread").order_by("at", "id"))
    if not leaving:
        raise InputRefused("nothing_to_split", _("Choose the messages that make the new case."), field="messages")
    if len(leaving) != len(wanted):
        raise NotFound("message_not_found", _("A message is no longer in this case."))
    if not set(message_ids_of(change.case)) - wanted:
        raise InputRefused("nothing_left", _("Leave at least one message in the case."), field="messages")
    return leaving


def _begin(change: CaseChange, leaving: Sequence[Message], title: str) -> Case:
    old = change.case
    spoken = next((message for message in leaving if message.author_identity is not None), None)
    person_id = spoken.author_identity.person_id if spoken and spoken.author_identity else old.person_id
    place = next((message for message in leaving if message.thread is not None), None)
    channel_id = (place.channel_id if place else None) or old.channel_id
    channel = channels_by_id([channel_id])[channel_id]
    name = place.surface if place else old.surface
    fresh = begin_case(
        workspace_id=old.workspace_id,
        number=take_numbers(old.workspace_id)[-1],
        person=Person.objects.get(id=person_id, workspace_id=old.workspace_id),
        channel_id=channel_id,
        network=channel.network,
        surface=surface_of(channel, name) or Surface(name=name, visibility="public" if old.is_public else "private"),
        team_id=old.team_id,
        is_simulated=channel.is_simulated,
        now=change.now,
        title=title.strip(),
    )
    fresh.assignee_id, fresh.language, fresh.opened_at = old.assignee_id, old.language, leaving[0].at
    fresh.save()
    return fresh


def _threads_left_behind(case: Case, leaving: Sequence[Message]) -> list[int]:
    """Private threads of which no message stays: they go along."""
    going = {message.id for message in leaving}
    threads = {message.thread_id for message in leaving if message.thread_id and not message.is_public}
    staying = Message.objects.filter(workspace_id=case.workspace_id, case_id=case.id, thread_id__in=threads).exclude(
        id__in=going
    )
    return sorted(threads - set(staying.values_list("thread_id", flat=True)))


def _wait_as_heard(fresh: Case, leaving: Sequence[Message]) -> None:
    """The customer waits since their first word that nobody answered."""
    answered_at = max((message.at for message in leaving if message.direction == "outbound"), default=None)
    unanswered = [
        message.at
        for message in leaving
        if message.direction == "inbound"
        and not message.automatic
        and (answered_at is None or message.at > answered_at)
    ]
    fresh.waiting_since = min(unanswered, default=None)


@reverses("split")
def unsplit(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """The messages come back; the case they left for ends as merged. Refused once it has heard more."""
    source, other = changes[act.case_id], changes[int(act.after["into_id"])]
    moved = list(act.after["message_ids"])
    if set(message_ids_of(other.case)) - set(moved) or other.case.merged_into_id is not None:
        raise Conflict("changed_since", _("The new case has gone on since. Merge the two instead."))
    move_messages(moved, source.case)
    bind_threads(list(act.after["thread_ids"]), source.case)
    close(other.case, "", other.now)
    other.case.merged_into_id, other.case.message_count = source.case.id, 0
    gather_signs(source.case, source.case.signs, other.case.signs)
    settle(source.case)
