"""Reads of what triage keeps for the screens."""

from __future__ import annotations

from datetime import timedelta

from careline.events.models import Event, EventCounter
from careline.kit import clock
from careline.threads.personal import SENSITIVE
from careline.triage.models import Topic, TriageCursor, TriageSettings


def topic_names(workspace_id: int, facet: str = "reason") -> dict[int, str]:
    """Topics in use, by name. One statement."""
    topics = Topic.objects.filter(workspace_id=workspace_id, facet=facet, retired_at__isnull=True)
    return dict(topics.order_by("name").values_list("id", "name"))


def settings_of(workspace_id: int) -> TriageSettings:
    """The workspace's choices, or the defaults. One statement."""
    return TriageSettings.objects.filter(workspace_id=workspace_id).first() or TriageSettings(workspace_id=workspace_id)


def masked_kinds(workspace_id: int) -> tuple[str, ...]:
    """Kinds of personal data the workspace hides until somebody says why. One statement."""
    chosen = TriageSettings.objects.filter(workspace_id=workspace_id).values_list("masked", flat=True).first()
    return tuple(chosen) if chosen else SENSITIVE


def behind_by(workspace_id: int) -> timedelta:
    """Age of the oldest message of the workspace that waits for verdicts; zero when there is none. Three statements."""
    read_to = TriageCursor.objects.filter(workspace_id=workspace_id).values_list("n", flat=True).first() or 0
    newest = EventCounter.objects.filter(workspace_id=workspace_id).values_list("n", flat=True).first() or 0
    if newest <= read_to:
        return timedelta(0)
    waiting = Event.objects.filter(workspace_id=workspace_id, n__gt=read_to, kind="message.received").order_by("n")
    oldest_at = waiting.values_list("at", flat=True).first()
    return clock.now() - oldest_at if oldest_at else timedelta(0)
