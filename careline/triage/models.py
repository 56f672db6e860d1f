"""What triage keeps: a judgement a message, how far it has read, corrections, topics with their examples, and fitted heads."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids
from careline.threads.models import Message
from careline.triage.spike_models import Bucket, Spike

__all__ = [
    "Bucket",
    "Correction",
    "FittedHead",
    "Judgement",
    "Spike",
    "Topic",
    "TopicExample",
    "TriageCursor",
    "TriageSettings",
]


class Judgement(models.Model):
    """Everything found in one message: the verdicts as a list of protocol.Verdict, where personal data stands, the
    sentence's vector (float16) and the bands of near-duplicates. `cluster_id` is shared by near-duplicates of a day, null where
    there is none like it. Gone with the message's words.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="judgement")
    workspace_id = models.BigIntegerField()
    verdicts = models.JSONField(default=list)
    personal = models.JSONField(default=list)
    vector = models.BinaryField(default=bytes)
    signature = models.JSONField(default=list)
    cluster_id = models.BigIntegerField(null=True)
    engine = models.CharField(max_length=60, default="")
    message_version = models.IntegerField(default=1)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-at"], name="judgement_newest"),
            models.Index(fields=["cluster_id"], condition=models.Q(cluster_id__isnull=False), name="judgement_cluster"),
        ]


class TriageCursor(models.Model):
    """The last event of a workspace whose message was judged; `n` moves in the transaction that keeps the verdicts."""

    workspace_id = models.BigIntegerField(primary_key=True)
    n = models.BigIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)


class TriageSettings(models.Model):
    """A workspace's choices. `set_aside_from`: the confidence from which a message that needs no answer leaves the queue.
    `masked`: the kinds of personal data hidden until revealed.
    """

    workspace_id = models.BigIntegerField(primary_key=True)
    is_on = models.BooleanField(default=True)
    sets_aside = models.BooleanField(default=True)
    set_aside_from = models.FloatField(default=0.9)
    audit_percent = models.FloatField(default=2.0)
    masked = models.JSONField(default=list)
    llm = models.JSONField(default=dict)
    llm_secret = models.BinaryField(default=bytes)


class Correction(models.Model):
    """An agent's word on a verdict: `was` what triage said, `value` what is true (the same, when accepted). It trains as
    long as the message has its words.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="corrections")
    verdict = models.CharField(max_length=24)
    was = models.CharField(max_length=80, default="")
    value = models.CharField(max_length=80, default="")
    confidence = models.FloatField(default=0.0)
    agent_id = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "verdict", "-id"], name="correction_verdict"),
            models.Index(fields=["message", "verdict"], name="correction_message"),
        ]


class Topic(models.Model):
    """What a workspace's customers speak of. A `reason` is what they came with and is learned from examples, a `root_cause`
    why it happened and is set by hand. A draft and a retired one are not in use (`retired_at`). `changed_at`: when its
    examples or its use last changed by hand, so that the head follows at once.
    """

    FACETS = [("reason", "reason"), ("root_cause", "root_cause")]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    name = models.CharField(max_length=60)
    facet = models.CharField(max_length=10, choices=FACETS, default="reason")
    is_draft = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    made_by_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "facet", "name"], name="topic_name")]


class TopicExample(models.Model):
    """A text that is of the topic, or is not: typed by a person (`text`, whose `vector` follows), or a message's own words
    (`message`, whose vector its judgement holds).
    """

    SOURCES = [("typed", "typed"), ("message", "message"), ("thumb", "thumb"), ("correction", "correction")]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="examples")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="+")
    text = models.CharField(max_length=2000, default="")
    vector = models.BinaryField(default=bytes)
    is_of_topic = models.BooleanField(default=True)
    source = models.CharField(max_length=10, choices=SOURCES, default="typed")
    agent_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["topic", "id"], name="topic_example_topic")]
        constraints = [models.UniqueConstraint(fields=["topic", "message"], name="topic_example_once")]


class FittedHead(models.Model):
    """A version of a workspace's own head. One of a name is active; earlier ones stay to go back to, refused ones to be seen.

    `own_rows`: how many rows were the workspace's own; `counted_to`: the newest id of a correction or example taken into
    account, by the fit or by a person who went back; `accuracy_before`: the active head's on the same rows; `why`: a code
    that says why it was refused. `message_ids`: whose words it may hold as examples; when one's are gone, so is the body.
    """

    STATES = [("active", "active"), ("refused", "refused"), ("earlier", "earlier")]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    name = models.CharField(max_length=24)
    version = models.IntegerField()
    state = models.CharField(max_length=8, choices=STATES, default="earlier")
    body = models.BinaryField(default=bytes)
    card = models.JSONField(default=dict)
    own_rows = models.IntegerField(default=0)
    counted_to = models.BigIntegerField(default=0)
    accuracy_before = models.FloatField(null=True)
    why = models.CharField(max_length=24, default="")
    message_ids = models.JSONField(default=list)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "name", "version"], name="head_version"),
            models.UniqueConstraint(
                fields=["workspace_id", "name"], condition=models.Q(state="active"), name="head_active_once"
            ),
        ]
