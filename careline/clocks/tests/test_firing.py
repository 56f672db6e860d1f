"""The timer and the leases: once, on time, undone whole when a handler fails, taken over when their owner is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careline.clocks import firing, leases
from careline.clocks.models import Clock, Lease
from careline.clocks.setting import due, set_clocks, stop_clocks
from careline.events.models import Event
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock

pytestmark = pytest.mark.django_db
AIR = 11


@pytest.fixture(autouse=True)
def fired() -> Iterator[list[int]]:
    """Subjects whose clock of kind `test` fired; subject 13 breaks its handler after it has written."""
    heard: list[int] = []

    @firing.on("test")
    def handle(work: UnitOfWork, one: Clock) -> None:
        work.record_event(one.workspace_id, "clock.fired", facts={"what": one.kind, "subject": one.subject_id})
        Lease.objects.create(what=f"subject:{one.subject_id}", owner="handler", expires_at=clock.now())
        if one.subject_id == 13:
            raise RuntimeError("a fault of the handler")
        heard.append(one.subject_id)

    yield heard
    firing._handlers.pop("test")


def _set(subject_id: int, in_s: float, *, name: str = "", kind: str = "test") -> None:
    with unit_of_work():
        set_clocks([due(AIR, kind, subject_id, clock.now() + timedelta(seconds=in_s), name=name)])


def test_what_is_due_fires_once_in_order_of_its_time(fired: list[int]) -> None:
    for subject_id, in_s in ((3, -1), (1, -3), (2, -2), (4, 60)):
        _set(subject_id, in_s)
    assert firing.fire_due() == 3
    assert fired == [1, 2, 3]
    assert firing.fire_due() == 0
    assert Clock.objects.filter(fired_at__isnull=True).count() == 1
    assert Event.objects.filter(kind="clock.fired").count() == 3


def test_a_handler_that_fails_takes_its_writes_back_stops_no_other_and_is_tried_again(fired: list[int]) -> None:
    _set(13, -2)
    _set(1, -1)
    assert firing.fire_due() == 1
    assert fired == [1]
    assert list(Lease.objects.values_list("what", flat=True)) == ["subject:1"]
    assert Event.objects.filter(kind="clock.fired").count() == 1
    assert firing.fire_due() == 0
    again = Clock.objects.get(subject_id=13)
    assert again.fired_at is None and timedelta(seconds=50) < again.due_at - clock.now() < timedelta(seconds=61)


def test_setting_a_clock_again_moves_it_and_arms_it_again(fired: list[int]) -> None:
    _set(1, -1)
    firing.fire_due()
    Lease.objects.all().delete()
    _set(1, 30)
    assert firing.fire_due() == 0
    with clock.travel(timedelta(seconds=31)):
        assert firing.fire_due() == 1
    assert (fired, Clock.objects.count()) == ([1, 1], 1)


def test_the_last_of_several_settings_in_one_unit_counts(fired: list[int]) -> None:
    with unit_of_work():
        set_clocks([due(AIR, "test", 1, clock.now() - timedelta(1)), due(AIR, "test", 1, clock.now() + timedelta(1))])
    assert firing.fire_due() == 0


def test_a_stopped_clock_does_not_fire_and_one_that_fired_is_remembered(fired: list[int]) -> None:
    for name in ("answer", "promise"):
        _set(1, -1, name=name)
    _set(2, -1)
    stop_clocks("test", [1], name="promise")
    firing.fire_due()
    assert sorted(fired) == [1, 2]
    stop_clocks("test", [1, 2])
    assert Clock.objects.filter(fired_at__isnull=False).count() == 2
    _set(3, -1)
    stop_clocks("test", [3])
    assert firing.fire_due() == 0


def test_a_clock_of_an_unknown_kind_is_laid_aside_and_holds_nobody_up(fired: list[int]) -> None:
    _set(1, -2, kind="of-a-plugin-that-left")
    _set(2, -1)
    firing.fire_due()
    assert fired == [2]
    assert firing.fire_due() == 0


def test_setting_many_clocks_is_one_statement() -> None:
    with unit_of_work(), CaptureQueriesContext(connection) as asked:
        set_clocks([due(AIR, "test", subject, clock.now() + timedelta(1)) for subject in range(40)])
    assert len(asked) == 1


def test_a_timer_whose_database_fails_goes_on_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, fired: list[int]
) -> None:
    from django.db import OperationalError

    stopping = threading.Event()
    plain, rounds = firing.fire_due, []

    def fails_first() -> int:
        rounds.append(1)
        if len(rounds) < 3:
            raise OperationalError("the server closed the connection")
        stopping.set()
        return plain()

    monkeypatch.setattr(firing, "fire_due", fails_first)
    monkeypatch.setattr(firing, "LONGEST_SLEEP_S", 0.01)
    monkeypatch.setattr(firing.connection, "close", lambda: None)  # the test's own connection, which it must keep
    _set(1, -1)
    firing.run_timer(stopping)
    assert (fired, len(rounds)) == ([1], 3)


def test_a_lease_is_held_renewed_refused_to_others_and_taken_over_when_it_ran_out() -> None:
    assert leases.take(["a", "b"], lasts_s=10, owner="one") == {"a": 1, "b": 1}
    assert leases.take(["b", "c"], lasts_s=10, owner="two") == {"c": 1}
    assert leases.take(["a", "b"], lasts_s=10, owner="one") == {"a": 1, "b": 1}
    with clock.travel(timedelta(seconds=11)):
        assert leases.take(["a"], lasts_s=10, owner="two") == {"a": 2}
        with unit_of_work():
            assert not leases.check_held({"a": 1}, owner="one")
            assert leases.check_held({"a": 2}, owner="two")
            assert not leases.check_held({"a": 2, "c": 2}, owner="two")


def test_a_lease_given_back_is_free_at_once_but_only_by_its_owner() -> None:
    leases.take(["a", "b"], lasts_s=10, owner="one")
    leases.give_back(["a"], owner="two")
    assert leases.free(["a", "b", "c"]) == ["c"]
    leases.give_back(["a"], owner="one")
    assert leases.free(["a", "b", "c"]) == ["a", "c"]
    assert leases.take(["a"], lasts_s=10, owner="two") == {"a": 2}
    assert leases.take([], lasts_s=10) == {}


def test_the_living_are_counted_by_name() -> None:
    leases.take(["worker:1", "worker:2", "other:1"], lasts_s=10, owner="x")
    leases.take(["worker:3"], lasts_s=-1, owner="x")
    assert leases.count_alive("worker:") == 2


def test_a_nudge_wakes_the_timer_for_what_is_near_and_not_for_tomorrow(
    django_capture_on_commit_callbacks: object,
) -> None:
    firing._wake.clear()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        _set(1, 86_400)
    assert not firing._wake.is_set()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        _set(2, 0.2)
    began = time.monotonic()
    assert firing._wake.wait(1)
    assert time.monotonic() - began < 0.5
    firing._wake.clear()
