"""Reads of what went out, for whoever shows or counts it. Permission is the caller's. Each states its statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from django.db.models import Q

from careline.outbox.models import Moderation
from careline.threads.models import Message

MOST_SENT: Final = 500
_ALIVE: Final = ("held", "queued", "sending", "unknown", "sent", "delivered", "read")
_TOLD: Final = ("held", "queued", "sending", "unknown", "failed")


def sent_moments(thread_ids: Collection[int]) -> dict[int, list[datetime]]:
    """When we wrote in these threads, newest first, once for each post; what failed does not count. One statement."""
    if not thread_ids:
        return {}
    ours = Message.objects.filter(thread_id__in=thread_ids, direction="outbound")
    stands = ours.filter(Q(deliveries__isnull=True) | Q(deliveries__state__in=_ALIVE))
    found: dict[int, list[datetime]] = defaultdict(list)
    for thread_id, at in stands.order_by("-at").values_list("thread_id", "at")[:MOST_SENT]:
        found[thread_id or 0].append(at)
    return found


def moderations_of(message_ids: Iterable[int]) -> dict[int, list[Moderation]]:
    """Acts on these messages that are under way or need somebody, and the last one done, oldest first. One statement."""
    found: dict[int, list[Moderation]] = defaultdict(list)
    rows = Moderation.objects.filter(message_id__in=list(message_ids)).filter(Q(state__in=_TOLD) | Q(state="done"))
    for row in rows.order_by("id"):
        found[row.message_id].append(row)
    return found
