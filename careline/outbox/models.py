"""Delivery: one message to one recipient. Moderation: one act on a message that stands. Attempt: one try of either, committed
before the wire. Bucket: how fast a channel may send.
"""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids
from careline.threads.models import Message

ARRIVED = ("sent", "delivered", "read")
"""States in which the platform has it."""


class Delivery(models.Model):
    """`held` waits for undo or approval until `not_before`; `unknown` waits for its echo or a person. "sent" only when the platform said so.

    A text too long for one post is one message with a delivery for each of its `parts`, sent in the order of `part` (from
    1); `text_start` and `text_end` cut its words from the message, 0 and 0 being all of them.
    """

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
    part = models.IntegerField(default=1)
    parts = models.IntegerField(default=1)
    text_start = models.IntegerField(default=0)
    text_end = models.IntegerField(default=0)
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


class _Try(models.Model):
    """One try. A row without `ended_at` after a crash means: it may have been done."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    number = models.IntegerField()
    owner = models.CharField(max_length=60)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, default="")
    error_code = models.CharField(max_length=60, default="")
    error_detail = models.CharField(max_length=300, default="")

    class Meta:
        abstract = True


class Attempt(_Try):
    """One try of a delivery."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number")]


class Moderation(models.Model):
    """One act of an agent on a message that stands: hide, like, react, edit or delete ours, and back.

    `held` waits for undo until `not_before`. `mark` is the platform's name for what it made of it, `text` the new words of an edit until they stand. `platform_id` is the
    post meant: a message of several posts is deleted by several rows.
    """

    STATES = [
        (state, state) for state in ("held", "queued", "sending", "unknown", "done", "failed", "cancelled")
    ]  # fmt: skip

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    case_id = models.BigIntegerField(null=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="moderations")
    agent_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=10)
    platform_id = models.CharField(max_length=400)
    emoji = models.CharField(max_length=16, default="")
    text = models.TextField(default="")
    mark = models.CharField(max_length=400, default="")
    state = models.CharField(max_length=10, choices=STATES, default="queued")
    not_before = models.DateTimeField(default=clock.now)
    idempotency_key = models.CharField(max_length=80, unique=True)
    tries = models.IntegerField(default=0)
    error_code = models.CharField(max_length=60, default="")
    error_detail = models.CharField(max_length=300, default="")
    created_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=models.Q(state__in=["queued", "held"]),
                name="moderation_due",
            ),
            models.Index(fields=["state"], condition=models.Q(state__in=["sending"]), name="moderation_open"),
        ]


class ModerationAttempt(_Try):
    """One try of a moderation."""

    moderation = models.ForeignKey(Moderation, on_delete=models.CASCADE, related_name="attempts")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["moderation", "number"], name="moderation_attempt_number")]


class Bucket(models.Model):
    """A token bucket, taken from in the claim's own transaction."""

    name = models.CharField(max_length=120, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField(default=clock.now)
