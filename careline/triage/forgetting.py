"""What triage made of words goes with the words: verdicts, vectors, and the examples and corrections that would train on them."""

from __future__ import annotations

from collections.abc import Sequence

from careline.threads.editing import on_words_gone
from careline.triage.models import Correction, Judgement, TopicExample
from careline.triage.unlearning import unlearn


@on_words_gone
def forget_judgements(message_ids: Sequence[int]) -> None:
    """Inside a unit of work. Five statements, two more where a head held the words."""
    Judgement.objects.filter(message_id__in=message_ids).delete()
    Correction.objects.filter(message_id__in=message_ids).delete()
    TopicExample.objects.filter(message_id__in=message_ids).delete()
    unlearn(message_ids)
