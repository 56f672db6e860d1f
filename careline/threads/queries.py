"""Reads of messages and threads by id. Permission is the caller's: cases decide who sees what. Each states its
statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet

from careline.threads.models import Attachment, Message, Revision, Thread


def thread_ids_of_case(workspace_id: int, case_id: int) -> list[int]:
    """Threads that hold messages of a case or are bound to it. Two statements."""
    spoken = (
        Message.objects.filter(case_id=case_id, workspace_id=workspace_id, thread_id__isnull=False)
        .values_list("thread_id", flat=True)
        .distinct()
    )
    bound = Thread.objects.filter(bound_case_id=case_id, workspace_id=workspace_id).values_list("id", flat=True)
    return sorted({*(one for one in spoken if one), *bound})


def threads_by_id(workspace_id: int, thread_ids: Collection[int]) -> dict[int, Thread]:
    """One statement."""
    return {one.id: one for one in Thread.objects.filter(workspace_id=workspace_id, id__in=thread_ids)}


def moment_of(workspace_id: int, message_id: int) -> datetime | None:
    """Platform time of a message. One statement."""
    return Message.objects.filter(workspace_id=workspace_id, id=message_id).values_list("at", flat=True).first()


def newest_of_case(
    workspace_id: int, case_id: int, limit: int, before: tuple[datetime, int] | None = None
) -> list[Message]:
    """The newest messages and notes of a case, newest first, with their authors. One statement."""
    return _newest(_of_case(workspace_id, case_id), limit, before)


def newest_of_bystanders(
    workspace_id: int, case_id: int, thread_ids: Collection[int], limit: int, before: tuple[datetime, int] | None = None
) -> list[Message]:
    """The newest public words in these threads that do not belong to the case, newest first. One statement."""
    return _newest(_of_bystanders(workspace_id, case_id, thread_ids), limit, before)


def count_from(
    workspace_id: int,
    case_id: int,
    thread_ids: Collection[int],
    first: tuple[datetime, int],
    before: tuple[datetime, int] | None = None,
) -> int:
    """How many messages of a case and of bystanders in these threads were said from `first` on, and before `before`. Two statements."""
    kinds = [_of_case(workspace_id, case_id)]
    if thread_ids:
        kinds.append(_of_bystanders(workspace_id, case_id, thread_ids))
    at, message_id = first
    return sum(
        _said_before(messages, before).filter(at__gte=at).filter(Q(at__gt=at) | Q(id__gte=message_id)).count()
        for messages in kinds
    )


def _of_case(workspace_id: int, case_id: int) -> QuerySet[Message]:
    return Message.objects.filter(workspace_id=workspace_id, case_id=case_id)


def _of_bystanders(workspace_id: int, case_id: int, thread_ids: Collection[int]) -> QuerySet[Message]:
    others = Message.objects.filter(
        workspace_id=workspace_id, thread_id__in=thread_ids, is_public=True, direction__in=["inbound", "outbound"]
    )
    return others.filter(Q(case_id__isnull=True) | ~Q(case_id=case_id))


def _said_before(messages: QuerySet[Message], before: tuple[datetime, int] | None) -> QuerySet[Message]:
    if before is None:
        return messages
    at, message_id = before
    return messages.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=message_id))


def _newest(messages: QuerySet[Message], limit: int, before: tuple[datetime, int] | None) -> list[Message]:
    # Mail HTML can be large and is fetched by its frame alone: here only whether there is any.
    has_html = ExpressionWrapper(~Q(html=""), output_field=BooleanField())
    return list(
        _said_before(messages, before)
        .select_related("author_identity")
        .defer("html")
        .annotate(has_html=has_html)
        .order_by("-at", "-id")[:limit]
    )


def attachments_of(message_ids: Iterable[int]) -> dict[int, list[Attachment]]:
    """Attachments with their files, by message. One statement."""
    found: dict[int, list[Attachment]] = defaultdict(list)
    for one in Attachment.objects.filter(message_id__in=list(message_ids)).select_related("file").order_by("id"):
        found[one.message_id].append(one)
    return found


def revisions_of(messages: Iterable[Message]) -> dict[int, list[Revision]]:
    """What edited messages said before, oldest first; a deleted one has nothing left to say. One statement, none where
    nothing was edited.
    """
    edited = [one.id for one in messages if one.edited_at is not None and one.deleted_at is None]
    found: dict[int, list[Revision]] = defaultdict(list)
    if edited:
        for one in Revision.objects.filter(message_id__in=edited).order_by("at", "id"):
            found[one.message_id].append(one)
    return found


def last_inbound_by_thread(thread_ids: Collection[int], person_id: int) -> dict[int, Message]:
    """The newest inbound message of a person in each thread: what an answer replies to. One statement."""
    spoken = Message.objects.filter(
        thread_id__in=thread_ids, direction="inbound", author_identity__person_id=person_id, deleted_at__isnull=True
    )
    newest = spoken.order_by().values("thread_id").annotate(newest_id=Max("id")).values("newest_id")
    return {
        one.thread_id or 0: one
        for one in Message.objects.filter(id__in=newest).select_related("author_identity").defer("html")
    }
