"""What a case row says about its messages, counted again after they moved, vanished or lost their words."""

from __future__ import annotations

from django.db.models import Count, Max, Min, Q

from careline.cases.applying import LAST_TEXT_CHARS
from careline.cases.models import Case
from careline.threads.models import Message
from careline.threads.personal import hide


def recount(case: Case) -> None:
    """Set counts, last words and what waits for an answer from the messages themselves, not saved. Three statements at
    most.

    What waits: customers' words after our last answer, unless the case is done or its people said that nothing is owed.
    """
    spoken = Message.objects.filter(
        case_id=case.id, workspace_id=case.workspace_id, direction__in=["inbound", "outbound"]
    )
    counted = spoken.aggregate(
        all=Count("id"),
        public=Count("id", filter=Q(is_public=True)),
        last_inbound_at=Max("at", filter=Q(direction="inbound")),
        last_outbound_at=Max("at", filter=Q(direction="outbound")),
    )
    case.message_count, case.last_inbound_at = counted["all"], counted["last_inbound_at"]
    newest = (
        spoken.filter(deleted_at__isnull=True)
        .order_by("-at", "-id")
        .only("text", "personal", "direction", "at")
        .first()
    )
    if newest is not None:
        case.last_text, case.last_direction, case.last_at = (
            hide(newest.text, newest.personal)[:LAST_TEXT_CHARS],
            newest.direction,
            newest.at,
        )
    else:
        case.last_text = ""
    case.is_public = bool(counted["public"]) if counted["all"] else case.is_public
    if case.waiting_since is None:
        case.unanswered_count = 0
        return
    unanswered = spoken.filter(direction="inbound", automatic="", is_history=False, deleted_at__isnull=True)
    if counted["last_outbound_at"] is not None:
        unanswered = unanswered.filter(at__gt=counted["last_outbound_at"])
    waiting = unanswered.aggregate(count=Count("id"), since=Min("at"))
    case.unanswered_count, case.waiting_since = waiting["count"], waiting["since"]
