"""A unit of work: rows and numbered events together or not at all, told only after the commit, never nested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from careline.events import hub
from careline.events.kinds import KINDS
from careline.events.models import Event, EventCounter
from careline.events.recording import last_number, unit_of_work
from careline.workspaces.models import Workspace

pytestmark = pytest.mark.django_db
AIR, SEA = 11, 7


@pytest.fixture
def woken() -> Iterator[list[tuple[int, int]]]:
    """What followers are told."""
    told: list[tuple[int, int]] = []
    leave = hub.subscribe(lambda workspace_id, n: told.append((workspace_id, n)))
    yield told
    leave()


def test_events_are_numbered_by_workspace_without_a_gap() -> None:
    for _ in range(3):
        with unit_of_work() as work:
            work.record_event(AIR, "case.opened", case_id=1)
            work.record_event(SEA, "case.opened", case_id=2)
            work.record_event(AIR, "case.changed", case_id=1, version=2)
    assert list(Event.objects.filter(workspace_id=AIR).order_by("n").values_list("n", "kind")) == [
        (1, "case.opened"), (2, "case.changed"), (3, "case.opened"), (4, "case.changed"), (5, "case.opened"), (6, "case.changed"),
    ]  # fmt: skip
    assert (last_number(AIR), last_number(SEA), last_number(99)) == (6, 3, 0)


def test_a_failure_takes_rows_events_and_numbers_back() -> None:
    with pytest.raises(IntegrityError), unit_of_work() as work:
        Workspace.objects.create(slug="air", name="Air")
        work.record_event(AIR, "settings.changed")
        Workspace.objects.create(slug="air", name="Again")
    assert not Workspace.objects.exists() and not Event.objects.exists() and last_number(AIR) == 0
    with unit_of_work() as work:
        work.record_event(AIR, "settings.changed")
    assert last_number(AIR) == 1


def test_the_counter_is_the_last_row_locked_and_workspaces_are_counted_in_id_order() -> None:
    with CaptureQueriesContext(connection) as asked, unit_of_work() as work:
        work.record_event(AIR, "settings.changed")
        work.record_event(SEA, "settings.changed")
        Workspace.objects.create(slug="air", name="Air")
    written = [query["sql"] for query in asked if "INSERT INTO" in query["sql"]]
    tables = ("workspaces_workspace", "events_eventcounter", "events_eventcounter", "events_event")
    assert all(f"INTO {table}" in sql.replace('"', "") for table, sql in zip(tables, written, strict=True))
    assert f"({SEA}," in written[1] and f"({AIR}," in written[2]


def test_a_unit_without_events_counts_nothing() -> None:
    with unit_of_work():
        Workspace.objects.create(slug="air", name="Air")
    assert not EventCounter.objects.exists()


def test_followers_are_told_after_the_commit_and_only_then(
    woken: list[tuple[int, int]], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        with unit_of_work() as work:
            work.record_event(AIR, "settings.changed")
            work.record_event(AIR, "settings.changed")
        assert woken == []
    assert woken == [(AIR, 2)]
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), unit_of_work() as work:  # type: ignore[operator]
        work.record_event(AIR, "settings.changed")
        raise RuntimeError
    assert woken == [(AIR, 2)]


def test_units_of_work_do_not_nest() -> None:
    with unit_of_work(), pytest.raises(RuntimeError, match="do not nest"), unit_of_work():
        Workspace.objects.create(slug="air", name="Air")
    with transaction.atomic(), pytest.raises(RuntimeError, match="do not nest"), unit_of_work():
        Workspace.objects.create(slug="air", name="Air")
    assert not Workspace.objects.exists()


def test_an_undocumented_kind_is_refused_before_anything_is_written() -> None:
    with pytest.raises(KeyError), unit_of_work() as work:
        work.record_event(AIR, "case.vanished")
    assert not Event.objects.exists()
    assert all(len(kind) <= 40 and text.endswith((".", ";")) for kind, text in KINDS.items())


def test_one_followers_way_out_leaves_the_others(woken: list[tuple[int, int]]) -> None:
    told: list[int] = []
    leave = hub.subscribe(lambda workspace_id, n: told.append(n))
    hub.tell(AIR, 1)
    leave()
    leave()
    hub.tell(AIR, 2)
    assert (told, woken) == ([1], [(AIR, 1), (AIR, 2)])


def test_the_bridge_carries_wakes_and_not_what_came_over_it() -> None:
    carried: list[tuple[int, int]] = []
    hub.install_bridge(lambda workspace_id, n: carried.append((workspace_id, n)))
    hub.wake(AIR, 1)
    hub.tell(AIR, 2)
    hub.install_bridge(None)
    hub.wake(AIR, 3)
    assert carried == [(AIR, 1)]
