"""Invitations: one use, seven days, the right person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.kit import clock
from careline.workspaces.actions.inviting import (
    accept_as_account,
    accept_invitation,
    access_invitation,
    invite_agent,
    invite_by_command,
    withdraw_invitation,
)
from careline.workspaces.models import Account, Agent, Audit, Invitation
from careline.workspaces.tests.cast import PASSWORD, Cast

NEW = {"name": "Nora", "password": "another-long-secret", "locale": "es", "zone": "Europe/Madrid"}


def invite(cast: Cast, email: str = "nora@air.test", role: str = "agent") -> str:
    viewer = cast.viewer(cast.olga)
    return invite_agent(viewer, email=email, role=role, team_ids=[cast.team.id]).url.rsplit("/", 1)[1]


def test_an_invited_agent_joins_with_role_and_teams(cast: Cast) -> None:
    nora = accept_invitation(invite(cast, "Nora@Air.test", "trainee"), **NEW)
    assert (nora.role, nora.account.email, nora.workspace_id) == ("trainee", "nora@air.test", cast.workspace.id)
    assert list(nora.teams.all()) == [cast.team]
    assert Audit.objects.filter(workspace_id=cast.workspace.id, verb="agent_joined", agent_id=nora.id).count() == 1


def test_an_invitation_works_once(cast: Cast) -> None:
    token = invite(cast)
    accept_invitation(token, **NEW)
    with pytest.raises(NotFound):
        accept_invitation(token, **NEW)


def test_an_invitation_ends_after_a_week(cast: Cast) -> None:
    token = invite(cast)
    with clock.travel(timedelta(days=7, seconds=1)), pytest.raises(NotFound):
        accept_invitation(token, **NEW)


def test_a_withdrawn_invitation_is_closed(cast: Cast) -> None:
    token = invite(cast)
    withdraw_invitation(cast.viewer(cast.adam), Invitation.objects.get().id)
    with pytest.raises(NotFound):
        access_invitation(token)


def test_inviting_again_closes_the_earlier_link(cast: Cast) -> None:
    first, second = invite(cast), invite(cast)
    with pytest.raises(NotFound):
        access_invitation(first)
    assert access_invitation(second).email == "nora@air.test"


def test_the_token_is_kept_only_as_a_hash(cast: Cast) -> None:
    token = invite(cast)
    assert token not in str(list(Invitation.objects.values()))
    assert token not in str(list(Audit.objects.values()))


def test_an_empty_token_opens_nothing(cast: Cast) -> None:
    Invitation.objects.create(
        workspace=cast.workspace, email="x@air.test", token_hash="", expires_at=clock.now() + timedelta(days=1)
    )
    with pytest.raises(NotFound):
        access_invitation("")


def test_someone_with_an_account_joins_with_their_own_password(cast: Cast) -> None:
    token = invite(cast, cast.cleo.account.email)
    with pytest.raises(Conflict):
        accept_invitation(token, **NEW)
    assert Account.objects.get(id=cast.cleo.account_id).check_password(PASSWORD)
    joined = accept_as_account(token, cast.cleo.account_id)
    assert joined.workspace_id == cast.workspace.id and joined.role == "agent"
    assert Agent.objects.get(id=cast.cleo.id).role == "owner"


def test_an_invitation_is_of_no_use_to_somebody_else(cast: Cast) -> None:
    token = invite(cast, "nora@air.test")
    with pytest.raises(NotFound):
        accept_as_account(token, cast.cleo.account_id)
    assert access_invitation(token).used_at is None


def test_an_agent_who_left_comes_back_as_the_same_agent(cast: Cast) -> None:
    Agent.objects.filter(id=cast.ana.id).update(is_active=False)
    back = accept_as_account(invite(cast, cast.ana.account.email, "lead"), cast.ana.account_id)
    assert back.id == cast.ana.id and back.is_active and back.role == "lead"


def test_only_an_owner_invites_an_owner(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        invite_agent(cast.viewer(cast.adam), email="n@air.test", role="owner")
    assert invite_agent(cast.viewer(cast.olga), email="n@air.test", role="owner").email == "n@air.test"


@pytest.mark.parametrize("who", ["ben", "ana"])
def test_leads_and_agents_do_not_invite(cast: Cast, who: str) -> None:
    with pytest.raises(Forbidden):
        invite_agent(cast.viewer(getattr(cast, who)), email="n@air.test", role="agent")
    assert not Invitation.objects.exists()


def test_cleo_cannot_withdraw_or_use_foreign_teams(cast: Cast) -> None:
    invite(cast)
    with pytest.raises(NotFound):
        withdraw_invitation(cast.viewer(cast.cleo), Invitation.objects.get().id)
    with pytest.raises(InputRefused):
        invite_agent(cast.viewer(cast.cleo), email="n@rail.test", role="agent", team_ids=[cast.team.id])


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [("nobody", "agent", "email"), ("ana@air.test", "agent", "email"), ("n@a.test", "king", "role")],
)
def test_a_refused_invitation_names_its_field(cast: Cast, email: str, role: str, field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        invite_agent(cast.viewer(cast.olga), email=email, role=role)
    assert refused.value.field == field


def test_the_command_invites_without_an_inviter(cast: Cast) -> None:
    invited = invite_by_command("air", email="first@air.test", role="owner")
    assert accept_invitation(invited.url.rsplit("/", 1)[1], **NEW).role == "owner"
    with pytest.raises(NotFound):
        invite_by_command("nowhere", email="first@air.test", role="owner")
