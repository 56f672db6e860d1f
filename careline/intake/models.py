"""The journal: every inbound event, raw and durable, before anything else is known of it."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids


class JournalRow(models.Model):
    """One inbound event. Unique by channel and platform event. `dead` rows are the dead letters: kept, shown, replayable."""

    NEW, DONE, DEAD = 0, 1, 2

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    event_key = models.CharField(max_length=300)
    order_key = models.CharField(max_length=300)
    partition = models.SmallIntegerField()
    raw = models.BinaryField()
    state = models.SmallIntegerField(default=NEW)
    attempts = models.SmallIntegerField(default=0)
    reason = models.CharField(max_length=40, default="")
    detail = models.CharField(max_length=300, default="")
    received_at = models.DateTimeField(default=clock.now)
    digested_at = models.DateTimeField(null=True)
    message_id = models.BigIntegerField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "journal"
        constraints = [models.UniqueConstraint(fields=["channel_id", "event_key"], name="journal_once")]
        indexes = [
            models.Index(fields=["partition", "id"], condition=models.Q(state=0), name="journal_new"),
            models.Index(fields=["channel_id", "-id"], condition=models.Q(state=2), name="journal_dead"),
            models.Index(fields=["received_at"], condition=models.Q(reason="waits"), name="journal_waits"),
            models.Index(fields=["message_id"], name="journal_message"),
            models.Index(fields=["received_at"], name="journal_received"),
        ]


class RefusedDelivery(models.Model):
    """A delivery that was answered 400 while its connection had no channel to show it as a dead letter; the newest few hundred."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    connection_id = models.BigIntegerField()
    raw = models.BinaryField()
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=clock.now)
