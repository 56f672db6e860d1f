"""The lead's page and its CSV: figures that open their cases, for roles that may see them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from careline.cases.models import Case
from careline.conftest import Air, make_case, make_channel
from careline.kit import clock
from careline.screens.conftest import Desk
from careline.workspaces.sight import Viewer


def test_the_page_counts_who_waits_who_is_late_and_practice_apart(air: Air, marta_case: Case) -> None:
    Case.objects.filter(id=marta_case.id).update(
        due_at=clock.now() - timedelta(minutes=5), assignee_id=air.ana.agent_id
    )
    make_case(make_channel(air.workspace, air.care, name="sim", is_simulated=True), air.marta_identity, "practice")
    page = Desk(air.ben).page("lead")
    assert "and 1 simulated" in page
    assert f'href="/w/air/inbox?view=all&amp;assignee={air.ana.agent_id}"' in page
    assert f'href="/w/air/inbox?view=all&amp;channel={air.channel.id}"' in page


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("ben", 200), ("iris", 200), ("ana", 403), ("tom", 403), ("carl", 403)]
)
def test_only_leads_and_analysts_see_it_and_its_csv(air: Air, who: str, status: int) -> None:
    desk = Desk(air.agents[who])
    assert desk.get("lead").status_code == status
    assert desk.get("lead/cases.csv").status_code == status


def test_the_csv_has_one_row_a_case_and_no_formulas(air: Air, cleo: Viewer, marta_case: Case) -> None:
    Case.objects.filter(id=marta_case.id).update(title="=1+1")
    answer = Desk(air.ben).get("lead/cases.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [str(marta_case.number)] and rows[0]["title"] == "'=1+1"
    assert "attachment" in answer.headers["Content-Disposition"]
    mine = Desk(cleo).get("lead/cases.csv").content.decode("utf-8-sig")
    assert len(mine.splitlines()) == 1
