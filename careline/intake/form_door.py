"""Where a screen hands in a note of the intake form: into the journal like any delivery, durable when it returns. Also the partners' links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.models import Case
from careline.channels import access
from careline.channels.base import ChannelView, Part
from careline.channels.intake_form.forms import FormInput, check_form, part_from_form
from careline.channels.models import Channel
from careline.errors import InputRefused, NotFound, RateLimited, SignInRequired
from careline.events.recording import UnitOfWork, unit_of_work
from careline.intake import digest_wake
from careline.intake.journal import row_of, write_rows
from careline.intake.models import JournalRow
from careline.kit import clock, signing
from careline.threads.models import Message
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Agent, Workspace
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

NETWORK: Final = "intake_form"
PURPOSE: Final = "intake-form-partner"
LONGEST_LINK_DAYS: Final = 400
PARTNER_NOTES_AN_HOUR: Final = 300
_EPOCH: Final = "partner_epoch"


@dataclass(frozen=True)
class Desk:
    """A channel that takes notes."""

    id: int
    name: str


@dataclass(frozen=True)
class Partner:
    """Who a partner's link was made for."""

    name: str
    brand_name: str
    channel: ChannelView
    zone: str


def desks(viewer: Viewer) -> list[Desk]:
    """Channels the viewer may log to, by name: those of their teams, of nobody's, or all. One statement."""
    rows = (
        Channel.objects.filter(workspace_id=viewer.workspace_id, network=NETWORK)
        .exclude(state="off")
        .order_by("name", "id")
    )
    return [
        Desk(row.id, row.name)
        for row in rows
        if viewer.sees_all or row.team_id is None or row.team_id in viewer.team_ids
    ]


def log_note(viewer: Viewer, channel_id: int, form: FormInput) -> str:
    """Keep what a customer said. Returns the note's key; the same form sent twice is one note. Raises Forbidden, NotFound, FormRefused."""
    check_may(viewer.role, "note")
    if channel_id not in {desk.id for desk in desks(viewer)}:
        raise NotFound("channel_not_found", _("This channel does not exist, or it is not yours to write to."))
    channel = access.view_channel(access.channels_by_id([channel_id])[channel_id])
    note = check_form(
        form, region=channel.setting("region"), zone=zone_of(viewer), logged_by=viewer.name, agent_id=viewer.agent_id
    )
    return _submit(channel, part_from_form(note, channel.account_key))


def log_partner_note(partner: Partner, form: FormInput) -> str:
    """Keep what a customer told a partner. Raises FormRefused, RateLimited."""
    hour_ago = clock.now() - timedelta(hours=1)
    lately = JournalRow.objects.filter(channel_id=partner.channel.id, received_at__gt=hour_ago)[:PARTNER_NOTES_AN_HOUR]
    if lately.count() >= PARTNER_NOTES_AN_HOUR:
        raise RateLimited("too_many_notes", _("Too many notes came in at once. Try again later."), retry_after_s=600)
    own = FormInput(form.id, form.who, form.text, "partner", form.at, False, form.booking_reference, "")
    note = check_form(own, region=partner.channel.setting("region"), zone=partner.zone, logged_by=partner.name)
    return _submit(partner.channel, part_from_form(note, partner.channel.account_key))


def _submit(channel: ChannelView, part: Part) -> str:
    write_rows([row_of(channel.workspace_id, channel.id, part)])
    digest_wake.wake()
    return part.platform_event_id


def case_of_note(viewer: Viewer, key: str) -> int:
    """The number of the case a note opened or joined; 0 while it is being filed. Two statements."""
    channel_ids = [desk.id for desk in desks(viewer)]
    found = Message.objects.filter(workspace_id=viewer.workspace_id, channel_id__in=channel_ids, platform_id=key)
    case_id = found.values_list("case_id", flat=True).first()
    return (
        Case.objects.filter(id=case_id or 0, workspace_id=viewer.workspace_id).values_list("number", flat=True).first()
        or 0
    )


def zone_of(viewer: Viewer) -> str:
    """The zone the viewer's times are typed in. One statement."""
    own = Agent.objects.filter(id=viewer.agent_id).values_list("zone", "workspace__zone").first()
    return (own[0] or own[1]) if own else "UTC"


def make_partner_link(viewer: Viewer, channel_id: int, name: str, days: int) -> str:
    """The path of a signed link that lets a partner log notes for some days. Raises Forbidden, NotFound, InputRefused."""
    check_may(viewer.role, "manage_channels")
    if not name.strip() or len(name.strip()) > 80:
        raise InputRefused("name_missing", _("Enter the partner's name."), field="partner")
    if not 1 <= days <= LONGEST_LINK_DAYS:
        raise InputRefused("days_wrong", _("Enter between 1 and 400 days."), field="days")
    with unit_of_work() as work:
        row = _own_channel(viewer, channel_id)
        _audit(work, viewer, row, "partner_link_made", name.strip())
    claims: dict[str, object] = {"partner": name.strip(), "epoch": _epoch(row)}
    ticket = signing.seal(access.channel_key(row.id), PURPOSE, claims, lasts_s=days * 24 * 3600)
    return f"/partner/{row.id}/{ticket}"


def end_partner_links(viewer: Viewer, channel_id: int) -> None:
    """Every link made so far stops working. Raises Forbidden, NotFound."""
    check_may(viewer.role, "manage_channels")
    with unit_of_work() as work:
        row = _own_channel(viewer, channel_id)
        row.settings = {**row.settings, _EPOCH: _epoch(row) + 1}
        row.save(update_fields=["settings"])
        _audit(work, viewer, row, "partner_links_ended", "")


def _own_channel(viewer: Viewer, channel_id: int) -> Channel:
    rows = Channel.objects.select_for_update().filter(workspace_id=viewer.workspace_id, network=NETWORK)
    row = rows.exclude(state="off").filter(id=channel_id).first()
    if row is None:
        raise NotFound("channel_not_found", _("There is no such channel here."))
    return row


def _audit(work: UnitOfWork, viewer: Viewer, row: Channel, verb: str, partner: str) -> None:
    record_audit(
        work,
        verb,
        workspace_id=viewer.workspace_id,
        agent_id=viewer.agent_id,
        subject=f"channel:{row.id}",
        facts={"partner": partner} if partner else {},
    )


def _epoch(row: Channel) -> int:
    value = row.settings.get(_EPOCH, 0)
    return value if isinstance(value, int) else 0


def access_partner(channel_id: int, ticket: str) -> Partner:
    """Who a link was made for. Raises SignInRequired for one that is forged, over or ended; NotFound when the channel is gone."""
    row = access.channels_by_id([channel_id]).get(channel_id)
    if row is None or row.network != NETWORK or row.state == "off":
        raise NotFound("link_unknown", _("This link leads nowhere any more."))
    claims = signing.unseal(access.channel_key(row.id), PURPOSE, ticket)
    if claims.get("epoch") != _epoch(row):
        raise SignInRequired("link_ended", _("This link was ended. Ask for a new one."))
    zone = Workspace.objects.values_list("zone", flat=True).get(id=row.workspace_id)
    return Partner(str(claims["partner"]), row.brand.name, access.view_channel(row), zone)
