"""Words are found wherever they stand, newest first, by those who may see them, whatever was typed."""

from __future__ import annotations

import pytest

from careline.cases.actions.fields import set_fields
from careline.cases.actions.merging import merge_case
from careline.cases.actions.replying import write_reply
from careline.cases.actions.tagging import tag_case
from careline.cases.models import CaseField
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.rows import ListFilters
from careline.conftest import hear, make_case, make_identity
from careline.people.models import Person

pytestmark = pytest.mark.django_db
HOSTILE = [
    '"',
    "'",
    "(",
    "a AND",
    "NEAR(",
    "*",
    "-",
    "a:b",
    "words:x",
    "^x",
    'x" OR "y',
    "\\",
    "%",
    "миля'; DROP",
    "\0",
    "AND OR NOT",
    "&|!<->",
    "'':*",
]


def found(viewer, words, **filters):
    return [row.number for row in list_page(viewer, ListFilters(query=words, **{"view": "all", **filters})).rows]


def test_a_case_is_found_by_what_was_said_who_said_it_and_what_we_know_of_it(air, marta_case):
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking")
    set_fields(air.ana, marta_case.number, {"booking": "X7YQ2Z"})
    tag_case(air.ana, marta_case.number, add=["lost miles"])
    thread = open_case(air.ana, marta_case.number).threads[0]
    write_reply(air.ana, marta_case.number, thread_id=thread.id, text="Lo revisamos mañana", mode="public")
    for words in (
        "miles",
        "Ruiz",
        "@martarg",
        "martarg",
        "x7yq2z",
        "lost miles",
        "manana",
        "MAÑANA",
        "revis",
        str(marta_case.number),
    ):
        assert found(air.ana, words) == [marta_case.number], words
    for words in ("kilometres", "ruizz", "x7yq2za", ""):
        assert marta_case.number not in found(air.ana, words) or not words


def test_quoted_words_stand_together(air, marta_case):
    assert found(air.ana, '"my miles"') == [marta_case.number]
    assert found(air.ana, '"miles my"') == []


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_typed_is_ever_syntax(air, marta_case, words):
    assert found(air.ana, words) in ([], [marta_case.number])
    assert found(air.ana, f"{words} miles") in ([], [marta_case.number])


def test_search_reads_every_state_newest_match_first_and_pages_without_doubles(air):
    cases = [make_case(air.channel, air.marta_identity, f"luggage {number}") for number in range(7)]
    for case in (cases[2], cases[0], cases[2]):
        hear(case, air.channel, air.marta_identity, "luggage again")
    expected = [cases[2], cases[0], *reversed(cases[3:]), cases[1]]
    read, cursor = [], ""
    while True:
        page = list_page(air.ana, ListFilters(view="all", query="luggage"), cursor, limit=2)
        read += [row.number for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert read == [case.number for case in expected]


def test_permission_stands_inside_the_query(air):
    hidden = [make_case(air.channel, air.marta_identity, "luggage", team=air.loyalty) for _ in range(30)]
    seen = make_case(air.channel, air.marta_identity, "luggage", team=air.care)
    hidden += [make_case(air.channel, air.marta_identity, "luggage", team=air.loyalty) for _ in range(30)]
    page = list_page(air.ana, ListFilters(view="all", query="luggage"), limit=5)
    assert [row.number for row in page.rows] == [seen.number]
    assert page.next_cursor == ""
    assert len(list_page(air.dora, ListFilters(view="all", query="luggage"), limit=200).rows) == len(hidden)


def test_filters_narrow_a_search(air):
    spanish = make_case(air.channel, air.marta_identity, "luggage", language="es")
    make_case(air.channel, air.marta_identity, "luggage", language="en")
    assert found(air.ana, "luggage", language="es") == [spanish.number]
    assert found(air.ana, "luggage", view="done") == []


def test_words_follow_a_merged_case(air):
    one = make_case(air.channel, air.marta_identity, "zeppelin")
    other = make_case(
        air.channel, make_identity(Person.objects.create(workspace_id=air.workspace.id, name="O"), "o-1"), "balloon"
    )
    merge_case(air.ana, one.number, other.number)
    assert found(air.ana, "zeppelin") == [other.number]
