"""Aurora Air's organisation: teams, agents, brand, calendars, channels, tags, snippets and case fields."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec
from django.contrib.auth.hashers import make_password

from careline.cases.models import CaseField, Tag
from careline.channels import registry
from careline.channels.access import seal_secrets
from careline.channels.models import Channel, Connection
from careline.errors import NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock, ids
from careline.knowledge.models import Snippet
from careline.simulator.demo import words
from careline.workspaces.models import Account, Agent, Brand, Calendar, Team, Workspace
from careline.workspaces.sight import Viewer, viewer_of

SLUG: Final = "aurora"
ZONE: Final = "Europe/Madrid"
DOMAIN: Final = "aurora.example"
TEAMS: Final = ("Social", "Baggage", "Loyalty", "Service")
# (name, role, teams, languages): the standing cast of the stories first.
STAFF: Final[tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("Ana", "agent", ("Social", "Loyalty", "Service"), ("es", "en")),
    ("Ben", "lead", ("Social", "Baggage", "Loyalty", "Service"), ("en", "es")),
    ("Olga", "owner", TEAMS, ("es", "en")),
    ("Luis", "agent", ("Service", "Social"), ("es",)),
    ("Dora", "agent", ("Baggage",), ("es", "en")),
    ("Hanna", "agent", ("Social", "Service"), ("en",)),
    ("Tom", "trainee", ("Social",), ("en", "es")),
    ("Iris", "analyst", (), ("es", "en")),
    ("Carl", "colleague", (), ("en",)),
)
_WEEK: Final = {str(day): [["07:00", "23:00"]] for day in range(7)}
_SERVICE: Final = {str(day): [["09:00", "18:00"]] for day in range(5)}


class Desk(msgspec.Struct, frozen=True):
    """What the rest of the demo needs of the organisation."""

    workspace_id: int
    agents: Mapping[str, Viewer]
    teams: Mapping[str, int]
    channels: Mapping[str, Channel]


class Simulated(msgspec.Struct, frozen=True):
    """Where the simulated network stands, and its secrets for this data folder."""

    address: str
    mail_port: int
    hook_secret: str
    token: str


def found_demo(password: str, simulated: Simulated) -> Desk:
    """Everything in one unit of work."""
    with unit_of_work() as work:
        workspace = Workspace.objects.create(slug=SLUG, name="Aurora Air", locale="en", zone=ZONE, is_demo=True)
        teams = {name: Team.objects.create(workspace=workspace, name=name) for name in TEAMS}
        _make_staff(workspace, teams, make_password(password))
        _make_channels(workspace, teams, simulated)
        _make_words(workspace)
        work.record_event(workspace.id, "settings.changed", facts={"what": "workspace"})
    return open_desk(workspace)


def open_desk(workspace: Workspace) -> Desk:
    """The desk of a workspace that stands already."""
    agents = Agent.objects.select_related("workspace", "account").filter(workspace=workspace)
    channels = Channel.objects.select_related("connection", "brand").filter(workspace=workspace)
    return Desk(
        workspace_id=workspace.id,
        agents={agent.name: viewer_of(agent) for agent in agents},
        teams=dict(Team.objects.filter(workspace=workspace).values_list("name", "id")),
        channels={channel.account_key: channel for channel in channels},
    )


def mail_of(name: str) -> str:
    """The login of a member of staff."""
    return f"{name.lower()}@{DOMAIN}"


def _make_staff(workspace: Workspace, teams: Mapping[str, Team], password_hash: str) -> None:
    for name, role, in_teams, languages in STAFF:
        locale = "es" if languages == ("es",) else "en"
        account = Account.objects.create(email=mail_of(name), name=name, locale=locale, password=password_hash)
        agent = Agent.objects.create(
            workspace=workspace, account=account, name=name, role=role, languages=list(languages), signature=f"^{name}"
        )
        agent.teams.set([teams[team] for team in in_teams])


def _make_channels(workspace: Workspace, teams: Mapping[str, Team], simulated: Simulated) -> None:
    brand = Brand.objects.create(
        workspace=workspace,
        name="Aurora Air",
        sign_off="Aurora Air",
        languages=["es", "en"],
        formality="usted",
        zone=ZONE,
        mail_signature="Aurora Air · Customer care",
    )
    daily = Calendar.objects.create(
        workspace=workspace, name="Every day 7-23", zone=ZONE, hours=_WEEK, holidays_country=""
    )
    office = Calendar.objects.create(
        workspace=workspace, name="Office hours", zone=ZONE, hours=_SERVICE, holidays_country="ES-MD"
    )
    always = Calendar.objects.create(workspace=workspace, name="24/7", zone=ZONE)
    secrets = {"hook_secret": simulated.hook_secret, "token": simulated.token}
    app = _connect(workspace, "simulated", "Simulated network", secrets)
    for key, name, team, undo_s in (("aurora", "@aurora", "Social", 8), ("aurora_help", "@aurora_help", "Service", 8)):
        settings = {"account": key, "handle": name, "api": f"{simulated.address}/api", "gap_check_s": 60}
        _open(app, key, name, name, brand, always, teams[team], undo_s=undo_s, settings=settings)
    _open_others(workspace, brand, daily, office, teams, simulated)


def _open_others(
    workspace: Workspace,
    brand: Brand,
    daily: Calendar,
    office: Calendar,
    teams: Mapping[str, Team],
    simulated: Simulated,
) -> None:
    """Channels of other networks, as far as they are installed; they too reach nobody real."""
    mail = f"service@{DOMAIN}"
    post = {"address": mail, "authserv_id": f"mx.{DOMAIN}", **mail_settings(simulated.mail_port)}
    wanted: tuple[tuple[str, str, str, Calendar, str, int, dict[str, object]], ...] = (
        ("email", mail, mail, office, "Service", 30, post),
        ("webchat", "site", f"www.{DOMAIN}", daily, "Service", 0, {"origins": f"https://www.{DOMAIN}"}),
        ("intake_form", "desk", "Phone and counter", daily, "Service", 0, {"region": "ES"}),
    )
    for slug, key, name, calendar, team, undo_s, settings in wanted:
        if _is_installed(slug):
            secrets = {"hook_secret": simulated.hook_secret} if slug == "email" else {}
            connection = _connect(workspace, slug, name, secrets)
            _open(connection, key, name, name, brand, calendar, teams[team], undo_s=undo_s, settings=settings)


def _is_installed(slug: str) -> bool:
    try:
        registry.network(slug)
    except NotFound:
        return False
    return True


def _connect(workspace: Workspace, network: str, name: str, secrets: dict[str, str]) -> Connection:
    return Connection.objects.create(
        workspace=workspace, network=network, name=name, sealed_secrets=seal_secrets(secrets) if secrets else b""
    )


def _open(  # noqa: PLR0913 - a channel belongs to all of these
    connection: Connection,
    key: str,
    name: str,
    handle: str,
    brand: Brand,
    calendar: Calendar,
    team: Team,
    *,
    undo_s: int,
    settings: dict[str, object],
) -> None:
    Channel.objects.create(
        workspace_id=connection.workspace_id,
        connection=connection,
        network=connection.network,
        account_key=key,
        name=name,
        handle=handle,
        brand=brand,
        calendar=calendar,
        team=team,
        settings=settings,
        is_simulated=True,
        undo_s=undo_s,
        history_before=clock.now() - timedelta(days=30),
    )


def _make_words(workspace: Workspace) -> None:
    """Tags, snippets in both languages and the case field everyone asks for."""
    Tag.objects.bulk_create([Tag(workspace_id=workspace.id, name=name, color=color) for name, color in words.TAGS])
    Snippet.objects.bulk_create(
        [
            Snippet(workspace_id=workspace.id, shortcut=one.shortcut, name=one.name, texts=one.texts)
            for one in words.SNIPPETS
        ]
    )
    CaseField.objects.create(
        workspace_id=workspace.id, key="booking_reference", label="Booking reference", pattern="[A-Z0-9]{6}"
    )


def mail_settings(port: int) -> dict[str, object]:
    """The way out of the demo's mailbox: the customers' own mailroom, on loopback."""
    return {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "plus_addressing": ""}


def new_secrets(address: str, mail_port: int) -> Simulated:
    """Fresh secrets for one data folder."""
    return Simulated(address, mail_port, "whsec_" + base64.b64encode(os.urandom(32)).decode(), ids.new_token())


def point_channels(work: UnitOfWork, desk: Desk, address: str, mail_port: int) -> None:
    """The simulated network stands at other ports since the last start."""
    moves: dict[str, dict[str, object]] = {"simulated": {"api": f"{address}/api"}, "email": mail_settings(mail_port)}
    for channel in desk.channels.values():
        moved = moves.get(channel.network, {})
        if any(channel.settings.get(name) != value for name, value in moved.items()):
            channel.settings = {**channel.settings, **moved}
            channel.save(update_fields=["settings"])
            work.record_event(desk.workspace_id, "channel.changed", channel_id=channel.id, facts={"what": "changed"})
