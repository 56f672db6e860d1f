"""Views, filters, order and pages of lists, and what they cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.closing import close_case
from careline.cases.actions.merging import merge_case
from careline.cases.actions.noting import write_note
from careline.cases.actions.snoozing import snooze_case, wait_for
from careline.cases.actions.tagging import tag_case
from careline.cases.queries.listing import counts, list_page
from careline.cases.rows import ListFilters
from careline.conftest import DM, make_case, make_channel, make_identity
from careline.errors import InputRefused, NotFound
from careline.kit import clock
from careline.people.models import Person

pytestmark = pytest.mark.django_db


def _numbers(viewer, **filters):
    return [row.number for row in list_page(viewer, ListFilters(**filters)).rows]


def test_each_view_holds_what_its_name_says(air):
    mine, team, waits, sleeps, done, spam = (make_case(air.channel, air.marta_identity) for _ in range(6))
    assign_agent(air.ben, mine.number, air.ana.agent_id)
    wait_for(air.ana, waits.number, "department")
    snooze_case(air.ana, sleeps.number, clock.now() + timedelta(hours=1))
    close_case(air.ana, done.number)
    close_case(air.ana, spam.number, "spam")
    write_note(air.ben, team.number, text="@Ana look")
    assert _numbers(air.ana, view="mine") == [mine.number]
    assert sorted(_numbers(air.ana, view="team")) == [mine.number, team.number]
    assert _numbers(air.ana, view="unassigned") == [team.number]
    assert _numbers(air.ana, view="waiting") == [waits.number]
    assert _numbers(air.ana, view="snoozed") == [sleeps.number]
    assert _numbers(air.ana, view="done") == [done.number]
    assert _numbers(air.ana, view="spam") == [spam.number]
    assert _numbers(air.ana, view="mentions") == [team.number]
    counted = counts(air.ana)
    assert {view: counted[view] for view in ("mine", "team", "unassigned", "all", "waiting", "snoozed")} == {
        "mine": 1,
        "team": 2,
        "unassigned": 1,
        "all": 2,
        "waiting": 1,
        "snoozed": 1,
    }


def test_simulated_cases_are_also_counted_apart(air):
    real = make_case(air.channel, air.marta_identity)
    practice = make_channel(air.workspace, air.care, name="practice", is_simulated=True)
    make_case(practice, air.marta_identity)
    counted = counts(air.ana)
    assert (counted["all"], counted["simulated"], counted["simulated_team"]) == (2, 1, 1)
    assert [row.is_simulated for row in list_page(air.ana, ListFilters(view="all")).rows].count(True) == 1
    assert real.is_simulated is False


def test_filters_narrow_a_view(air):
    other_channel = make_channel(air.workspace, air.care, name="letters")
    spanish = make_case(air.channel, air.marta_identity, language="es")
    english = make_case(other_channel, air.marta_identity, surface=DM, language="en")
    tag_case(air.ana, english.number, add=["Überbuchung"])
    assert _numbers(air.ana, view="all", language="es") == [spanish.number]
    assert _numbers(air.ana, view="all", channel_id=other_channel.id) == [english.number]
    assert _numbers(air.ana, view="all", is_public=False) == [english.number]
    assert _numbers(air.ana, view="all", tag="überbuchung") == [english.number]
    assert _numbers(air.ana, view="all", tag="über") == []


def test_pages_follow_the_queue_without_a_gap_or_a_double(air):
    for minute in range(7):
        make_case(air.channel, air.marta_identity, at=clock.now() - timedelta(minutes=minute * 7))
    whole = list_page(air.ana, ListFilters(view="all")).rows
    read, cursor = [], ""
    while True:
        page = list_page(air.ana, ListFilters(view="all"), cursor, limit=3)
        read += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
    assert [row.number for row in read] == [row.number for row in whole]
    assert [row.queue_key for row in read] == sorted(row.queue_key for row in read)
    assert len({row.number for row in read}) == 7


def test_done_cases_come_newest_first_in_pages(air):
    cases = [
        make_case(air.channel, air.marta_identity, at=clock.now() - timedelta(minutes=back)) for back in (3, 1, 2, 1)
    ]
    for case in cases:
        close_case(air.ana, case.number)
    first = list_page(air.ana, ListFilters(view="done"), limit=3)
    second = list_page(air.ana, ListFilters(view="done"), first.next_cursor, limit=3)
    rows = [*first.rows, *second.rows]
    assert [row.last_at for row in rows] == sorted((row.last_at for row in rows), reverse=True)
    assert {row.number for row in rows} == {case.number for case in cases}
    assert second.next_cursor == ""


@pytest.mark.parametrize(
    "filters",
    [
        ListFilters(view="all"),
        ListFilters(view="done"),
        ListFilters(view="all", query="miles"),
        ListFilters(view="team", tag="x"),
    ],
)
def test_a_page_takes_at_most_six_statements_however_many_cases_there_are(air, filters, django_assert_max_num_queries):
    for number in range(12):
        person = Person.objects.create(workspace_id=air.workspace.id, name=f"Person {number}")
        make_case(air.channel, make_identity(person, f"p-{number}"), assignee_id=air.ana.agent_id)
    cursor = list_page(air.ana, filters, limit=5).next_cursor
    with django_assert_max_num_queries(6):
        list_page(air.ana, filters, limit=5)
    with django_assert_max_num_queries(6):
        list_page(air.ana, filters, cursor, limit=5)


def test_a_merged_case_is_in_no_list(air):
    one, other = make_case(air.channel, air.marta_identity), make_case(air.channel, air.marta_identity)
    merge_case(air.ana, one.number, other.number)
    assert _numbers(air.ana, view="all") == [other.number]
    assert _numbers(air.ana, view="done") == []


def test_a_foreign_cursor_is_refused_and_an_unknown_view_is_not_there(air):
    with pytest.raises(InputRefused):
        list_page(air.ana, ListFilters(view="all"), "bm9uc2Vuc2U")
    with pytest.raises(NotFound):
        list_page(air.ana, ListFilters(view="everything"))


def test_the_number_of_a_page_is_the_newest_event_it_is_true_for(air, marta_case):
    before = list_page(air.ana, ListFilters(view="all")).n
    close_case(air.ana, marta_case.number)
    assert list_page(air.ana, ListFilters(view="all")).n > before > 0
