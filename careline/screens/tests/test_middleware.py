"""The front door, the workspace gate, the language and the content policy."""

from __future__ import annotations

import pytest
from django.test import Client

from careline.workspaces.models import Account, Agent, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def air() -> Workspace:
    return Workspace.objects.create(slug="air", name="Air")


def sign_in(workspace: Workspace, name: str, *, role: str = "agent", locale: str = "en") -> Client:
    account = Account.objects.create_user(f"{name.lower()}@example.test", name=name, locale=locale)
    Agent.objects.create(workspace=workspace, account=account, name=name, role=role)
    client = Client()
    client.force_login(account)
    return client


def test_the_front_door_leads_to_the_only_workspace(air: Workspace) -> None:
    assert sign_in(air, "Ana").get("/").headers["Location"] == "/w/air/inbox"


def test_the_door_of_a_workspace_leads_to_its_inbox_and_cleo_finds_none(air: Workspace) -> None:
    client = sign_in(air, "Ana")
    Workspace.objects.create(slug="rail", name="Rail")
    assert client.get("/w/air/").headers["Location"] == "/w/air/inbox"
    assert client.get("/w/rail/").status_code == 404


def test_the_front_door_offers_a_choice_between_several(air: Workspace) -> None:
    client = sign_in(air, "Ana")
    rail = Workspace.objects.create(slug="rail", name="Rail")
    Agent.objects.create(workspace=rail, account=Account.objects.get(), name="Ana")
    page = client.get("/").content.decode()
    assert 'href="/w/air/inbox"' in page and 'href="/w/rail/inbox"' in page


def test_a_stranger_is_asked_to_sign_in_and_comes_back(air: Workspace) -> None:
    answer = Client().get("/w/air/inbox?view=team")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/accounts/login/?next=/w/air/inbox%3Fview%3Dteam"


def test_a_script_of_a_stranger_gets_401_in_words(air: Workspace) -> None:
    answer = Client().get("/w/air/inbox", headers={"X-Fragment": "list"})
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


def test_cleo_finds_nothing_in_a_workspace_that_is_not_hers(air: Workspace) -> None:
    sign_in(air, "Ana")
    rail = Workspace.objects.create(slug="rail", name="Rail")
    answer = sign_in(rail, "Cleo").get("/w/air/inbox")
    assert answer.status_code == 404
    assert "There is no such workspace for you." in answer.content.decode()


def test_an_ended_membership_opens_nothing(air: Workspace) -> None:
    client = sign_in(air, "Ana")
    Agent.objects.update(is_active=False)
    assert client.get("/w/air/inbox").status_code == 404


def test_every_page_carries_a_policy_without_inline_scripts(air: Workspace) -> None:
    policy = sign_in(air, "Ana").get("/w/air/inbox").headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy and "'unsafe-eval'" not in policy
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy


def test_the_page_speaks_the_accounts_language(air: Workspace) -> None:
    assert '<html lang="es"' in sign_in(air, "Ana", locale="es").get("/w/air/inbox").content.decode()
