"""The event of a delivery's new state."""

from __future__ import annotations

from careline.events.recording import UnitOfWork
from careline.outbox.models import Delivery


def record_state(work: UnitOfWork, delivery: Delivery) -> None:
    """Inside a unit of work: whoever sees the message learns how its delivery stands."""
    work.record_event(
        delivery.workspace_id,
        "delivery.changed",
        delivery_id=delivery.id,
        message_id=delivery.message_id,
        case_id=delivery.case_id,
        thread_id=delivery.thread_id,
        channel_id=delivery.channel_id,
        facts={"state": delivery.state},
    )
