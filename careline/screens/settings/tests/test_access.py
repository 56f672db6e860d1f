"""Role by door by foreign workspace: every page and every act of settings and channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client

from careline.cases.models import CaseField, Tag
from careline.channels.models import Channel
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.knowledge.models import Snippet
from careline.screens.settings.tests.conftest import SignIn
from careline.workspaces.models import Agent, Invitation
from careline.workspaces.roles import ROLE_VERBS, Verb, may
from careline.workspaces.tests.cast import Cast, make_agent


@dataclass(frozen=True)
class Door:
    """One address below /w/<workspace>/. `names_row` doors carry an id of the first workspace."""

    method: str
    path: str
    verb: Verb | None
    names_row: bool = False


DOORS = [
    Door("get", "settings/", None),
    Door("get", "settings/profile", None),
    Door("post", "settings/profile", None),
    Door("post", "settings/availability", None),
    Door("get", "settings/security", None),
    Door("get", "settings/workspace", "manage_workspace"),
    Door("post", "settings/workspace", "manage_workspace"),
    Door("get", "settings/clocks", "manage_workspace"),
    Door("post", "settings/clocks", "manage_workspace"),
    Door("get", "settings/audit", "see_audit"),
    Door("get", "settings/audit.csv", "see_audit"),
    Door("get", "settings/agents", "manage_agents"),
    Door("post", "settings/agents", "manage_agents"),
    Door("get", "settings/agents/{agent}", "manage_agents", True),
    Door("post", "settings/agents/{agent}", "manage_agents", True),
    Door("post", "settings/agents/{agent}/end", "manage_agents", True),
    Door("post", "settings/agents/{agent}/return", "manage_agents", True),
    Door("post", "settings/agents/{agent}/availability", "manage_agents", True),
    Door("post", "settings/invitations/{invitation}/withdrawal", "manage_agents", True),
    *(
        Door("get", f"settings/{name}", "manage_workspace")
        for name in ("teams", "brands", "calendars", "tags", "fields")
    ),
    *(
        Door("get", f"settings/{name}/new", "manage_workspace")
        for name in ("teams", "brands", "calendars", "tags", "fields")
    ),
    *(
        Door("post", f"settings/{name}/new", "manage_workspace")
        for name in ("teams", "brands", "calendars", "tags", "fields")
    ),
    *(
        Door(method, f"settings/{name}/{{{row}}}{end}", "manage_workspace", True)
        for name, row in (
            ("teams", "team"),
            ("brands", "brand"),
            ("calendars", "calendar"),
            ("tags", "tag"),
            ("fields", "field"),
        )
        for method, end in (("get", ""), ("post", ""), ("post", "/removal"))
    ),
    Door("get", "settings/snippets", "manage_snippets"),
    Door("get", "settings/snippets/new", "manage_snippets"),
    Door("post", "settings/snippets/new", "manage_snippets"),
    Door("get", "settings/snippets/{snippet}", "manage_snippets", True),
    Door("post", "settings/snippets/{snippet}", "manage_snippets", True),
    Door("post", "settings/snippets/{snippet}/removal", "manage_snippets", True),
    Door("get", "channels/", "see_channels"),
    Door("get", "channels/new", "manage_channels"),
    Door("get", "channels/new/testnet", "manage_channels"),
    Door("post", "channels/new/testnet", "manage_channels"),
    Door("get", "channels/{channel}/", "see_channels", True),
    Door("get", "channels/{channel}/change", "manage_channels", True),
    Door("post", "channels/{channel}/change", "manage_channels", True),
    Door("post", "channels/{channel}/check", "manage_channels", True),
    Door("post", "channels/{channel}/replay", "replay", True),
    *(Door("post", f"channels/{{channel}}/{act}", "manage_channels", True) for act in ("hold", "resume", "off", "on")),
    Door("get", "dead-letters/{letter}", "replay", True),
    Door("get", "trace/", "see_channels"),
    Door("get", "trace/{letter}", "see_channels", True),
]


@pytest.fixture
def rows(cast: Cast, channel: Channel) -> dict[str, int]:
    """One row of each kind in the first workspace."""
    letter = JournalRow.objects.create(
        workspace_id=cast.workspace.id,
        channel_id=channel.id,
        event_key="e1",
        order_key="o",
        partition=1,
        raw=b"{}",
        state=2,
    )
    invitation = Invitation.objects.create(
        workspace=cast.workspace, email="n@air.test", token_hash="h", expires_at=clock.now() + timedelta(days=1)
    )
    of = cast.workspace.id
    return {
        "agent": cast.ana.id,
        "invitation": invitation.id,
        "team": cast.team.id,
        "brand": cast.brand.id,
        "calendar": cast.calendar.id,
        "tag": Tag.objects.create(workspace_id=of, name="miles").id,
        "field": CaseField.objects.create(workspace_id=of, key="booking", label="Booking").id,
        "snippet": Snippet.objects.create(workspace_id=of, shortcut="hi", name="Hi", texts={"en": "Hi"}).id,
        "channel": channel.id,
        "letter": letter.id,
    }


def knock(client: Client, door: Door, rows: dict[str, int], workspace: str = "air") -> int:
    address = f"/w/{workspace}/{door.path.format(**rows)}"
    return client.get(address).status_code if door.method == "get" else client.post(address, {}).status_code


@pytest.mark.parametrize("role", list(ROLE_VERBS))
def test_each_role_opens_exactly_its_doors(cast: Cast, rows: dict[str, int], sign_in: SignIn, role: str) -> None:
    client = sign_in(make_agent(cast.workspace, f"some-{role}", role))
    for door in DOORS:
        status = knock(client, door, rows)
        if door.verb is None or may(role, door.verb):
            assert status in {200, 302, 404, 422}, (door, status)
        else:
            assert status == 403, (door, status)


def test_cleo_never_enters_another_workspace(cast: Cast, rows: dict[str, int], sign_in: SignIn) -> None:
    before, client = _picture(rows), sign_in(cast.cleo)
    for door in DOORS:
        assert knock(client, door, rows) == 404, door
    assert _picture(rows) == before


def test_cleo_finds_no_foreign_row_from_her_own_workspace(cast: Cast, rows: dict[str, int], sign_in: SignIn) -> None:
    before, client = _picture(rows), sign_in(cast.cleo)
    for door in (one for one in DOORS if one.names_row):
        assert knock(client, door, rows, "rail") == 404, door
    assert _picture(rows) == before


def test_nobody_enters_without_signing_in(cast: Cast, rows: dict[str, int]) -> None:
    client = Client()
    for door in DOORS:
        address = f"/w/air/{door.path.format(**rows)}"
        answer = client.get(address) if door.method == "get" else client.post(address, {})
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/"), door


def test_every_act_wants_the_csrf_token(cast: Cast, rows: dict[str, int]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.olga.account)
    for door in (one for one in DOORS if one.method == "post"):
        assert client.post(f"/w/air/{door.path.format(**rows)}", {}).status_code == 403, door


def test_no_act_answers_to_get(cast: Cast, rows: dict[str, int], sign_in: SignIn) -> None:
    before, client = _picture(rows), sign_in(cast.olga)
    for door in (one for one in DOORS if one.method == "post"):
        client.get(f"/w/air/{door.path.format(**rows)}")
    assert _picture(rows) == before


def _picture(rows: dict[str, int]) -> list[object]:
    """What must not change by a foreign hand."""
    return [
        Agent.objects.filter(id=rows["agent"]).values("role", "is_active", "is_away").first(),
        Invitation.objects.filter(id=rows["invitation"]).exists(),
        Channel.objects.filter(id=rows["channel"]).values("state", "held_at", "name").first(),
        JournalRow.objects.filter(id=rows["letter"]).values("state").first(),
        Tag.objects.filter(id=rows["tag"]).exists(),
        CaseField.objects.filter(id=rows["field"]).exists(),
        Snippet.objects.filter(id=rows["snippet"]).exists(),
    ]
