"""Role by door by foreign workspace: every page and every act of triage and topics."""

from __future__ import annotations

import pytest
from django.test import Client

from careline.conftest import Air, make_agent
from careline.screens.conftest import Desk
from careline.triage.actions.naming import draft_topic
from careline.triage.models import FittedHead, Topic, TopicExample, TriageSettings
from careline.triage.tests.learning import judged, vector_at
from careline.workspaces.roles import ROLE_VERBS, may
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
FIVE = ["late", "delayed", "two hours late", "still waiting", "when do we leave"]
DOORS = [
    ("get", "settings/triage", False),
    ("post", "settings/triage", False),
    ("post", "settings/triage/heads/kind/1/use", True),
    ("get", "topics/", False),
    ("get", "topics/new", False),
    ("post", "topics/new", False),
    ("get", "topics/proposals", False),
    ("get", "topics/{topic}/", True),
    ("post", "topics/{topic}/name", True),
    ("post", "topics/{topic}/examples", True),
    ("post", "topics/{topic}/examples/{example}/removal", True),
    ("post", "topics/{topic}/thumbs/{message}", True),
    ("post", "topics/{topic}/use", True),
    ("post", "topics/{topic}/retirement", True),
    ("post", "topics/{topic}/removal", True),
]
SAID = {"thumb": "up", "texts": "one more", "name": "Renamed"}


@pytest.fixture
def rows(air: Air) -> dict[str, int]:
    """One row of each kind in `air`."""
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    example = TopicExample.objects.filter(topic_id=topic).order_by("id")[0].id
    FittedHead.objects.create(workspace_id=air.workspace.id, name="kind", version=1, state="earlier")
    return {"topic": topic, "example": example, "message": judged(air, "late", vector_at("late")).id}


def knock(client: Client, workspace: str, method: str, path: str, rows: dict[str, int]) -> int:
    address = f"/w/{workspace}/{path.format(**rows)}"
    return client.get(address).status_code if method == "get" else client.post(address, SAID).status_code


def _picture() -> list[object]:
    return [
        list(Topic.objects.order_by("id").values()),
        list(TopicExample.objects.order_by("id").values("id", "is_of_topic")),
        list(FittedHead.objects.values("version", "state")),
        list(TriageSettings.objects.values()),
    ]


@pytest.mark.parametrize("role", list(ROLE_VERBS))
def test_each_role_opens_exactly_its_doors(air: Air, rows: dict[str, int], role: str) -> None:
    client = Desk(make_agent(air.workspace, f"some-{role}", role)).client
    for method, path, _names_row in DOORS:
        status = knock(client, "air", method, path, rows)
        if may(role, "manage_triage"):
            assert status in {200, 302, 404, 422}, (method, path, status)
        else:
            assert status == 403, (method, path, status)


def test_cleo_never_enters_another_workspace(air: Air, cleo: Viewer, rows: dict[str, int]) -> None:
    before, client = _picture(), Desk(cleo).client
    for method, path, _names_row in DOORS:
        assert knock(client, "air", method, path, rows) == 404, (method, path)
    assert _picture() == before


def test_cleo_finds_no_foreign_row_from_her_own_workspace(air: Air, cleo: Viewer, rows: dict[str, int]) -> None:
    before, client = _picture(), Desk(cleo).client
    for method, path, names_row in DOORS:
        if names_row:
            assert knock(client, "sea", method, path, rows) == 404, (method, path)
    assert _picture() == before


def test_nobody_enters_without_signing_in_and_no_act_answers_to_get(air: Air, rows: dict[str, int]) -> None:
    for method, path, _names_row in DOORS:
        assert knock(Client(), "air", method, path, rows) == 302, (method, path)
    before, client = _picture(), Desk(air.ben).client
    for method, path, _names_row in DOORS:
        if method == "post":
            client.get(f"/w/air/{path.format(**rows)}")
    assert _picture() == before


def test_every_act_wants_the_csrf_token(air: Air, rows: dict[str, int]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = Desk(air.ben).client.cookies
    for method, path, _names_row in DOORS:
        if method == "post":
            assert knock(client, "air", method, path, rows) == 403, path
