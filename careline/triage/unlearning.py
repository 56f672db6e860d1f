"""A head that learned from words that are gone loses its body at once, and is fitted anew without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from careline.kit import clock
from careline.threads.models import Message
from careline.triage.models import FittedHead, Topic

WORDS_GONE: Final = "words_gone"


def unlearn(message_ids: Sequence[int]) -> None:
    """Inside a unit of work. Two statements, two more where a head may hold the words: it keeps some rows as examples to show."""
    gone = set(message_ids)
    of = set(Message.objects.filter(id__in=gone).values_list("workspace_id", flat=True))
    heads = FittedHead.objects.filter(workspace_id__in=of).exclude(message_ids=[])
    held = [row for row, known in heads.values_list("id", "message_ids") if not gone.isdisjoint(known)]
    if not held:
        return
    FittedHead.objects.filter(id__in=held).update(state="refused", why=WORDS_GONE, body=b"", message_ids=[])
    topics = Topic.objects.filter(workspace_id__in=of, facet="reason", retired_at__isnull=True)
    topics.update(changed_at=clock.now())


def still_said(message_ids: Sequence[int]) -> bool:
    """Whether every one of these messages has its words. One statement."""
    said = Message.objects.filter(id__in=message_ids, deleted_at__isnull=True).exclude(text="")
    return said.count() == len(set(message_ids))
