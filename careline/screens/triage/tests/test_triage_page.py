"""The triage page: choices that are kept, how late verdicts are, what was learned with its figures, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.conftest import Air, make_case
from careline.kit import clock
from careline.screens.conftest import Desk
from careline.triage.models import FittedHead, Topic, TriageSettings
from careline.triage.queries import masked_kinds
from careline.workspaces.models import Account, Audit

pytestmark = pytest.mark.django_db
CHOICES = {"is_on": "on", "set_aside_from": "95", "audit_percent": "5", "masked": ["card", "phone"]}


@pytest.fixture
def ben(air: Air) -> Desk:
    return Desk(air.ben)


def version(air: Air, number: int, state: str, name: str = "kind", **columns: object) -> FittedHead:
    card = {"labels": ["complaint", "noise"], "examples": [30, 12], "rows": 42, "accuracy": 0.834, "macro_f1": 0.77}
    return FittedHead.objects.create(
        workspace_id=air.workspace.id, name=name, version=number, state=state, own_rows=17, **{"card": card, **columns}
    )


def test_choices_are_kept_audited_and_shown(air: Air, ben: Desk) -> None:
    assert ben.client.post(ben.base + "settings/triage", CHOICES).status_code == 302
    kept = TriageSettings.objects.get(workspace_id=air.workspace.id)
    assert (kept.is_on, kept.sets_aside, kept.set_aside_from, kept.audit_percent) == (True, False, 0.95, 5.0)
    assert set(masked_kinds(air.workspace.id)) == {"card", "phone"}
    assert Audit.objects.get(verb="triage_changed").facts["masked"] in {"card phone", "phone card"}
    assert 'value="95"' in ben.page("settings/triage")


def test_the_usual_kinds_are_kept_as_none_so_that_they_follow(air: Air, ben: Desk) -> None:
    usual = ["card", "iban", "national_id", "ssn", "passport"]
    ben.client.post(ben.base + "settings/triage", {**CHOICES, "masked": usual})
    assert TriageSettings.objects.get().masked == [] and set(masked_kinds(air.workspace.id)) == set(usual)


@pytest.mark.parametrize(("field", "value"), [("set_aside_from", "40"), ("audit_percent", "101"), ("masked", "shoe")])
def test_a_refused_choice_names_its_field(ben: Desk, field: str, value: str) -> None:
    answer = ben.client.post(ben.base + "settings/triage", {**CHOICES, field: value})
    assert answer.status_code == 422 and f'id="id_{field}_error"' in answer.content.decode()
    assert not TriageSettings.objects.exists()


def test_how_late_verdicts_are_is_said(air: Air, ben: Desk) -> None:
    assert "Verdicts follow within seconds" in ben.page("settings/triage")
    make_case(air.channel, air.marta_identity)
    with clock.travel(timedelta(minutes=7)):
        assert "Verdicts are 7 minutes late" in ben.page("settings/triage")
    TriageSettings.objects.create(workspace_id=air.workspace.id, is_on=False)
    assert "Triage is off" in ben.page("settings/triage")


def test_before_anything_was_learned_the_page_says_what_judges_and_what_is_missing(ben: Desk) -> None:
    page = ben.page("settings/triage")
    assert page.count("as shipped") >= 3 and page.count("10 more make the next version") == 4
    assert "settings/triage/heads/" not in page


def test_a_head_shows_version_rows_examples_and_held_out_figures(air: Air, ben: Desk) -> None:
    version(air, 1, "earlier")
    version(air, 2, "refused", why="below_active")
    version(air, 3, "active")
    page = ben.page("settings/triage")
    assert "version 3" in page and "83%" in page and "77%" in page and "complaint</bdi> <b>30</b>" in page
    assert "worse on held-out rows" in page and page.count("heads/kind/") == 2


def test_topics_stand_by_name_on_their_heads_card(air: Air, ben: Desk) -> None:
    topic = Topic.objects.create(workspace_id=air.workspace.id, name="Delays")
    card = {"labels": ["none", str(topic.id)], "examples": [20, 11], "rows": 31, "accuracy": 0.9, "macro_f1": 0.88}
    version(air, 1, "active", "topic", card=card)
    page = ben.page("settings/triage")
    assert "Delays</bdi> <b>11</b>" in page and "of no topic" in page


def test_going_back_is_one_click(air: Air, ben: Desk) -> None:
    version(air, 1, "earlier")
    version(air, 2, "active")
    page = ben.client.post(ben.base + "settings/triage/heads/kind/1/use", follow=True).content.decode()
    assert "Learning goes on after five new corrections" in page and "go forward" in page
    assert FittedHead.objects.get(state="active").version == 1
    page = ben.client.post(ben.base + "settings/triage/heads/kind/1/use", follow=True).content.decode()
    assert "in use already" in page


def test_the_page_stands_in_the_menu_of_who_may_open_it(air: Air, ben: Desk) -> None:
    assert "/w/air/settings/triage" in ben.page("settings/profile") and "/w/air/topics/" in ben.page("settings/profile")
    assert "/w/air/settings/triage" not in Desk(air.ana).page("settings/profile")


def test_the_page_speaks_spanish(air: Air, ben: Desk) -> None:
    Account.objects.filter(id=air.ben.account_id).update(locale="es")
    version(air, 1, "active")
    page = ben.page("settings/triage")
    assert 'lang="es"' in page and "Lo que ha aprendido aquí" in page and "83\xa0%" in page
