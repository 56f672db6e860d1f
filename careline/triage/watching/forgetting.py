"""A cause is made of customers' words: it goes when any words it may have come from go. A spike that still goes on finds it again without them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max, Min

from careline.threads.editing import on_words_gone
from careline.threads.models import Message
from careline.triage.models import Spike
from careline.triage.spike_models import LONGEST_WINDOW


@on_words_gone
def forget_causes(message_ids: Sequence[int]) -> None:
    """Inside a unit of work. Topics and clusters of a cause stay, they are ids. Two statements, and one where a cause loses words."""
    gone = Message.objects.filter(id__in=message_ids).order_by()
    for workspace_id, first_at, last_at in gone.values_list("workspace_id").annotate(
        Min("received_at"), Max("received_at")
    ):
        told = Spike.objects.filter(workspace_id=workspace_id, last_at__gte=first_at)
        touched = told.filter(first_at__lte=last_at + LONGEST_WINDOW).exclude(causes=[]).only("id", "causes")
        for spike in touched:
            kept = [cause for cause in spike.causes if not str(cause[0]).startswith("word:")]
            if len(kept) < len(spike.causes):
                Spike.objects.filter(id=spike.id).update(causes=kept)
