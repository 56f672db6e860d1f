"""Messages change cases: what moves with them, and what both case rows say afterwards. Used by merge, split and join,
both ways.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from careline.cases.changing import hours_of_channel
from careline.cases.clocks import clock_name, owe_answer, owe_nothing, policies_of
from careline.cases.models import Case
from careline.cases.queries.answering import surface_of
from careline.cases.recounting import recount
from careline.channels.access import channels_by_id
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.threads import search
from careline.threads.models import Message, Thread


def message_ids_of(case: Case) -> list[int]:
    """All messages and notes of a case, in order. One statement."""
    return list(
        Message.objects.filter(workspace_id=case.workspace_id, case_id=case.id)
        .order_by("id")
        .values_list("id", flat=True)
    )


def move_messages(message_ids: Sequence[int], target: Case) -> None:
    """Messages, their deliveries and their search words now belong to `target`. Three statements."""
    Message.objects.filter(workspace_id=target.workspace_id, id__in=message_ids).update(case_id=target.id)
    Delivery.objects.filter(workspace_id=target.workspace_id, message_id__in=message_ids).update(case_id=target.id)
    search.move_to_case(list(message_ids), target.id)


def bind_threads(thread_ids: Collection[int], target: Case) -> None:
    """Private threads now continue in `target`. One statement."""
    if thread_ids:
        Thread.objects.filter(workspace_id=target.workspace_id, id__in=thread_ids, is_public=False).update(
            bound_case_id=target.id
        )


def bound_threads_of(case: Case) -> list[int]:
    """Private threads bound to a case. One statement."""
    return list(
        Thread.objects.filter(workspace_id=case.workspace_id, bound_case_id=case.id)
        .order_by("id")
        .values_list("id", flat=True)
    )


def settle(case: Case) -> None:
    """Counts, last words and the clock of a case whose messages changed, not saved. Eight statements."""
    recount(case)
    if case.waiting_since is None or case.state == "done":
        owe_nothing(case)
        return
    channel = channels_by_id([case.channel_id]).get(case.channel_id)
    surface = surface_of(channel, case.surface) if channel else None
    policy = policies_of(case.workspace_id)[clock_name(surface.clock if surface else "private", case.kind)]
    owe_answer(case, policy, hours_of_channel(case.channel_id), clock.now())
