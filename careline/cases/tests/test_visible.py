"""Who sees which case, through every read; and that streams agree."""

from __future__ import annotations

import pytest

from careline.cases.actions.closing import close_case
from careline.cases.actions.noting import write_note
from careline.cases.models import CaseReader
from careline.cases.queries.listing import counts, list_page, list_rows
from careline.cases.queries.opening import open_case
from careline.cases.queries.visible import access_case, audience_columns, audience_of, visible_cases
from careline.cases.rows import ListFilters
from careline.conftest import make_agent, make_case
from careline.errors import NotFound
from careline.events.feed import is_for
from careline.events.models import Event

pytestmark = pytest.mark.django_db
SEES_CARE = {"owner", "ben", "ana", "tom", "iris"}
SEES_LOYALTY = {"owner", "ben", "dora", "iris"}
SEES_NOBODYS = {"owner", "ben", "ana", "dora", "tom", "iris"}


def _who_sees(air, case):
    return {name for name, viewer in air.agents.items() if visible_cases(viewer).filter(id=case.id).exists()}


def _cast(air):
    return {
        "care": make_case(air.channel, air.marta_identity, "miles", team=air.care),
        "loyalty": make_case(air.channel, air.marta_identity, "miles", team=air.loyalty),
        "nobody": make_case(air.channel, air.marta_identity, "miles", team=None),
    }


def test_agents_see_their_teams_and_nobodys_cases_leads_and_analysts_see_all_colleagues_none(air):
    cases = _cast(air)
    assert _who_sees(air, cases["care"]) == SEES_CARE
    assert _who_sees(air, cases["loyalty"]) == SEES_LOYALTY
    assert _who_sees(air, cases["nobody"]) == SEES_NOBODYS


def test_an_assignee_sees_the_case_of_a_foreign_team(air):
    case = make_case(air.channel, air.marta_identity, team=air.loyalty, assignee_id=air.ana.agent_id)
    assert "ana" in _who_sees(air, case)
    assert "tom" not in _who_sees(air, case)


def test_a_colleague_sees_only_what_they_were_asked_into(air):
    case = make_case(air.channel, air.marta_identity, team=air.care)
    other = make_case(air.channel, air.marta_identity, team=None)
    CaseReader.objects.create(workspace_id=case.workspace_id, case_id=case.id, agent_id=air.carl.agent_id)
    assert open_case(air.carl, case.number).row.number == case.number
    with pytest.raises(NotFound):
        access_case(air.carl, other.number)


def test_list_counts_search_rows_and_case_agree_with_the_one_rule(air):
    cases = _cast(air)
    for viewer in air.agents.values():
        seen = {case.number for case in cases.values() if visible_cases(viewer).filter(id=case.id).exists()}
        assert {row.number for row in list_page(viewer, ListFilters(view="all")).rows} == seen
        assert {row.number for row in list_page(viewer, ListFilters(view="all", query="miles")).rows} == seen
        assert {row.number for row in list_rows(viewer, [case.id for case in cases.values()])} == seen
        assert counts(viewer)["all"] == len(seen)
        for case in cases.values():
            if case.number in seen:
                assert open_case(viewer, case.number).row.id == case.id
            else:
                with pytest.raises(NotFound):
                    open_case(viewer, case.number)


def test_cleo_sees_nothing_of_another_workspace(air, cleo, marta_case):
    assert list_page(cleo, ListFilters(view="all")).rows == ()
    assert list_page(cleo, ListFilters(view="all", query="miles")).rows == ()
    assert list_rows(cleo, [marta_case.id]) == ()
    assert counts(cleo)["all"] == 0
    with pytest.raises(NotFound):
        open_case(cleo, marta_case.number)


def test_the_audience_of_a_case_reaches_exactly_those_who_may_see_it(air):
    cases = _cast(air)
    CaseReader.objects.create(workspace_id=air.workspace.id, case_id=cases["care"].id, agent_id=air.carl.agent_id)
    cases["loyalty"].assignee_id = air.ana.agent_id
    cases["loyalty"].save()
    for case in cases.values():
        told = {name for name, viewer in air.agents.items() if is_for(audience_of(case), viewer.sight)}
        assert told == _who_sees(air, case)


def test_a_case_with_many_readers_goes_on(air, marta_case):
    for number in range(15):
        make_agent(air.workspace, f"Reader{number}", "agent", air.loyalty)
    write_note(air.ana, marta_case.number, text="@Loyalty all of you, please")
    close_case(air.ana, marta_case.number)
    told = {name for event in Event.objects.filter(kind="case.changed") for name in event.audience.split(",")}
    readers = CaseReader.objects.filter(case_id=marta_case.id).values_list("agent_id", flat=True)
    assert {f"agent:{agent_id}" for agent_id in readers} <= told
    assert len(readers) == 16


def test_many_readers_are_told_in_several_audiences_that_fit_the_column():
    names = [f"agent:{10**18 + number}" for number in range(30)]
    columns = audience_columns(names)
    assert all(len(column) <= 200 for column in columns)
    assert ",".join(columns).split(",") == names
