"""A trace follows one message through every room, by any id, and tells no words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.models import Case
from careline.conftest import Air, make_case
from careline.errors import NotFound
from careline.intake.models import JournalRow
from careline.intake.tracing import trace
from careline.kit import clock
from careline.outbox.models import Attempt, Delivery
from careline.threads.models import Message, MessageAlias
from careline.workspaces.sight import Viewer


@pytest.fixture
def heard(air: Air) -> Message:
    """Marta's message, its journal row, and our answer that failed once."""
    case = make_case(air.channel, air.marta_identity, "my secret words")
    message = Message.objects.get(case_id=case.id)
    JournalRow.objects.create(
        workspace_id=air.workspace.id, channel_id=air.channel.id, event_key="evt-1", order_key="t", partition=3,
        raw=b"{}", state=JournalRow.DONE, message_id=message.id,
        digested_at=clock.now(), received_at=clock.now() - timedelta(seconds=2),
    )  # fmt: skip
    return message


def answer(air: Air, case: Case) -> Delivery:
    reply = Message.objects.create(
        workspace_id=air.workspace.id,
        channel_id=air.channel.id,
        case_id=case.id,
        direction="outbound",
        text="hush",
        at=clock.now(),
    )
    delivery = Delivery.objects.create(
        workspace_id=air.workspace.id, channel_id=air.channel.id, thread_id=1, message=reply, idempotency_key="key-1",
        state="failed", error_code="window_closed", error_detail="24 h", tries=1,
    )  # fmt: skip
    Attempt.objects.create(
        workspace_id=air.workspace.id,
        delivery=delivery,
        number=1,
        owner="w1",
        ended_at=clock.now(),
        outcome="failed",
        error_code="window_closed",
    )
    return delivery


def test_every_id_of_an_inbound_message_leads_to_the_same_trace(air: Air, heard: Message) -> None:
    MessageAlias.objects.create(channel_id=air.channel.id, platform_id="<alias@mail>", message=heard)
    journal = JournalRow.objects.get()
    for reference in (str(heard.id), str(journal.id), "evt-1", heard.platform_id, "<alias@mail>"):
        found = trace(str(reference), workspace_id=air.workspace.id)
        assert found.message_id == heard.id, reference
        assert found.channel_name == "@air" and found.case_id == heard.case_id
        rooms = [step.room for step in found.steps]
        assert rooms.index("journal") < rooms.index("digest") and "message" in rooms and "event" in rooms
        assert "secret" not in repr(found)


def test_an_answer_shows_its_attempts_and_errors(air: Air, heard: Message) -> None:
    delivery = answer(air, Case.objects.get(id=heard.case_id))
    for reference in (str(delivery.id), "key-1", str(delivery.message_id)):
        steps = trace(reference, workspace_id=air.workspace.id).steps
        errors = [(step.room, step.what, step.error) for step in steps if step.error]
        assert errors == [("delivery", "failed", "window_closed: 24 h"), ("attempt", "failed", "window_closed")], (
            reference
        )
        assert "hush" not in repr(steps)


def test_a_dead_letter_is_traced_with_its_reason(air: Air) -> None:
    row = JournalRow.objects.create(
        workspace_id=air.workspace.id, channel_id=air.channel.id, event_key="e", order_key="t", partition=1, raw=b"{}",
        state=JournalRow.DEAD, reason="crashed", detail="normalise",
    )  # fmt: skip
    found = trace(str(row.id), workspace_id=air.workspace.id)
    assert found.message_id == 0
    assert [(step.room, step.what, step.error) for step in found.steps] == [
        ("journal", "received", ""),
        ("digest", "dead", "crashed: normalise"),
    ]


def test_cleo_traces_nothing_of_another_workspace(air: Air, heard: Message, cleo: Viewer) -> None:
    delivery = answer(air, Case.objects.get(id=heard.case_id))
    for reference in (str(heard.id), "evt-1", str(heard.platform_id), str(delivery.id), "key-1"):
        with pytest.raises(NotFound):
            trace(reference, workspace_id=cleo.workspace_id)


@pytest.mark.parametrize("reference", ["", "0", "9" * 18, "9" * 40, "'; drop", "<x@y>"])
def test_what_is_not_known_is_not_found(air: Air, reference: str) -> None:
    with pytest.raises(NotFound):
        trace(reference)


def test_the_command_finds_across_workspaces(air: Air, heard: Message) -> None:
    assert trace("evt-1").workspace_id == air.workspace.id
