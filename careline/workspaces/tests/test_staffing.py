"""Roles, teams and ends of access; the last owner stays."""

from __future__ import annotations

import pytest
from django.test import Client

from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.workspaces.actions.grouping import add_team, change_team, remove_team
from careline.workspaces.actions.presenting import Profile, change_profile, set_away
from careline.workspaces.actions.staffing import change_role, deactivate_agent, reactivate_agent, set_teams
from careline.workspaces.models import Agent, Audit, Team
from careline.workspaces.sight import access_viewer
from careline.workspaces.tests.cast import PASSWORD, Cast


def test_a_new_role_is_audited_and_told(cast: Cast) -> None:
    change_role(cast.viewer(cast.adam), cast.ana.id, "lead")
    row = Audit.objects.get(verb="role_changed")
    assert (row.subject, row.facts, row.agent_id) == (
        f"agent:{cast.ana.id}",
        {"from": "agent", "to": "lead"},
        cast.adam.id,
    )
    assert Event.objects.filter(kind="agent.changed", agent_id=cast.ana.id, facts={"what": "role"}).count() == 1


def test_the_last_owner_can_be_neither_demoted_nor_deactivated(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    with pytest.raises(Conflict):
        change_role(olga, cast.olga.id, "agent")
    with pytest.raises(Conflict):
        deactivate_agent(olga, cast.olga.id)
    change_role(olga, cast.ben.id, "owner")
    change_role(olga, cast.olga.id, "agent")
    assert Agent.objects.get(id=cast.olga.id).role == "agent"


def test_an_inactive_owner_does_not_count(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    change_role(olga, cast.ben.id, "owner")
    deactivate_agent(olga, cast.ben.id)
    with pytest.raises(Conflict):
        change_role(olga, cast.olga.id, "admin")


def test_an_admin_cannot_make_or_touch_owners(cast: Cast) -> None:
    adam = cast.viewer(cast.adam)
    with pytest.raises(Forbidden):
        change_role(adam, cast.adam.id, "owner")
    with pytest.raises(Forbidden):
        change_role(adam, cast.olga.id, "agent")
    with pytest.raises(Forbidden):
        deactivate_agent(adam, cast.olga.id)


@pytest.mark.parametrize("who", ["ben", "ana"])
def test_others_change_no_roles(cast: Cast, who: str) -> None:
    viewer = cast.viewer(getattr(cast, who))
    for act in (lambda: change_role(viewer, cast.ana.id, "lead"), lambda: deactivate_agent(viewer, cast.ana.id)):
        with pytest.raises(Forbidden):
            act()


def test_foreign_agents_are_not_found(cast: Cast) -> None:
    cleo = cast.viewer(cast.cleo)
    for act in (
        lambda: change_role(cleo, cast.ana.id, "lead"),
        lambda: deactivate_agent(cleo, cast.ana.id),
        lambda: set_teams(cleo, cast.ana.id, []),
        lambda: set_away(cleo, True, agent_id=cast.ana.id),
        lambda: change_team(cleo, cast.team.id, name="Mine", agent_ids=[]),
        lambda: remove_team(cleo, cast.team.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert Agent.objects.get(id=cast.ana.id).role == "agent"


def test_a_deactivated_agent_is_signed_out_everywhere(cast: Cast, client: Client) -> None:
    assert client.post("/accounts/login/", {"login": "ana@air.test", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" in client.session
    deactivate_agent(cast.viewer(cast.olga), cast.ana.id)
    assert "_auth_user_id" not in client.session
    with pytest.raises(NotFound):
        access_viewer(cast.ana.account_id, "air")
    assert Event.objects.filter(kind="agent.changed", agent_id=cast.ana.id, facts={"what": "deactivated"}).exists()
    reactivate_agent(cast.viewer(cast.olga), cast.ana.id)
    assert access_viewer(cast.ana.account_id, "air").role == "agent"


def test_teams_are_set_exactly_and_only_from_this_workspace(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    second = add_team(olga, "Night", [cast.ben.id])
    set_teams(olga, cast.ana.id, [second.id])
    assert list(cast.ana.teams.all()) == [second]
    foreign = Team.objects.get(workspace=cast.elsewhere)
    with pytest.raises(InputRefused):
        set_teams(olga, cast.ana.id, [foreign.id])
    with pytest.raises(InputRefused):
        change_team(olga, second.id, name="Night", agent_ids=[cast.cleo.id])


def test_a_team_name_is_used_once_and_the_last_team_stays(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    with pytest.raises(InputRefused) as refused:
        add_team(olga, " care ")
    assert refused.value.field == "name"
    with pytest.raises(Conflict):
        remove_team(olga, cast.team.id)
    add_team(olga, "Night")
    remove_team(olga, cast.team.id)
    assert Team.objects.filter(workspace=cast.workspace).count() == 1


def test_away_is_told_once(cast: Cast) -> None:
    ana = cast.viewer(cast.ana)
    set_away(ana, True)
    set_away(ana, True)
    assert Agent.objects.get(id=cast.ana.id).is_away
    assert Event.objects.filter(kind="agent.changed", facts={"what": "away"}).count() == 1


def test_a_profile_keeps_what_was_said(cast: Cast) -> None:
    words = Profile("Ana María", "es", "Europe/Madrid", ("ES", "en", "es"), "Ana\nAir", False, True)
    change_profile(cast.viewer(cast.ana), words)
    ana = Agent.objects.select_related("account").get(id=cast.ana.id)
    assert (ana.name, ana.zone, ana.languages, ana.signature) == (
        "Ana María",
        "Europe/Madrid",
        ["es", "en"],
        "Ana\nAir",
    )
    assert (ana.account.locale, ana.shortcuts_on, ana.compact_rows) == ("es", False, True)


@pytest.mark.parametrize(
    ("change", "field"), [({"languages": ("español",)}, "languages"), ({"zone": "X"}, "zone"), ({"name": ""}, "name")]
)
def test_a_refused_profile_names_its_field(cast: Cast, change: dict[str, object], field: str) -> None:
    words = {
        "name": "A",
        "locale": "en",
        "zone": "",
        "languages": (),
        "signature": "",
        "shortcuts_on": True,
        "compact_rows": False,
    }
    with pytest.raises(InputRefused) as refused:
        change_profile(cast.viewer(cast.ana), Profile(**{**words, **change}))  # type: ignore[arg-type]
    assert refused.value.field == field
