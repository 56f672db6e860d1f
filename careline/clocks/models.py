"""A clock is a due time with a subject; a lease is a name held by one owner until it expires."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids


class Clock(models.Model):
    """`kind` finds the handler (clocks.handlers), `subject_id` what it is about. (kind, subject, name) is unique: setting it again moves it."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    name = models.CharField(max_length=40, default="")
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id", "name"], name="clock_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(fired_at__isnull=True), name="clock_due"),
            models.Index(fields=["workspace_id"], name="clock_workspace"),
        ]


class Lease(models.Model):
    """Who works on `what` until when. `fence` rises with each new owner, so a worker that woke too late can be told."""

    what = models.CharField(max_length=80, primary_key=True)
    owner = models.CharField(max_length=60)
    expires_at = models.DateTimeField()
    fence = models.BigIntegerField(default=0)
