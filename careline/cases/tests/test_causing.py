"""The root cause is set by hand, apart from the reason, is one of the workspace's own, and can be taken back."""

from __future__ import annotations

import pytest

from careline.cases.actions.causing import set_root_cause
from careline.cases.actions.undoing import undo_act
from careline.cases.models import Case
from careline.conftest import Air
from careline.errors import Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.triage.actions.naming import draft_topic, retire_topic
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


def test_a_root_cause_is_set_told_and_taken_back(air: Air, marta_case: Case) -> None:
    cause = draft_topic(air.ben, name="Belt four broken", facet="root_cause")
    act_id = set_root_cause(air.ana, marta_case.number, cause)
    marta_case.refresh_from_db()
    assert (marta_case.root_cause_id, marta_case.topic_id) == (cause, None)
    assert Event.objects.filter(kind="case.changed", case_id=marta_case.id, facts={"what": "root_cause"}).exists()
    assert set_root_cause(air.ana, marta_case.number, cause) == 0
    undo_act(air.ana, act_id)
    marta_case.refresh_from_db()
    assert marta_case.root_cause_id is None


def test_nobody_knows_is_an_answer_too(air: Air, marta_case: Case) -> None:
    set_root_cause(air.ana, marta_case.number, draft_topic(air.ben, name="Belt", facet="root_cause"))
    assert set_root_cause(air.ana, marta_case.number, None)
    marta_case.refresh_from_db()
    assert marta_case.root_cause_id is None


def test_only_a_root_cause_in_use_of_this_workspace_is_taken(air: Air, cleo: Viewer, marta_case: Case) -> None:
    reason = draft_topic(air.ben, name="Delays")
    theirs = draft_topic(cleo, name="Belt", facet="root_cause")
    retired = draft_topic(air.ben, name="Old", facet="root_cause")
    retire_topic(air.ben, retired)
    for wrong in (reason, theirs, retired, 7):
        with pytest.raises(InputRefused):
            set_root_cause(air.ana, marta_case.number, wrong)


def test_nobody_sets_it_elsewhere_or_without_the_right(air: Air, cleo: Viewer, marta_case: Case) -> None:
    cause = draft_topic(air.ben, name="Belt", facet="root_cause")
    with pytest.raises(NotFound):
        set_root_cause(cleo, marta_case.number, cause)
    with pytest.raises(Forbidden):
        set_root_cause(air.iris, marta_case.number, cause)
