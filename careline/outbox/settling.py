"""What an attempt came to: sent, tried again later, failed, or unknown. Each outcome is one unit of work with its event."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from careline.channels.base import Sent
from careline.channels.models import Channel
from careline.errors import ChannelError
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.outbox import parting
from careline.outbox.claiming import Claim
from careline.outbox.models import ARRIVED, Attempt, Delivery
from careline.outbox.recording import record_state
from careline.threads import search
from careline.threads.models import Message, MessageAlias, Thread
from careline.threads.starting import adopt_key

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 2.0, 900.0


def settle_sent(claim: Claim, sent: Sent) -> None:
    """The platform said so. A late word for a delivery already settled by its echo changes nothing but the attempt."""
    with unit_of_work() as work:
        delivery = _lock(claim.delivery_id)
        _end_attempt(claim, "sent")
        if delivery.state not in ARRIVED:
            mark_sent(work, delivery, sent.platform_id, sent.at or clock.now(), sent.aliases)
        _adopt_thread(work, delivery, sent.thread_key)
        Channel.objects.filter(id=delivery.channel_id).update(last_out_at=clock.now(), fail_count=0, open_until=None)


def _adopt_thread(work: UnitOfWork, delivery: Delivery, thread_key: str) -> None:
    """A conversation we began has its platform's name now; if it was heard under that name already, the two are one."""
    thread = Thread.objects.filter(id=delivery.thread_id).first()
    standing = adopt_key(work, thread, thread_key) if thread else None
    if standing is not None and standing.id != delivery.thread_id:
        Delivery.objects.filter(thread_id=delivery.thread_id).update(thread_id=standing.id)


def mark_sent(
    work: UnitOfWork, delivery: Delivery, platform_id: str, at: datetime, aliases: tuple[str, ...] = ()
) -> None:
    """Inside a unit of work: the delivery is sent and its message carries the platform's id.

    When the echo was digested first, as a message of its own, that twin is folded into ours: one message, not two.
    """
    delivery.state, delivery.platform_id, delivery.sent_at = "sent", platform_id[:400], at
    delivery.error_code = delivery.error_detail = ""
    delivery.save(update_fields=["state", "platform_id", "sent_at", "error_code", "error_detail"])
    if platform_id:
        twins = Message.objects.filter(channel_id=delivery.channel_id, platform_id=platform_id, is_echo=True).exclude(
            id=delivery.message_id
        )
        search.unindex_messages(list(twins.values_list("id", flat=True)))
        twins.delete()
        aliases = _name_message(delivery, platform_id[:400], aliases)
    MessageAlias.objects.bulk_create(
        [
            MessageAlias(channel_id=delivery.channel_id, platform_id=alias[:400], message_id=delivery.message_id)
            for alias in aliases
        ],
        ignore_conflicts=True,
    )
    record_state(work, delivery)


def _name_message(delivery: Delivery, platform_id: str, aliases: tuple[str, ...]) -> tuple[str, ...]:
    """The first post of a message gives it its platform id; further posts are names it also goes by."""
    if delivery.part > 1:
        return (*aliases, platform_id)
    Message.objects.filter(id=delivery.message_id, platform_id__isnull=True).update(
        platform_id=platform_id, channel_id=delivery.channel_id
    )
    return aliases


def settle_error(claim: Claim, error: ChannelError, *, max_tries: int, unknown_rule: str) -> None:
    """Judge a failed attempt. `unknown_rule` is the network's outbound.unknown_outcome."""
    with unit_of_work() as work:
        delivery = _lock(claim.delivery_id)
        _end_attempt(claim, "unknown" if error.outcome_unknown else "failed", error)
        if delivery.state in ARRIVED or delivery.state == "cancelled":
            return
        slow_down(delivery.channel_id, error)
        delivery.error_code, delivery.error_detail = error.code[:60], detail_of(error)
        if error.outcome_unknown and unknown_rule != "safe_retry":
            delivery.state = "unknown"
        elif error.permanent:
            delivery.state = "failed"
        elif error.unauthorised:
            delivery.state = "queued"
        elif delivery.tries >= max_tries:
            delivery.state, delivery.error_code = "failed", delivery.error_code or "too_many_tries"
        else:
            delivery.state = "queued"
            delivery.not_before = clock.now() + timedelta(seconds=backoff_s(delivery.tries, error.retry_after_s))
        delivery.save(update_fields=["state", "error_code", "error_detail", "not_before"])
        record_state(work, delivery)
        if delivery.state == "failed":
            parting.fail_followers(work, delivery)


def detail_of(error: ChannelError) -> str:
    """The platform's words about it, as far as they say more than the code."""
    return "" if error.message == error.code else error.message[:300]


def backoff_s(tries: int, retry_after_s: float | None) -> float:
    """Seconds until the next try: the platform's own word if it gave one, else doubling with jitter."""
    if retry_after_s is not None:
        return max(0.0, min(retry_after_s, 24 * 3600))
    doubled: float = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** max(0, tries - 1))
    return doubled * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


def slow_down(channel_id: int, error: ChannelError) -> None:
    """What an error says about the whole channel: unauthorised, or to wait."""
    now = clock.now()
    channel = Channel.objects.filter(id=channel_id)
    if error.unauthorised:
        channel.update(state="unauthorised", last_error=error.code[:300], last_error_at=now)
    elif error.retry_after_s is not None:
        channel.update(
            open_until=now + timedelta(seconds=min(error.retry_after_s, 3600)),
            last_error=error.code[:300],
            last_error_at=now,
        )
    elif not error.permanent:
        channel.update(last_error=error.code[:300], last_error_at=now)


def settle_found(delivery_id: int, sent: Sent | None) -> None:
    """The answer of a look-up: it is there (sent), or it surely is not (queued again)."""
    with unit_of_work() as work:
        delivery = _lock(delivery_id)
        if delivery.state != "unknown":
            return
        if sent is not None:
            mark_sent(work, delivery, sent.platform_id, sent.at or clock.now(), sent.aliases)
            _adopt_thread(work, delivery, sent.thread_key)
            return
        delivery.state, delivery.not_before = "queued", clock.now()
        delivery.save(update_fields=["state", "not_before"])
        record_state(work, delivery)


def settle_abandoned(delivery_id: int, *, safe_retry: bool) -> None:
    """The sender died with this one on the wire: it may have been posted."""
    with unit_of_work() as work:
        delivery = _lock(delivery_id)
        if delivery.state != "sending":
            return
        Attempt.objects.filter(delivery_id=delivery_id, ended_at__isnull=True).update(
            ended_at=clock.now(), outcome="abandoned", error_code="sender_died"
        )
        delivery.state = "queued" if safe_retry else "unknown"
        delivery.error_code = "" if safe_retry else "sender_died"
        delivery.not_before = clock.now()
        delivery.save(update_fields=["state", "error_code", "not_before"])
        record_state(work, delivery)


def _lock(delivery_id: int) -> Delivery:
    return Delivery.objects.select_for_update().get(id=delivery_id)


def _end_attempt(claim: Claim, outcome: str, error: ChannelError | None = None) -> None:
    Attempt.objects.filter(id=claim.attempt_id).update(
        ended_at=clock.now(),
        outcome=outcome,
        error_code=error.code[:60] if error else "",
        error_detail=detail_of(error) if error else "",
    )
