"""Case (the denormalised inbox row), the acts done to it (each with its reverse), tags, drafts, fields, clock
policies, rollups.
"""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids
from careline.people.models import Person


class Case(models.Model):
    """One problem of one person. `queue_key` orders the queue (small first): class, then due time or score; see
    cases/queue.py.

    `clock_percent` is the last step (25, 50, 80, 100) its clock passed. `heard_version` and `answered_version` are the
    versions at which the customer and an agent (`answered_by_id`) last spoke: what the collision stop compares.
    `signs` is what triage and people say of the case, by verdict (cases/signs.py); `kind`, `topic_id` and the sentiments
    (-1 to +1) are columns of their own, since lists and clocks follow them.
    """

    STATES = [("open", "open"), ("waiting", "waiting"), ("done", "done")]
    REASONS = [("", ""), ("customer", "customer"), ("department", "department"), ("until", "until")]
    OUTCOMES = [
        ("", ""),
        ("solved", "solved"),
        ("heard", "heard"),
        ("no_answer_needed", "no_answer_needed"),
        ("spam", "spam"),
    ]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    number = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="cases")
    channel_id = models.BigIntegerField()
    network = models.CharField(max_length=30, default="")
    surface = models.CharField(max_length=30, default="")
    title = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=8, choices=STATES, default="open")
    waiting_reason = models.CharField(max_length=12, choices=REASONS, default="", blank=True)
    outcome = models.CharField(max_length=20, choices=OUTCOMES, default="", blank=True)
    team_id = models.BigIntegerField(null=True)
    assignee_id = models.BigIntegerField(null=True)
    last_agent_id = models.BigIntegerField(null=True)
    follows_id = models.BigIntegerField(null=True)
    merged_into_id = models.BigIntegerField(null=True)
    language = models.CharField(max_length=8, default="")
    kind = models.CharField(max_length=12, default="", blank=True)
    topic_id = models.BigIntegerField(null=True)
    root_cause_id = models.BigIntegerField(null=True)
    sentiment_first = models.FloatField(null=True)
    sentiment_now = models.FloatField(null=True)
    signs = models.JSONField(default=dict)
    is_public = models.BooleanField(default=False)
    is_simulated = models.BooleanField(default=False)
    is_harm = models.BooleanField(default=False)
    reach = models.BigIntegerField(default=0)
    tags = models.JSONField(default=list)
    fields = models.JSONField(default=dict)
    person_name = models.CharField(max_length=160, default="")
    last_text = models.CharField(max_length=200, default="")
    last_direction = models.CharField(max_length=8, default="inbound")
    last_at = models.DateTimeField(default=clock.now)
    last_inbound_at = models.DateTimeField(null=True)
    message_count = models.IntegerField(default=0)
    unanswered_count = models.IntegerField(default=0)
    priority = models.IntegerField(default=0)
    priority_reasons = models.JSONField(default=list)
    queue_key = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField(default=clock.now)
    waiting_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    due_kind = models.CharField(max_length=10, default="")
    due_span_s = models.IntegerField(default=0)
    breach_at = models.DateTimeField(null=True)
    first_answered_at = models.DateTimeField(null=True)
    first_answer_s = models.IntegerField(null=True)
    first_answer_in_time = models.BooleanField(null=True)
    done_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    clock_percent = models.SmallIntegerField(default=0)
    reopen_count = models.IntegerField(default=0)
    heard_version = models.IntegerField(default=0)
    answered_version = models.IntegerField(default=0)
    answered_by_id = models.BigIntegerField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        db_table = "case_"
        constraints = [models.UniqueConstraint(fields=["workspace_id", "number"], name="case_number")]
        indexes = [
            models.Index(fields=["workspace_id", "state", "queue_key", "id"], name="case_queue"),
            models.Index(fields=["workspace_id", "assignee_id", "state", "queue_key", "id"], name="case_mine"),
            models.Index(fields=["workspace_id", "team_id", "state", "queue_key", "id"], name="case_team"),
            models.Index(fields=["workspace_id", "channel_id", "state", "queue_key", "id"], name="case_channel"),
            models.Index(fields=["person", "-last_at"], name="case_person"),
            models.Index(fields=["workspace_id", "state", "-last_at", "-id"], name="case_newest"),
        ]


class SetAside(models.Model):
    """A case that a verdict took out of the queue: no answer needed. `is_audit`: drawn at random for a person to judge;
    `was_right` is what they said, or False when somebody brought it back.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="set_aside")
    workspace_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    confidence = models.FloatField(default=0.0)
    act_id = models.BigIntegerField(default=0)
    is_audit = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)
    judged_at = models.DateTimeField(null=True)
    judged_by_id = models.BigIntegerField(null=True)
    was_right = models.BooleanField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "is_audit", "-at"], name="set_aside_newest")]


class CaseNumber(models.Model):
    """The last number given to a case of a workspace. Locked after existing cases, before the event counter."""

    workspace_id = models.BigIntegerField(primary_key=True)
    n = models.BigIntegerField(default=0)


class CaseAct(models.Model):
    """Something done to a case, with what it was before: undoing writes `before` back. Acts done together share a
    `batch`.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    case_id = models.BigIntegerField()
    verb = models.CharField(max_length=24)
    agent_id = models.BigIntegerField(null=True)
    why = models.CharField(max_length=200, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    batch = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)
    undone_at = models.DateTimeField(null=True)
    undone_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["case_id", "-id"], name="act_case"),
            models.Index(fields=["batch"], name="act_batch"),
            models.Index(fields=["agent_id", "-id"], name="act_agent"),
        ]


class Tag(models.Model):
    """A word a workspace sorts its cases by; `color` is one of the token names."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    name = models.CharField(max_length=40)
    color = models.CharField(max_length=12, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "name"], name="tag_name")]


class CaseField(models.Model):
    """A field of the workspace's own (a booking reference): searchable, shown on every case."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=80)
    pattern = models.CharField(max_length=200, default="", blank=True)
    position = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "key"], name="case_field_key")]


class Draft(models.Model):
    """What an agent was writing, per case and mode: survives anything."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    case_id = models.BigIntegerField()
    agent_id = models.BigIntegerField()
    mode = models.CharField(max_length=8)
    text = models.TextField(default="")
    facts = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id", "agent_id", "mode"], name="draft_once")]


class CaseReader(models.Model):
    """Someone who may see a case beyond teams and assignment: a colleague mentioned in a note."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    case_id = models.BigIntegerField()
    agent_id = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id", "agent_id"], name="case_reader_once")]
        indexes = [models.Index(fields=["agent_id", "case_id"], name="case_reader_agent")]


class Notice(models.Model):
    """A notification of an agent: assigned, mention, reply, late."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    agent_id = models.BigIntegerField()
    case_id = models.BigIntegerField()
    what = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["agent_id", "-id"], name="notice_agent")]


class ClockPolicy(models.Model):
    """How soon an answer is owed, seconds, by the clock a surface declares. Absent rows mean the defaults of
    cases/clocks.py.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    name = models.CharField(max_length=12)
    first_target_s = models.IntegerField()
    first_breach_s = models.IntegerField()
    next_s = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "name"], name="clock_policy_once")]


class RollupHour(models.Model):
    """Counts of one hour, channel and agent (0 for nobody): written with the work itself, so figures cost nothing to
    read.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    hour_at = models.DateTimeField()
    channel_id = models.BigIntegerField()
    agent_id = models.BigIntegerField(default=0)
    received = models.IntegerField(default=0)
    answered = models.IntegerField(default=0)
    opened = models.IntegerField(default=0)
    closed = models.IntegerField(default=0)
    first_answers = models.IntegerField(default=0)
    first_answers_in_time = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "hour_at", "channel_id", "agent_id"], name="rollup_once")
        ]
