"""Solved cases of the same meaning are found by vector, among what the viewer may see, and only in their own workspace."""

from __future__ import annotations

import numpy as np
import pytest

from careline.cases.actions.closing import close_case
from careline.cases.models import Case
from careline.cases.queries.alike import alike_cases, forget_vectors
from careline.conftest import Air, make_case
from careline.errors import NotFound
from careline.threads.models import Message
from careline.triage.models import Judgement
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    forget_vectors()


def _case(air: Air, text: str, *place: float, outcome: str = "solved", team: str | None = "channel") -> Case:
    """A case whose words stand at a place of the space of meanings."""
    case = make_case(air.channel, air.marta_identity, text, team=team)
    vector = np.zeros(512, dtype="<f2")
    vector[: len(place)] = np.array(place) / np.linalg.norm(place)
    message = Message.objects.get(case_id=case.id)
    Judgement.objects.create(message=message, workspace_id=air.workspace.id, vector=vector.tobytes())
    if outcome:
        close_case(air.ben, case.number, outcome)
    return case


def test_the_nearest_solved_cases_come_first_and_what_is_far_not_at_all(air: Air) -> None:
    near = _case(air, "my suitcase is lost", 1.0, 0.2)
    nearer = _case(air, "maleta perdida", 1.0, 0.05)
    _case(air, "a refund please", 0.0, 1.0)
    _case(air, "my bag was lost", 1.0, 0.0, outcome="spam")
    asked = _case(air, "where is my bag", 1.0, 0.0, outcome="")
    found = alike_cases(air.ana, asked.number)
    assert [one.number for one in found] == [nearer.number, near.number]
    assert found[0].nearness > found[1].nearness > 0.9


def test_a_case_is_not_alike_itself_and_one_without_words_has_none(air: Air) -> None:
    asked = _case(air, "where is my bag", 1.0)
    assert alike_cases(air.ana, asked.number) == ()
    assert alike_cases(air.ana, make_case(air.channel, air.marta_identity).number) == ()


def test_what_the_viewer_may_not_see_is_not_told(air: Air, cleo: Viewer) -> None:
    _case(air, "my suitcase is lost", 1.0)
    Case.objects.update(team_id=air.loyalty.id)
    asked = _case(air, "where is my bag", 1.0, outcome="")
    assert alike_cases(air.ana, asked.number) == ()
    assert len(alike_cases(air.ben, asked.number)) == 1
    with pytest.raises(NotFound):
        alike_cases(cleo, asked.number)
