"""What a workspace forgets and when: each thing by its own days, never another workspace's, in rounds that keep up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from careline.cases.models import Case
from careline.clocks.models import Clock, Lease
from careline.conftest import Air
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files import storing
from careline.intake import digest, housekeeping
from careline.intake.housekeeping import keep_house, purge_workspace
from careline.intake.journal import NewRow, write_rows
from careline.intake.models import JournalRow, RefusedDelivery
from careline.intake.tests.conftest import Mouth
from careline.kit import clock
from careline.outbox.models import Attempt, Delivery
from careline.threads.models import Message
from careline.workspaces.models import Workspace
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """No round has been made before."""
    yield
    housekeeping._walked = housekeeping._Walk()
    housekeeping._quiet_until_s.clear()


def after(days: float) -> object:
    """That much later."""
    housekeeping._quiet_until_s.clear()
    return clock.travel(timedelta(days=days))


def test_raw_deliveries_go_after_their_days_and_their_keys_stay(air: Air, mouth: Mouth) -> None:
    mouth.happen(mouth.prepare("my card is 4111"), event="e1")
    digest.digest_pending()
    with after(29.9):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["raw"] == 0
    with after(30.1):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["raw"] == 1
        assert purge_workspace(air.workspace)["raw"] == 0
    row = JournalRow.objects.get()
    assert (bytes(row.raw), row.purged_at is not None, row.event_key) == (b"", True, "e1")
    mouth.happen(mouth.prepare("my card is 4111"), event="e1")
    assert digest.digest_pending() == 0
    assert Message.objects.get().text == "my card is 4111"


def test_dead_letters_wait_for_a_person_and_refused_deliveries_do_not(air: Air, mouth: Mouth) -> None:
    write_rows([NewRow(mouth.channel.workspace_id, mouth.channel.id, "bad", "t9", b"broken: 4111")])
    digest.digest_pending()
    RefusedDelivery.objects.create(workspace_id=air.workspace.id, connection_id=1, raw=b"4111", reason="foreign")
    with after(31):  # type: ignore[attr-defined]
        found = purge_workspace(air.workspace)
    assert (found["raw"], found["refused"]) == (0, 1)
    assert bytes(JournalRow.objects.get(state=JournalRow.DEAD).raw) == b"broken: 4111"


def test_a_delivery_digested_late_is_emptied_by_the_next_days_walk(air: Air, mouth: Mouth) -> None:
    for number in range(3):
        mouth.happen(mouth.prepare(f"message {number}", thread=f"t{number}"))
    digest.digest_pending()
    late = JournalRow.objects.order_by("id").first()
    assert late is not None
    JournalRow.objects.filter(id=late.id).update(state=JournalRow.DEAD)
    with after(31):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["raw"] == 2
        JournalRow.objects.filter(id=late.id).update(state=JournalRow.DONE)
        assert purge_workspace(air.workspace)["raw"] == 0
    with after(32.1):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["raw"] == 1


def test_one_round_keeps_up_with_more_than_one_chunk(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 10)
    with unit_of_work() as work:
        for _ in range(35):
            work.record_event(air.workspace.id, "settings.changed")
    write_rows(
        [
            NewRow(air.workspace.id, air.channel.id, f"e{number}", "t", b"x", state=JournalRow.DONE)
            for number in range(35)
        ]
    )
    with after(31):  # type: ignore[attr-defined]
        found = purge_workspace(air.workspace)
    assert (found["raw"], found["events"]) == (35, 35)
    assert not JournalRow.objects.exclude(raw=b"").exists()


def test_events_and_sending_logs_go_after_their_days(air: Air, mouth: Mouth) -> None:
    mouth.say("hello", surface="dm", thread="d1")
    message = Message.objects.get()
    delivery = Delivery.objects.create(
        workspace_id=air.workspace.id,
        channel_id=mouth.channel.id,
        thread_id=message.thread_id,
        message=message,
        idempotency_key="k",
        state="sent",
    )
    ended, under_way = (
        Attempt.objects.create(workspace_id=air.workspace.id, delivery=delivery, number=number, owner="x")
        for number in (1, 2)
    )
    Attempt.objects.filter(id=ended.id).update(ended_at=clock.now())
    assert Event.objects.filter(workspace_id=air.workspace.id).exists()
    with after(14.1):  # type: ignore[attr-defined]
        found = purge_workspace(air.workspace)
        assert found["events"] > 0 and found["attempts"] == 0
    assert not Event.objects.filter(workspace_id=air.workspace.id).exists()
    with after(90.1):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["attempts"] == 1
    assert list(Attempt.objects.values_list("id", flat=True)) == [under_way.id]


def test_messages_stay_for_ever_until_a_policy_says_otherwise(air: Air, mouth: Mouth) -> None:
    mouth.say("my points are gone", surface="dm", thread="d1")
    mouth.say("still waiting", surface="dm", thread="d2", author="otro")
    Case.objects.filter(person__name="Marta").update(state="done", outcome="solved", done_at=clock.now())
    with after(400):  # type: ignore[attr-defined]
        assert purge_workspace(air.workspace)["messages"] == 0
        air.workspace.keep_messages_days = 365
        assert purge_workspace(air.workspace)["messages"] == 1
    assert sorted(Message.objects.values_list("text", flat=True)) == ["", "still waiting"]
    case = Case.objects.get(person__name="Marta")
    assert (case.last_text, case.state) == ("", "done")
    assert not Event.objects.filter(facts__icontains="points").exists()


def test_a_workspaces_days_are_its_own(air: Air, cleo: Viewer, mouth: Mouth) -> None:
    for workspace_id in (air.workspace.id, cleo.workspace_id):
        with unit_of_work() as work:
            work.record_event(workspace_id, "settings.changed")
        write_rows([NewRow(workspace_id, workspace_id, "e1", "t", b"raw", state=JournalRow.DONE)])
    Workspace.objects.filter(id=cleo.workspace_id).update(keep_raw_days=365, keep_events_days=365)
    with after(31):  # type: ignore[attr-defined]
        keep_house()
    assert list(JournalRow.objects.exclude(raw=b"").values_list("workspace_id", flat=True)) == [cleo.workspace_id]
    assert list(Event.objects.values_list("workspace_id", flat=True)) == [cleo.workspace_id]


def test_clocks_that_fired_and_leases_of_the_dead_are_forgotten_and_the_living_kept(air: Air) -> None:
    now = clock.now()
    for subject, fired_at in ((1, now), (2, None)):
        Clock.objects.create(
            workspace_id=air.workspace.id, kind="test", subject_id=subject, due_at=now, fired_at=fired_at
        )
    Lease.objects.create(what="worker:old", owner="x", expires_at=now)
    Lease.objects.create(what="worker:new", owner="y", expires_at=now + timedelta(days=9))
    with after(7.1):  # type: ignore[attr-defined]
        found = keep_house()
    assert (found["clocks"], found["leases"]) == (1, 1)
    assert (Clock.objects.get().subject_id, Lease.objects.get().owner) == (2, "y")


def test_every_folder_of_files_has_its_turn_within_256_rounds() -> None:
    turns = set()
    for minute in range(256):
        with clock.travel(timedelta(minutes=minute)):
            turns.add(housekeeping._prefix_of_this_minute())
    assert (
        turns >= {f"{number:02x}" for number in range(256)} - {housekeeping._prefix_of_this_minute()}
        and len(turns) >= 255
    )


def test_a_round_sweeps_files_nobody_refers_to(air: Air) -> None:
    prepared = storing.prepare_file(air.workspace.id, b"never sent")
    storing.save_files([prepared])
    with after(1.1):  # type: ignore[attr-defined]
        assert keep_house()["files"] == 1
