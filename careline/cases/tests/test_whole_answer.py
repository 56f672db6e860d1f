"""An answer end to end, as the screens do it: list, open, answer, note, search."""

from __future__ import annotations

import pytest

from careline.cases.actions.noting import write_note
from careline.cases.actions.replying import write_reply
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.rows import ListFilters


@pytest.mark.django_db
def test_a_listed_case_is_opened_answered_noted_and_found_again(air, marta_case):
    number = list_page(air.ana, ListFilters(view="team")).rows[0].number
    pane = open_case(air.ana, number)
    write_reply(air.ana, number, thread_id=pane.threads[0].id, text="Vemos sus millas", mode="public")
    write_note(air.ana, number, text="Third time she asks")
    assert [one.direction for one in open_case(air.ana, number).messages] == ["inbound", "outbound", "note"]
    assert [row.number for row in list_page(air.ana, ListFilters(view="all", query="millas")).rows] == [number]
