"""The lead's figures and the export."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.assigning import take_case
from careline.cases.actions.closing import close_case
from careline.cases.actions.fields import set_title
from careline.cases.queries.leading import EXPORT_HEADER, export_rows, lead_page, safe_cell
from careline.conftest import make_case, make_channel
from careline.errors import Forbidden
from careline.kit import clock
from careline.workspaces.models import Audit

pytestmark = pytest.mark.django_db


def test_waiting_oldest_and_late_per_agent_and_channel_with_practice_apart(air, django_assert_max_num_queries):
    now = clock.now()
    late = make_case(air.channel, air.marta_identity, at=now - timedelta(hours=1))
    make_case(air.channel, air.marta_identity, at=now - timedelta(minutes=1))
    close_case(air.ana, make_case(air.channel, air.marta_identity).number)
    make_case(
        make_channel(air.workspace, air.care, name="practice", is_simulated=True),
        air.marta_identity,
        at=now - timedelta(days=1),
    )
    take_case(air.ana, late.number)
    with django_assert_max_num_queries(5):
        page = lead_page(air.ben)
    assert (page.real.open, page.real.waiting, page.real.late, page.real.unassigned) == (2, 2, 1, 1)
    assert page.real.oldest_since == now - timedelta(hours=1)
    assert (page.simulated.open, page.simulated.late) == (1, 1)
    standing = {one.name: one.standing.late for one in page.agents}
    assert (standing["Ana"], standing["Ben"], standing[""]) == (1, 0, 0)
    assert [(one.name, one.is_simulated, one.standing.open) for one in page.channels] == [
        ("@air", False, 2),
        ("practice", True, 1),
    ]


def test_an_empty_desk_has_figures_too(air):
    assert lead_page(air.ben).real.open == 0


def test_the_export_holds_one_row_a_case_and_is_audited(air, cleo):
    cases = [make_case(air.channel, air.marta_identity) for _ in range(3)]
    set_title(air.ana, cases[0].number, '=HYPERLINK("http://x")')
    rows = list(export_rows(air.ben))
    assert rows[0] == EXPORT_HEADER
    assert [row[0] for row in rows[1:]] == [str(case.number) for case in cases]
    assert rows[1][-1] == '\'=HYPERLINK("http://x")'
    assert all(len(row) == len(EXPORT_HEADER) for row in rows)
    assert Audit.objects.filter(verb="cases_exported", agent_id=air.ben.agent_id).count() == 1
    assert len(list(export_rows(cleo))) == 1


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", " =1", "\t=1", "\r=1", "|calc", "%x"])
def test_nothing_that_a_spreadsheet_would_run_leaves_as_it_is(cell):
    assert safe_cell(cell).startswith("'")


@pytest.mark.parametrize(("value", "text"), [(None, ""), (True, "yes"), (-3, "-3"), ("Marta", "Marta"), (0.5, "0.5")])
def test_other_cells_stay_as_they_are(value, text):
    assert safe_cell(value) == text


@pytest.mark.parametrize("role", ["ana", "tom", "carl", "dora"])
def test_only_those_who_lead_or_analyse_see_figures_and_exports(air, role):
    with pytest.raises(Forbidden):
        lead_page(air.agents[role])
    with pytest.raises(Forbidden):
        export_rows(air.agents[role])
