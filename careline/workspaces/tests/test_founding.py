"""The first owner comes by one link, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.errors import InputRefused, NotFound
from careline.kit import clock
from careline.workspaces.actions.founding import access_owner_invitation, create_owner, make_owner_link
from careline.workspaces.models import Account, Agent, Audit, Brand, Calendar, Invitation, Team, Workspace

ANSWERS = {
    "workspace_name": "Aerolínea Norte",
    "name": "Olga Ruiz",
    "email": "Olga@Norte.test",
    "password": "muy-larga-y-secreta",
    "locale": "es",
    "zone": "Europe/Madrid",
}


def token_of(link: str | None) -> str:
    assert link is not None
    return link.rsplit("/", 1)[1]


def test_the_first_link_makes_a_workspace_ready_to_connect_a_channel(db: None) -> None:
    owner = create_owner(token_of(make_owner_link()), **ANSWERS)
    workspace = Workspace.objects.get()
    assert (workspace.slug, workspace.locale, workspace.zone) == ("aerolinea-norte", "es", "Europe/Madrid")
    assert owner.role == "owner" and owner.account.email == "olga@norte.test"
    assert owner.account.check_password(ANSWERS["password"])
    assert Team.objects.count() == Brand.objects.count() == 1 and Calendar.objects.count() == 2
    assert list(owner.teams.all()) == list(Team.objects.all())
    assert list(Audit.objects.values_list("verb", "agent_id")) == [("owner_created", owner.id)]


def test_no_link_is_made_once_an_owner_exists(db: None) -> None:
    create_owner(token_of(make_owner_link()), **ANSWERS)
    assert make_owner_link() is None


def test_the_link_works_once(db: None) -> None:
    token = token_of(make_owner_link())
    create_owner(token, **ANSWERS)
    with pytest.raises(NotFound):
        create_owner(token, **{**ANSWERS, "email": "other@norte.test"})
    assert Workspace.objects.count() == 1


def test_only_the_newest_link_works_and_only_its_hash_is_kept(db: None) -> None:
    first, second = token_of(make_owner_link()), token_of(make_owner_link())
    with pytest.raises(NotFound):
        access_owner_invitation(first)
    access_owner_invitation(second)
    assert second not in str(list(Invitation.objects.values()))


def test_the_link_ends_after_a_week(db: None) -> None:
    token = token_of(make_owner_link())
    with clock.travel(timedelta(days=7, seconds=1)), pytest.raises(NotFound):
        create_owner(token, **ANSWERS)
    with clock.travel(timedelta(days=6, hours=23)):
        assert create_owner(token, **ANSWERS).role == "owner"


@pytest.mark.parametrize("token", ["", "x", "null", "a" * 500])
def test_an_empty_or_invented_token_is_refused(db: None, token: str) -> None:
    make_owner_link()
    with pytest.raises(NotFound):
        create_owner(token, **ANSWERS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("name", "  "),
        ("workspace_name", ""),
        ("password", "short"),
        ("password", "password1234"),
        ("locale", "tlh"),
        ("zone", "Mars/Olympus"),
    ],
)
def test_a_refused_answer_names_its_field_and_leaves_the_link_open(db: None, field: str, value: str) -> None:
    token = token_of(make_owner_link())
    with pytest.raises(InputRefused) as refused:
        create_owner(token, **{**ANSWERS, field: value})
    assert refused.value.field == field
    assert not Account.objects.exists() and not Agent.objects.exists()
    create_owner(token, **ANSWERS)
