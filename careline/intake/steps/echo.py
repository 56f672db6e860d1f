"""Our own words coming back: the delivery they prove is settled; what was posted in the platform's own app is kept as a message of ours."""

from __future__ import annotations

from django.db.models import Q

from careline.intake.batch import Batch, SaidItem
from careline.outbox import settling
from careline.outbox.models import Delivery
from careline.outbox.parting import text_of

_OPEN = ("sending", "unknown", "queued", "held", "failed")


def echo(batch: Batch) -> None:
    """Take echoes of our deliveries out of `batch.said`, and mark those deliveries sent. Two statements, and two for each match."""
    ours = [item for item in batch.said if item.said.author.is_us]
    if not ours:
        return
    open_deliveries = list(
        Delivery.objects.select_for_update(of=("self",))
        .select_related("message", "message__thread")
        .filter(channel_id__in={item.row.channel_id for item in ours})
        .filter(
            Q(idempotency_key__in=[item.said.idempotency_key for item in ours if item.said.idempotency_key])
            | Q(state__in=["sending", "unknown"])
        )
        .order_by("id")
    )
    settled: set[int] = set()
    for item in ours:
        match = next((one for one in open_deliveries if one.id not in settled and _is_echo_of(item, one)), None)
        if match is None:
            continue
        settled.add(match.id)
        if match.state in _OPEN:
            settling.mark_sent(batch.work, match, item.said.platform_id, item.at or batch.now)
        batch.reasons[item.row.id] = "echo"
        batch.said.remove(item)


def _is_echo_of(item: SaidItem, delivery: Delivery) -> bool:
    if delivery.channel_id != item.row.channel_id:
        return False
    if item.said.idempotency_key:
        return item.said.idempotency_key == delivery.idempotency_key
    message = delivery.message
    is_same_thread = message.thread is not None and message.thread.key == item.said.thread_key
    return (
        delivery.state in {"sending", "unknown"}
        and is_same_thread
        and _plain(text_of(delivery)) == _plain(item.said.text)
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
