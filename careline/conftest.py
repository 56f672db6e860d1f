"""The standing cast of every test: the workspace `air` with Ana, Ben and the others, Cleo in a workspace of her own,
and Marta who writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import settings

from careline.cases.applying import Heard, apply_inbound, begin_case
from careline.cases.cards import index_cards
from careline.cases.clocks import DEFAULTS, case_clocks
from careline.cases.models import Case
from careline.cases.numbering import take_numbers
from careline.channels import registry
from careline.channels.base import ChannelView, Happening, Network, Outgoing, Part, Sent, Tools
from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    IdentityRule,
    Surface,
    TextRule,
    Window,
)
from careline.channels.models import Channel, Connection
from careline.clocks.setting import set_clocks
from careline.events.recording import unit_of_work
from careline.kit import clock, ids
from careline.people.models import Identity, Person
from careline.threads import search
from careline.threads.models import Message, Thread
from careline.workspaces.calendars import ALWAYS
from careline.workspaces.models import Account, Agent, Brand, Team, Workspace
from careline.workspaces.sight import Viewer, viewer_of

# How long an example takes is the machine's affair: speed is measured by bin/bench, never by a test.
settings.register_profile("careline", deadline=None)
settings.load_profile("careline")
DAY_S = 24 * 3600
_FILES = AttachmentRule(per_message=2, kinds=(AttachmentKind("image", ("image/*",), 1024 * 1024),))
POST = Surface(
    name="post",
    visibility="public",
    initiate="never",
    text=TextRule(max_length=280, unit="graphemes"),
    attachments=_FILES,
    private_surface="dm",
    clock="public",
)
DM = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    text=TextRule(max_length=1000, unit="utf16"),
    attachments=_FILES,
    windows=(
        Window("inbound_message", DAY_S, author="any"),
        Window("inbound_comment", 7 * DAY_S, author="human_only", max_messages=1),
    ),
    clock="private",
)
LETTER = Surface(
    name="email",
    visibility="private",
    initiate="free",
    identity=IdentityRule(key="email", scope="global"),
    attachments=AttachmentRule(per_message=10),
    clock="email",
)


class TestNetwork(Network):
    """A network of tests alone: a public post, a direct message with a window, a letter that anyone may begin."""

    __test__ = False
    slug = "testnet"
    name = "Testnet"
    capabilities = Capabilities(proof="A", surfaces=(POST, DM, LETTER))

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return []

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return Sent(platform_id=f"sent-{outgoing.delivery_id}")

    def address_problem(self, value: str) -> str:
        return "" if "@" in value else "address_wrong"


@pytest.fixture(autouse=True)
def _test_network() -> None:
    registry.add_for_tests(TestNetwork())


@dataclass
class Air:
    """The workspace `air`: two teams, one agent of each role, one channel, and Marta."""

    workspace: Workspace
    care: Team
    loyalty: Team
    channel: Channel
    owner: Viewer
    ben: Viewer
    ana: Viewer
    dora: Viewer
    tom: Viewer
    iris: Viewer
    carl: Viewer
    marta: Person
    marta_identity: Identity
    agents: dict[str, Viewer] = field(default_factory=dict)


@pytest.fixture
def air(db: None) -> Air:
    """Ana is an agent of team care, Ben its lead, Dora an agent of loyalty, Tom a trainee of care, Iris an analyst,
    Carl a colleague.
    """
    workspace = Workspace.objects.create(slug="air", name="Air", locale="en", zone="Europe/Madrid")
    care = Team.objects.create(workspace=workspace, name="Care")
    loyalty = Team.objects.create(workspace=workspace, name="Loyalty")
    agents = {
        "owner": make_agent(workspace, "Olga", "owner"),
        "ben": make_agent(workspace, "Ben", "lead", care),
        "ana": make_agent(workspace, "Ana", "agent", care),
        "dora": make_agent(workspace, "Dora", "agent", loyalty),
        "tom": make_agent(workspace, "Tom", "trainee", care),
        "iris": make_agent(workspace, "Iris", "analyst"),
        "carl": make_agent(workspace, "Carl", "colleague"),
    }
    marta = Person.objects.create(workspace_id=workspace.id, name="Marta Ruiz", language="es")
    identity = make_identity(marta, "marta-1", handle="@martarg", name="Marta Ruiz")
    return Air(
        workspace,
        care,
        loyalty,
        make_channel(workspace, care),
        marta=marta,
        marta_identity=identity,
        agents=agents,
        **agents,
    )


@pytest.fixture
def cleo(db: None) -> Viewer:
    """The owner of another workspace, who must never see a thing of `air`."""
    return make_agent(Workspace.objects.create(slug="sea", name="Sea"), "Cleo", "owner")


@pytest.fixture
def later() -> Callable[[timedelta], object]:
    """Move the clock."""
    return clock.travel


def make_agent(workspace: Workspace, name: str, role: str, *teams: Team) -> Viewer:
    """An agent with an account of their own, as doors know them."""
    account = Account.objects.create_user(f"{name.lower()}-{ids.new_id()}@{workspace.slug}.test")
    agent = Agent.objects.create(workspace=workspace, account=account, name=name, role=role)
    agent.teams.set(teams)
    return viewer_of(agent)


def make_channel(
    workspace: Workspace, team: Team | None, *, name: str = "@air", undo_s: int = 8, **columns: object
) -> Channel:
    """A channel of the test network."""
    brand, _ = Brand.objects.get_or_create(workspace=workspace, name="Air", defaults={"languages": ["en", "es"]})
    connection = Connection.objects.create(workspace=workspace, network="testnet", name="Testnet")
    return Channel.objects.create(
        workspace=workspace,
        connection=connection,
        network="testnet",
        account_key=f"account-{connection.id}",
        name=name,
        handle=name,
        brand=brand,
        team=team,
        undo_s=undo_s,
        **columns,
    )


def make_identity(person: Person, key: str, *, handle: str = "", name: str = "", scope: str = "testnet") -> Identity:
    """An identity of a person on the test network."""
    return Identity.objects.create(
        workspace_id=person.workspace_id,
        person=person,
        network="testnet",
        scope=scope,
        key=key,
        handle=handle,
        name=name,
    )


def make_thread(channel: Channel, surface: Surface = POST, *, key: str = "", **columns: object) -> Thread:
    """A conversation on a channel."""
    return Thread.objects.create(
        workspace_id=channel.workspace_id,
        channel_id=channel.id,
        key=key or f"thread-{ids.new_id()}",
        surface=surface.name,
        is_public=surface.is_public,
        **columns,
    )


def make_case(
    channel: Channel,
    identity: Identity,
    text: str = "Where are my miles?",
    *,
    surface: Surface = POST,
    thread: Thread | None = None,
    team: Team | str | None = "channel",
    at: datetime | None = None,
    **columns: object,
) -> Case:
    """A case with one inbound message, as the digest would have made it."""
    now = at or clock.now()
    person = Person.objects.get(id=identity.person_id)
    team_id = channel.team_id if isinstance(team, str) else (team.id if team else None)
    with unit_of_work():
        case = begin_case(
            workspace_id=channel.workspace_id,
            number=take_numbers(channel.workspace_id)[-1],
            person=person,
            channel_id=channel.id,
            network=channel.network,
            surface=surface,
            team_id=team_id,
            is_simulated=channel.is_simulated,
            now=now,
        )
        for name, value in columns.items():
            setattr(case, name, value)
        case.save()
        index_cards([case])
    hear(case, channel, identity, text, surface=surface, thread=thread, at=now)
    return case


def hear(
    case: Case,
    channel: Channel,
    identity: Identity,
    text: str,
    *,
    surface: Surface = POST,
    thread: Thread | None = None,
    at: datetime | None = None,
    away: bool = False,
) -> Message:
    """One more inbound message of a case, applied as the digest does."""
    now = at or clock.now()
    thread = thread or Thread.objects.filter(messages__case_id=case.id).first() or make_thread(channel, surface)
    case.refresh_from_db()
    with unit_of_work() as work:
        message = say(thread, identity, text, case=case, at=now)
        heard = Heard(text=text, at=now, is_public=surface.is_public, reach=thread.reach, assignee_is_away=away)
        apply_inbound(case, heard, DEFAULTS[surface.clock], hours=ALWAYS, now=clock.now())
        case.save()
        set_clocks(case_clocks(case))
        search.index_messages([(message.id, case.workspace_id, case.id, now, text)])
        work.record_event(case.workspace_id, "message.received", case_id=case.id, message_id=message.id)
    return message


def say(
    thread: Thread, identity: Identity, text: str, *, case: Case | None = None, at: datetime | None = None
) -> Message:
    """An inbound message row, nothing else."""
    now = at or clock.now()
    Thread.objects.filter(id=thread.id).update(last_inbound_at=now)
    thread.last_inbound_at = now
    return Message.objects.create(
        workspace_id=thread.workspace_id,
        thread=thread,
        channel_id=thread.channel_id,
        case_id=case.id if case else None,
        platform_id=f"p-{ids.new_id()}",
        direction="inbound",
        surface=thread.surface,
        is_public=thread.is_public,
        author_identity=identity,
        author_name=identity.name,
        text=text,
        at=now,
    )


@pytest.fixture
def marta_case(air: Air) -> Case:
    """Marta's public post, in the queue of team care."""
    return make_case(air.channel, air.marta_identity)
