"""Two tables: the counter that numbers a workspace's events, and the events."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids


class EventCounter(models.Model):
    """The last number given in a workspace. Its row is the last lock of every unit of work, so numbers follow commit order."""

    workspace_id = models.BigIntegerField(primary_key=True)
    n = models.BigIntegerField(default=0)


class Event(models.Model):
    """Something happened. `audience` says who may be told: `workspace`, or comma-joined `team:<id>`, `agent:<id>`, `nobody-yet`."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    n = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    audience = models.CharField(max_length=200, default="workspace")
    case_id = models.BigIntegerField(null=True)
    thread_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    person_id = models.BigIntegerField(null=True)
    channel_id = models.BigIntegerField(null=True)
    delivery_id = models.BigIntegerField(null=True)
    agent_id = models.BigIntegerField(null=True)
    version = models.IntegerField(default=0)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "n"], name="event_number")]
        indexes = [
            models.Index(fields=["at"], name="event_at"),
            models.Index(fields=["workspace_id", "case_id", "n"], name="event_case"),
        ]
