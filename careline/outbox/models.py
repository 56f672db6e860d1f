"""Delivery: one message to one recipient. Attempt: one try, committed before the wire. Bucket: how fast a channel may send."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids
from careline.threads.models import Message


class Delivery(models.Model):
    """`held` waits for undo or approval until `not_before`; `unknown` waits for its echo or a person. "sent" only when the platform said so."""

    STATES = [
        (state, state)
        for state in ("held", "queued", "sending", "unknown", "sent", "delivered", "read", "failed", "cancelled")
    ]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    thread_id = models.BigIntegerField()
    case_id = models.BigIntegerField(null=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.CharField(max_length=320, default="")
    state = models.CharField(max_length=10, choices=STATES, default="queued")
    not_before = models.DateTimeField(default=clock.now)
    idempotency_key = models.CharField(max_length=80, unique=True)
    platform_id = models.CharField(max_length=400, default="")
    author_kind = models.CharField(max_length=8, default="human")
    facts = models.JSONField(default=dict)
    tries = models.IntegerField(default=0)
    error_code = models.CharField(max_length=60, default="")
    error_detail = models.CharField(max_length=300, default="")
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["channel_id", "not_before"],
                condition=models.Q(state__in=["queued", "held"]),
                name="delivery_due",
            ),
            models.Index(fields=["channel_id", "platform_id"], name="delivery_platform"),
            models.Index(fields=["state"], condition=models.Q(state__in=["sending", "unknown"]), name="delivery_open"),
        ]


class Attempt(models.Model):
    """One try. A row without `ended_at` after a crash means: it may have been posted."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.IntegerField()
    owner = models.CharField(max_length=60)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, default="")
    error_code = models.CharField(max_length=60, default="")
    error_detail = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number")]


class Bucket(models.Model):
    """A token bucket, taken from in the claim's own transaction."""

    name = models.CharField(max_length=120, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField(default=clock.now)
