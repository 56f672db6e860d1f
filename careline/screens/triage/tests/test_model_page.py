"""A language model is named by an owner, tried before it is kept, its key sealed and never shown, and nobody else's."""

from __future__ import annotations

import pytest

from careline.channels.access import open_secrets
from careline.conftest import Air
from careline.screens.conftest import Desk
from careline.triage.actions import choosing_model
from careline.triage.actions.choosing_model import ModelChoice, try_model
from careline.triage.endpoints import endpoint_of
from careline.triage.models import TriageSettings
from careline.workspaces.models import Audit
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
CHOICE = {
    "base_url": "http://127.0.0.1:9/v1/", "model": "small", "api_key": "sk-secret", "below": "70", "daily_calls": "50", "daily_tokens": "9000",
}  # fmt: skip


@pytest.fixture
def olga(air: Air) -> Desk:
    return Desk(air.owner)


def test_it_is_kept_with_its_key_sealed_and_audited(air: Air, olga: Desk) -> None:
    assert olga.client.post(olga.base + "settings/triage/model", CHOICE).status_code == 302
    kept = TriageSettings.objects.get(workspace_id=air.workspace.id)
    endpoint = endpoint_of(kept)
    assert endpoint is not None
    assert (endpoint.base_url, endpoint.model, endpoint.api_key) == ("http://127.0.0.1:9/v1", "small", "sk-secret")
    assert (endpoint.below, endpoint.daily_calls, endpoint.daily_tokens) == (0.7, 50, 9000)
    assert b"sk-secret" not in bytes(kept.llm_secret) and "sk-secret" not in str(kept.llm)
    page = olga.page("settings/triage/model")
    assert "sk-secret" not in page and "A key is kept" in page
    assert Audit.objects.get(verb="triage_model_changed").facts == {"host": "127.0.0.1", "model": "small"}


def test_an_empty_key_keeps_the_one_there_and_an_empty_address_asks_nobody(air: Air, olga: Desk) -> None:
    olga.client.post(olga.base + "settings/triage/model", CHOICE)
    olga.client.post(olga.base + "settings/triage/model", {**CHOICE, "api_key": "", "model": "other"})
    kept = TriageSettings.objects.get(workspace_id=air.workspace.id)
    assert open_secrets(bytes(kept.llm_secret))["api_key"] == "sk-secret" and kept.llm["model"] == "other"
    olga.client.post(olga.base + "settings/triage/model", {**CHOICE, "base_url": ""})
    kept.refresh_from_db()
    assert endpoint_of(kept) is None and not bytes(kept.llm_secret)


@pytest.mark.parametrize(
    ("field", "value"),
    [("base_url", "ftp://here"), ("base_url", "no address"), ("model", ""), ("below", "0"), ("daily_calls", "-1")],
)
def test_a_refused_choice_names_its_field_and_keeps_nothing(olga: Desk, field: str, value: str) -> None:
    answer = olga.client.post(olga.base + "settings/triage/model", {**CHOICE, field: value})
    assert answer.status_code == 422 and f'id="id_{field}_error"' in answer.content.decode()
    assert not TriageSettings.objects.exists()


def test_trying_says_in_words_why_it_fails_and_keeps_nothing(olga: Desk) -> None:
    answer = olga.client.post(olga.base + "settings/triage/model", {**CHOICE, "try": "1"})
    assert "Nobody answers at this address." in answer.content.decode()
    assert not TriageSettings.objects.exists()


def test_an_answer_in_the_form_asked_for_is_good_and_any_other_is_not(air: Air) -> None:
    choice = ModelChoice("http://127.0.0.1:9/v1", "m", "k", 0.6, 1, 1)
    good = (
        '{"texts": [{"n": 0, "kind": "question", "needs_answer": "yes", "sentiment": "neutral", "harm": "", "legal": false,'
        ' "leaving": false, "closing": "", "sure": 0.9}]}'
    )
    assert try_model(air.owner, choice, lambda *asked: (good, 10)) == ""
    assert "not in the form" in try_model(air.owner, choice, lambda *asked: ("Sure! It is a question.", 10))


def test_leads_and_other_workspaces_have_no_say(air: Air, cleo: Viewer) -> None:
    assert Desk(air.ben).client.post(f"/w/{air.workspace.slug}/settings/triage/model", CHOICE).status_code == 403
    assert Desk(cleo).client.post(f"/w/{air.workspace.slug}/settings/triage/model", CHOICE).status_code == 404
    assert not TriageSettings.objects.exists()
    assert choosing_model.reads("{}") is False
