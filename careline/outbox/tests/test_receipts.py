"""Signs of arrival that name a moment in a conversation instead of a message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.channels.base import ReceiptSeen
from careline.conftest import DM, Air, make_thread
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.outbox.receipts import apply_receipt
from careline.outbox.tests.test_sending_rules import queue

pytestmark = pytest.mark.django_db


def seen(air: Air, receipt: ReceiptSeen) -> bool:
    with unit_of_work() as work:
        return apply_receipt(work, air.channel.id, receipt)


def states(*deliveries: Delivery) -> list[str]:
    for one in deliveries:
        one.refresh_from_db()
    return [one.state for one in deliveries]


def test_everything_sent_in_the_conversation_until_then_was_read(air: Air) -> None:
    thread, other = make_thread(air.channel, DM), make_thread(air.channel, DM)
    now = clock.now()
    early = queue(air, thread, state="sent", sent_at=now - timedelta(minutes=5))
    arrived = queue(air, thread, state="delivered", sent_at=now - timedelta(minutes=4))
    late = queue(air, thread, state="sent", sent_at=now + timedelta(minutes=5))
    waiting = queue(air, thread, state="queued")
    elsewhere = queue(air, other, state="sent", sent_at=now - timedelta(minutes=5))
    assert seen(air, ReceiptSeen("read", now, thread_key=thread.key))
    assert states(early, arrived, late, waiting, elsewhere) == ["read", "read", "sent", "queued", "sent"]


def test_what_was_read_does_not_become_delivered_again(air: Air) -> None:
    thread = make_thread(air.channel, DM)
    read = queue(air, thread, state="read", sent_at=clock.now())
    assert not seen(air, ReceiptSeen("delivered", clock.now(), thread_key=thread.key))
    assert states(read) == ["read"]


def test_a_conversation_does_not_fail_as_a_whole(air: Air) -> None:
    thread = make_thread(air.channel, DM)
    sent = queue(air, thread, state="sent", sent_at=clock.now())
    assert not seen(air, ReceiptSeen("failed", clock.now(), thread_key=thread.key))
    assert states(sent) == ["sent"]


def test_another_channels_conversation_of_the_same_name_is_not_meant(air: Air) -> None:
    thread = make_thread(air.channel, DM)
    sent = queue(air, thread, state="sent", sent_at=clock.now() - timedelta(minutes=1))
    with unit_of_work() as work:
        assert not apply_receipt(work, air.channel.id + 1, ReceiptSeen("read", clock.now(), thread_key=thread.key))
    assert states(sent) == ["sent"]
