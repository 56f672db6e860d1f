"""The index itself: words, folding, hostile queries, workspaces."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads import search

pytestmark = pytest.mark.django_db


def _index(*texts, workspace_id=1):
    with unit_of_work():
        search.index_messages(
            [(number, workspace_id, number * 10, clock.now(), text) for number, text in enumerate(texts, start=1)]
        )


def _ids(query, workspace_id=1, limit=10, before=0):
    return [hit for _case, hit in search.find_case_ids(workspace_id, query, limit, before)]


def test_words_are_folded_the_same_way_in_text_and_query():
    assert search.words_of("¿Dónde está MI Maleta? Straße ﬁn x2") == [
        "donde",
        "esta",
        "mi",
        "maleta",
        "strasse",
        "fin",
        "x2",
    ]


def test_accents_case_and_beginnings_find_newest_first():
    _index("Mi maleta está perdida", "maletas", "otra cosa", "MALETA!")
    assert _ids("maleta") == [4, 2, 1]
    assert _ids("Ésta malet") == [1]
    assert _ids('"maleta esta"') == [1]
    assert _ids('"esta maleta"') == []
    assert _ids("maleta", before=4) == [2, 1]
    assert _ids("maleta", limit=1) == [4]


def test_a_workspace_finds_its_own_alone():
    _index("shared words")
    assert _ids("shared") == [1]
    assert _ids("shared", workspace_id=2) == []


def test_a_moved_message_is_found_in_its_new_case():
    _index("wandering")
    with unit_of_work():
        search.move_to_case([1], 77)
    assert search.find_case_ids(1, "wandering", 5) == [(77, 1)]


def test_many_messages_are_one_statement_a_few_hundred(django_assert_num_queries):
    rows = [(number, 1, 1, clock.now(), f"word{number}") for number in range(1, 701)]
    with unit_of_work(), django_assert_num_queries(2):
        search.index_messages(rows)
    assert _ids("word700") == [700]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_no_query_is_a_syntax_error(query):
    assert isinstance(search.find_case_ids(1, query, 3), list)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_can_be_indexed_and_purged(text):
    with unit_of_work():
        search.index_messages([(99, 1, 1, clock.now(), text)])
        search.unindex_messages([99])
    assert _ids("a") == [] or 99 not in _ids("a")
