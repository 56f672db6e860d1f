"""A text that goes out as several posts: one message, a delivery for each post, in order, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from careline.channels.capabilities import Threading
from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.outbox.models import ARRIVED, Delivery
from careline.outbox.recording import record_state

EARLIER_FAILED = "earlier_part_failed"
# Where a post may stand under any other: the next one hangs below the one before it.
_CHAINED = frozenset({"tree", "reply_to", "thread_root"})


def cuts_of(text: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """Where each part stands in the text it was cut from, as (start, end)."""
    cuts: list[tuple[int, int]] = []
    position = 0
    for part in parts:
        start = text.index(part, position)
        position = start + len(part)
        cuts.append((start, position))
    return cuts


def text_of(delivery: Delivery) -> str:
    """The words of this delivery: its part of the message, or the whole of it."""
    text = delivery.message.text
    return text[delivery.text_start : delivery.text_end] if delivery.parts > 1 else text


def reply_to_of(delivery: Delivery, threading: Threading | None) -> str:
    """What this delivery answers: the message's own target, or the part before it where posts hang together so."""
    if delivery.part == 1 or threading is None:
        return delivery.message.reply_to
    if threading.model not in _CHAINED:
        return "" if threading.model == "flat" else delivery.message.reply_to
    before = parts_of(delivery).filter(part=delivery.part - 1).values_list("platform_id", flat=True).first()
    return before or delivery.message.reply_to


def parts_of(delivery: Delivery) -> QuerySet[Delivery]:
    """All deliveries of the same message, in order."""
    return Delivery.objects.filter(message_id=delivery.message_id).order_by("part", "id")


def fail_followers(work: UnitOfWork, delivery: Delivery) -> None:
    """Inside a unit of work: a part failed for good, so the ones after it do not go out on their own."""
    if delivery.parts == 1:
        return
    followers = parts_of(delivery).filter(part__gt=delivery.part, state__in=["queued", "held"])
    for one in followers.select_for_update():
        one.state, one.error_code = "failed", EARLIER_FAILED
        one.save(update_fields=["state", "error_code"])
        record_state(work, one)


def requeue_parts(work: UnitOfWork, delivery: Delivery) -> None:
    """Inside a unit of work: every part that failed goes out again, in order; those that stand are left alone."""
    for one in parts_of(delivery).filter(state="failed").select_for_update():
        one.state, one.not_before, one.error_code, one.error_detail = "queued", clock.now(), "", ""
        one.save(update_fields=["state", "not_before", "error_code", "error_detail"])
        record_state(work, one)


def cancel_parts(work: UnitOfWork, delivery: Delivery) -> None:
    """Inside a unit of work: the other parts of a message that is taken back."""
    for one in parts_of(delivery).exclude(id=delivery.id).filter(state__in=["queued", "held"]).select_for_update():
        one.state = "cancelled"
        one.save(update_fields=["state"])
        record_state(work, one)


def has_left(delivery: Delivery) -> bool:
    """Whether a sender has had any part of it."""
    parts = parts_of(delivery)
    return parts.filter(tries__gt=0).exists() or parts.filter(state__in=[*ARRIVED, "sending", "unknown"]).exists()
