"""Choosing what may be sent now, and writing the attempt down before anything touches the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q

from careline.channels import access, registry
from careline.channels.capabilities import Limit, Outbound
from careline.channels.models import Channel
from careline.clocks import leases
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock, crashing
from careline.outbox import parting
from careline.outbox.models import ARRIVED, Attempt, Bucket, Delivery
from careline.outbox.recording import record_state
from careline.outbox.windows import window_of
from careline.workspaces.models import Installation

CLAIM_LIMIT = 50
OWNER_LEASE_S = 15.0
SENDABLE = ("active", "failing", "silent")


@dataclass(frozen=True)
class Claim:
    """A delivery this process may send once: its attempt is committed."""

    delivery_id: int
    attempt_id: int
    attempt: int
    channel_id: int


def owner_lease(owner: str = leases.OWNER) -> str:
    """The lease that says a sending process is alive."""
    return f"sender:{owner}"


def claim_due(limit: int = CLAIM_LIMIT) -> list[Claim]:
    """Take due deliveries in order, at most one a thread, as far as windows of rate allow. One transaction.

    Rows are locked with SKIP LOCKED (on SQLite by the write lock), so two senders never take the same one. A thread with a delivery on the wire waits:
    order inside a thread is the order in which it was written.
    """
    if Installation.objects.filter(is_held=True).exists():
        return []
    now = clock.now()
    with unit_of_work() as work:
        due = list(
            _due(now)
            .select_related("message", "message__thread")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("not_before", "id")[:limit]
        )
        if not due:
            return []
        chosen = _first_of_each_thread(due)
        channels = access.channels_by_id(sorted({delivery.channel_id for delivery in chosen}))
        within = [
            delivery for delivery in chosen if not _fail_closed(work, delivery, channels[delivery.channel_id], now)
        ]
        allowed = [delivery for delivery in within if _may_send(delivery, channels[delivery.channel_id], now)]
        claims = _start_attempts(work, allowed, now)
    crashing.pass_point("send.attempt_committed")
    return claims


def _due(now: datetime):  # type: ignore[no-untyped-def] # a queryset of Delivery
    open_channels = Channel.objects.filter(state__in=SENDABLE, held_at__isnull=True).filter(
        Q(open_until__isnull=True) | Q(open_until__lte=now)
    )
    # Only the first of each thread may go; found here, so that many later ones never crowd it out of the batch.
    waiting = Delivery.objects.filter(state__in=["queued", "held"])
    firsts = waiting.order_by().values("thread_id").annotate(first=Min("id")).values("first")
    # A post of several waits until the one before it stands; failed and unknown ones hold it back.
    before = Delivery.objects.filter(message_id=OuterRef("message_id"), part__lt=OuterRef("part"))
    return Delivery.objects.filter(
        Q(part=1) | ~Exists(before.exclude(state__in=ARRIVED)),
        id__in=firsts,
        state__in=["queued", "held"],
        not_before__lte=now,
        channel_id__in=open_channels.values("id"),
    )


def _first_of_each_thread(due: Iterable[Delivery]) -> list[Delivery]:
    candidates = list(due)
    threads = {delivery.thread_id for delivery in candidates}
    busy = _busy_threads(threads)
    # An earlier one that backs off holds back the later ones of its thread.
    waiting = dict(
        Delivery.objects.filter(state__in=["queued", "held"], thread_id__in=threads)
        .order_by("-id")
        .values_list("thread_id", "id")
    )
    chosen: list[Delivery] = []
    for delivery in sorted(candidates, key=lambda one: one.id):
        if delivery.thread_id not in busy and waiting.get(delivery.thread_id) == delivery.id:
            busy.add(delivery.thread_id)
            chosen.append(delivery)
    return chosen


def _fail_closed(work: UnitOfWork, delivery: Delivery, channel: Channel, now: datetime) -> bool:
    """Whether the platform's window has closed while the delivery waited: then it fails here, with the reason, and nothing touches the wire."""
    message = delivery.message
    surfaces = {
        one.name: one for one in registry.network(channel.network).effective(access.view_channel(channel)).surfaces
    }
    surface = surfaces.get(message.surface)
    thread = message.thread
    if surface is None or thread is None or any(window.opens == "inbound_comment" for window in surface.windows):
        return False
    code = window_of(
        surface, thread.last_inbound_at, now, "machine" if delivery.author_kind == "machine" else "human"
    ).closed_code
    if not code.startswith("window_") or code == "window_not_open":
        return False
    if delivery.facts.get("template") and code == "window_needs_template":
        return False
    delivery.state, delivery.error_code = "failed", code
    delivery.save(update_fields=["state", "error_code"])
    record_state(work, delivery)
    parting.fail_followers(work, delivery)
    return True


def _busy_threads(threads: set[int]) -> set[int]:
    """Threads with a delivery on the wire, or with one whose outcome the platform is being asked for: it may have to go again, before the others."""
    open_ones = list(
        Delivery.objects.filter(state__in=["sending", "unknown"], thread_id__in=threads).values_list(
            "thread_id", "state", "channel_id"
        )
    )
    channels = access.channels_by_id(sorted({channel_id for _, state, channel_id in open_ones if state == "unknown"}))
    asked = {channel_id for channel_id, row in channels.items() if outbound_rules(row).unknown_outcome == "lookup"}
    return {thread_id for thread_id, state, channel_id in open_ones if state == "sending" or channel_id in asked}


def outbound_rules(channel: Channel) -> Outbound:
    """How sends of this account behave."""
    return registry.network(channel.network).effective(access.view_channel(channel)).outbound


def _may_send(delivery: Delivery, channel: Channel, now: datetime) -> bool:
    surface = delivery.message.surface
    limits = [one for one in outbound_rules(channel).limits if not one.surfaces or surface in one.surfaces]
    waits = [take_token(_bucket_name(limit, delivery, channel), limit, now) for limit in limits]
    wait_s = max(waits, default=0.0)
    if wait_s > 0:
        Delivery.objects.filter(id=delivery.id).update(not_before=now + timedelta(seconds=wait_s))
    return wait_s <= 0


def _bucket_name(limit: Limit, delivery: Delivery, channel: Channel) -> str:
    scopes = {
        "app": channel.connection_id,
        "account": channel.id,
        "thread": delivery.thread_id,
        "recipient": f"{channel.id}:{delivery.recipient[:60]}",
    }
    name = f"{limit.scope}:{scopes[limit.scope]}:{limit.n}/{limit.per_s:g}"
    return f"{name}:{','.join(limit.surfaces)}" if limit.surfaces else name


def take_token(name: str, limit: Limit, now: datetime) -> float:
    """Take one token inside the caller's transaction. Returns 0 when there was one, else the seconds until there is."""
    bucket, _ = Bucket.objects.select_for_update().get_or_create(
        name=name, defaults={"tokens": float(limit.n), "refilled_at": now}
    )
    rate = limit.n / limit.per_s
    tokens = min(float(limit.n), bucket.tokens + max(0.0, (now - bucket.refilled_at).total_seconds()) * rate)
    taken = tokens >= 1
    Bucket.objects.filter(name=name).update(tokens=tokens - 1 if taken else tokens, refilled_at=now)
    return 0.0 if taken else (1 - tokens) / rate


def _start_attempts(work: UnitOfWork, deliveries: list[Delivery], now: datetime) -> list[Claim]:
    attempts = [
        Attempt(workspace_id=one.workspace_id, delivery=one, number=one.tries + 1, owner=leases.OWNER, started_at=now)
        for one in deliveries
    ]
    Attempt.objects.bulk_create(attempts)
    for delivery in deliveries:
        delivery.state, delivery.tries = "sending", delivery.tries + 1
        record_state(work, delivery)
    Delivery.objects.bulk_update(deliveries, ["state", "tries"])
    return [Claim(attempt.delivery_id, attempt.id, attempt.number, attempt.delivery.channel_id) for attempt in attempts]
