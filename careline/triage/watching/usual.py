"""Which words a workspace's customers use when nothing is going on, so that a spike's cause can be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.threads.personal import hide
from careline.triage.models import Judgement
from careline.triage.personal.masking import KINDS
from careline.triage.protocol import Verdict
from careline.triage.spikes.causes import count_usage
from careline.triage.spikes.counts import Seen, Usage
from careline.triage.watching.counting import said

MOST: Final = 600
BACK: Final = timedelta(days=14)
LASTS: Final = timedelta(hours=1)


class Usual:
    """By language, counted anew every hour. Counts only are remembered, and only in memory."""

    def __init__(self, workspace_id: int) -> None:
        self._workspace_id = workspace_id
        self._known: dict[str, tuple[datetime, Usage]] = {}

    def of(self, language: str, before: datetime, now: datetime) -> Usage:
        """Of what was said before that time; '' is all languages. One statement where it is not known."""
        counted_at, usage = self._known.get(language, (None, None))
        if counted_at is None or usage is None or not timedelta(0) <= now - counted_at < LASTS:
            usage = count_usage(self._messages(language, before))
            self._known[language] = (now, usage)
        return usage

    def _messages(self, language: str, before: datetime) -> list[Seen]:
        kept = Judgement.objects.filter(workspace_id=self._workspace_id, at__lt=before, at__gte=before - BACK)
        columns = ("message_id", "verdicts", "message__text", "message__personal", "message__received_at")
        found = []
        for key, verdicts, text, personal, at in kept.order_by("-at").values_list(*columns)[:MOST]:
            judged = msgspec.convert(verdicts, list[Verdict])
            if not language or said(judged, "language") == language:
                found.append(Seen(key, "", at, text=hide(text, personal, KINDS), topic=said(judged, "topic")))
        return found
