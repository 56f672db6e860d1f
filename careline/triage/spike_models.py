"""What spikes are told from and what was told: five-minute counts per unit, and a row for each spike with how it was judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import models

from careline.kit import clock, ids

LONGEST_WINDOW: Final = timedelta(hours=1)


class Bucket(models.Model):
    """How many customers' messages of one unit came in five minutes, and how many of them were negative.

    `place` is `channel:<id>` (with `topic`, the id of one or '', and `language`), or, for a brand as a whole, `brand:<id>`;
    `practice:<id>` is that brand on simulated channels, so that practice is never taken for customers.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    place = models.CharField(max_length=32)
    topic = models.CharField(max_length=24, default="")
    language = models.CharField(max_length=12, default="")
    began_at = models.DateTimeField()
    count = models.IntegerField(default=0)
    negative = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "place", "topic", "language", "began_at"], name="bucket_once"
            )
        ]
        indexes = [models.Index(fields=["workspace_id", "began_at"], name="bucket_time")]


class Spike(models.Model):
    """More than usual of one unit, or a new cluster of near-duplicates (`rule`). `key` names the unit: one spike of it goes on at a time.

    `first_at` is when it fired, `last_at` when it was last seen, `ended_at` is null while it goes on. The figures are those of its
    height. `causes` are [term, surplus, z, messages, usual] as spikes.Cause; terms with words in them go when any words they
    may have come from are erased. `examples` are message ids. `state` is dismissed by a person (`judged_by_id`, `judged_at`).
    """

    STATES = [("open", "open"), ("quiet", "quiet"), ("dismissed", "dismissed")]
    RULES = [("unit", "unit"), ("cold_cluster", "cold_cluster")]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    key = models.CharField(max_length=100)
    rule = models.CharField(max_length=12, choices=RULES)
    place = models.CharField(max_length=32, default="")
    topic = models.CharField(max_length=24, default="")
    language = models.CharField(max_length=12, default="")
    cluster_id = models.BigIntegerField(null=True)
    is_simulated = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=STATES, default="open")
    first_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    window_s = models.IntegerField(default=0)
    count = models.IntegerField(default=0)
    expected = models.FloatField(default=0.0)
    ratio = models.FloatField(default=0.0)
    p = models.FloatField(default=1.0)
    authors = models.IntegerField(default=0)
    negative_share = models.FloatField(default=0.0)
    reach = models.BigIntegerField(default=0)
    severity = models.SmallIntegerField(default=1)
    parts = models.JSONField(default=list)
    basis = models.CharField(max_length=8, default="")
    samples = models.IntegerField(default=0)
    level = models.FloatField(default=1.0)
    causes = models.JSONField(default=list)
    examples = models.JSONField(default=list)
    judged_by_id = models.BigIntegerField(null=True)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "key"], condition=models.Q(ended_at__isnull=True), name="spike_going_on_once"
            )
        ]
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="spike_newest"),
            models.Index(fields=["ended_at"], condition=models.Q(ended_at__isnull=True), name="spike_going_on"),
        ]
