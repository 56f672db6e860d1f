"""Begin a conversation: a new letter to somebody who has not written, on surfaces that allow it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError
from django.utils.translation import gettext as _

from careline.cases.actions.replying import Then, Written, check_text, delivery_key, send
from careline.cases.applying import begin_case
from careline.cases.cards import index_cards
from careline.cases.changing import changes_of
from careline.cases.filing import access_files, check_files
from careline.cases.models import Case
from careline.cases.numbering import take_numbers
from careline.cases.placing import Place
from careline.cases.queries.answering import capabilities_of
from careline.channels import registry
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.people.meeting import Met, meet
from careline.threads.models import Message
from careline.threads.starting import start_thread
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

MOST_RECIPIENTS = 50


def compose(  # noqa: PLR0913 - the fields of a letter, all by name
    viewer: Viewer,
    channel_id: int,
    *,
    to: Sequence[str],
    text: str,
    subject: str = "",
    copied: Sequence[str] = (),
    file_ids: Sequence[int] = (),
    file_names: Sequence[str] = (),
    client_key: str = "",
    name: str = "",
    then: Then = "waiting",
) -> Message:
    """Write first: finds or makes the person behind the first address, a thread, a case (the viewer's), the message
    and its delivery.

    A repeated `client_key` returns the first message. Raises NotFound for a channel the viewer's teams do not hold,
    InputRefused (cannot_begin, address_wrong, text_*, files_*), Conflict('person_blocked').
    """
    check_may(viewer.role, "answer")
    written = Written(
        thread_id=0,
        text=text.strip(),
        mode="private",
        file_ids=tuple(file_ids),
        file_names=tuple(file_names),
        subject=subject.strip(),
        to=_cleaned(to),
        copied=_cleaned(copied),
        client_key=client_key,
        then=then,
    )
    key = delivery_key(viewer.agent_id, channel_id, client_key)
    try:
        return _first(key) or _compose(viewer, channel_id, written, key, " ".join(name.split()))
    except IntegrityError:
        # The same click, twice at once: the other one was written a moment ago.
        first = _first(key)
        if first is None:
            raise
        return first


def _first(key: str) -> Message | None:
    delivery = Delivery.objects.select_related("message").filter(idempotency_key=key).first()
    return delivery.message if delivery else None


def _compose(viewer: Viewer, channel_id: int, written: Written, key: str, name: str) -> Message:
    with unit_of_work() as work:
        channel = access_sender(viewer, channel_id)
        surface = _surface(channel)
        _check(channel, surface, viewer, written)
        scope, address = scope_of(channel, surface), written.to[0].lower()
        met = meet(work, viewer.workspace_id, network=channel.network, scope=scope, key=address, name=name)
        _check_not_blocked(met)
        case = _begin(viewer, channel, surface, met, written.subject)
        thread = start_thread(viewer.workspace_id, channel.id, surface.name, subject=written.subject, case_id=case.id)
        change = changes_of(work, [case], viewer.agent_id)[0]
        change.record("case.opened")
        return send(viewer, change, Place(thread, channel, surface, None, met.identity), written, key)


def _begin(viewer: Viewer, channel: Channel, surface: Surface, met: Met, subject: str) -> Case:
    case = begin_case(
        workspace_id=viewer.workspace_id,
        number=take_numbers(viewer.workspace_id)[-1],
        person=met.person,
        channel_id=channel.id,
        network=channel.network,
        surface=surface,
        team_id=channel.team_id,
        is_simulated=channel.is_simulated,
        now=clock.now(),
        title=subject,
    )
    case.assignee_id = viewer.agent_id
    case.save()
    index_cards([case])
    return case


def _cleaned(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address.strip() for address in addresses if address.strip()))


def access_sender(viewer: Viewer, channel_id: int) -> Channel:
    """A channel the viewer may write from: of one of their teams, of nobody's, or any for those who see all. Raises
    NotFound.
    """
    own = Channel.objects.select_related("connection", "brand", "calendar", "workspace")
    channel = own.filter(id=channel_id, workspace_id=viewer.workspace_id).first()
    if channel is None or not (viewer.sees_all or channel.team_id is None or channel.team_id in viewer.team_ids):
        raise NotFound("channel_not_found", _("This channel does not exist, or it is not yours to write from."))
    return channel


def _surface(channel: Channel) -> Surface:
    capabilities = capabilities_of(channel)
    free = (
        [one for one in capabilities.surfaces if one.initiate == "free" and not one.is_public] if capabilities else []
    )
    if not free or channel.state == "off":
        raise InputRefused("cannot_begin", _("On this channel the customer has to write first."), field="channel")
    return free[0]


def scope_of(channel: Channel, surface: Surface) -> str:
    """The scope identities of this surface are compared in: the same as the digest's."""
    rule = surface.identity
    scopes = {"global": rule.key, "platform": channel.network, "channel": f"channel:{channel.id}"}
    return scopes.get(rule.scope, f"{channel.network}:{channel.connection_id}")


def _check(channel: Channel, surface: Surface, viewer: Viewer, written: Written) -> None:
    network = registry.network(channel.network)
    if not written.to or len(written.to) + len(written.copied) > MOST_RECIPIENTS:
        raise InputRefused("recipients_wrong", _("Name at least one recipient, and at most 50."), field="to")
    for field, addresses in (("to", written.to), ("copied", written.copied)):
        for address in addresses:
            if len(address) > 320 or network.address_problem(address):
                raise InputRefused(
                    "address_wrong",
                    _("%(address)s is not an address we can write to.") % {"address": address},
                    field=field,
                )
    files = access_files(viewer.workspace_id, written.file_ids)
    check_text(surface.text, written.text, has_files=bool(files))
    check_files(surface.attachments, files, has_text=bool(written.text))


def _check_not_blocked(met: Met) -> None:
    if met.person.blocked_at is not None or met.identity.blocked_at is not None:
        raise Conflict("person_blocked", _("This person is blocked. Undo the block before you answer."))
