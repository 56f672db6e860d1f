"""Signs of arrival: a delivery moves forward (sent, delivered, read) or fails late; it never moves back."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from careline.channels.base import ReceiptSeen
from careline.events.recording import UnitOfWork
from careline.outbox import parting
from careline.outbox.models import Delivery
from careline.outbox.recording import record_state
from careline.outbox.settling import mark_sent

_ORDER: Final = {"held": 0, "queued": 0, "sending": 1, "unknown": 1, "failed": 1, "sent": 2, "delivered": 3, "read": 4}


def apply_receipt(work: UnitOfWork, channel_id: int, receipt: ReceiptSeen) -> bool:
    """Inside a unit of work. False when no delivery of ours is meant (yet)."""
    delivery = _find(channel_id, receipt)
    meant = [delivery] if delivery is not None else _up_to(channel_id, receipt)
    for one in meant:
        if receipt.state == "failed":
            _fail(work, one, receipt)
        elif _ORDER.get(one.state, 9) < _ORDER[receipt.state]:
            _advance(work, one, receipt)
    return bool(meant)


def _up_to(channel_id: int, receipt: ReceiptSeen) -> list[Delivery]:
    """What had left for a thread by then, where the platform tells a moment and no message."""
    if not receipt.thread_key or receipt.state not in {"delivered", "read"}:
        return []
    gone = Delivery.objects.select_for_update(of=("self",)).filter(
        channel_id=channel_id, message__thread__key=receipt.thread_key, state__in=["sent", "delivered"]
    )
    return list(gone.filter(Q(sent_at__isnull=True) | Q(sent_at__lte=receipt.at)).order_by("id"))


def _find(channel_id: int, receipt: ReceiptSeen) -> Delivery | None:
    deliveries = Delivery.objects.select_for_update().filter(channel_id=channel_id)
    if receipt.idempotency_key:
        return deliveries.filter(idempotency_key=receipt.idempotency_key).first()
    named = deliveries.filter(platform_id=receipt.platform_id) if receipt.platform_id else deliveries.none()
    if receipt.recipient:
        named = named.filter(recipient__iexact=receipt.recipient) if named.count() > 1 else named
    return named.first()


def _advance(work: UnitOfWork, delivery: Delivery, receipt: ReceiptSeen) -> None:
    if delivery.state in {"held", "queued", "sending", "unknown", "failed"} and (
        receipt.platform_id or receipt.state == "sent"
    ):
        mark_sent(work, delivery, receipt.platform_id, receipt.at)
    if receipt.state == "sent":
        return
    delivery.state = receipt.state
    delivery.delivered_at = delivery.delivered_at or receipt.at
    delivery.read_at = receipt.at if receipt.state == "read" else delivery.read_at
    delivery.save(update_fields=["state", "delivered_at", "read_at"])
    record_state(work, delivery)


def _fail(work: UnitOfWork, delivery: Delivery, receipt: ReceiptSeen) -> None:
    if delivery.state in {"read", "cancelled"}:
        return
    delivery.state = "failed" if receipt.is_permanent else delivery.state
    delivery.error_code = "bounced" if receipt.is_permanent else "delayed"
    delivery.error_detail = receipt.error[:300]
    delivery.save(update_fields=["state", "error_code", "error_detail"])
    record_state(work, delivery)
    if delivery.state == "failed":
        parting.fail_followers(work, delivery)
