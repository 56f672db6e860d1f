"""Person, Identity, Link. An identity points at its present person; links tell why, and can be undone."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids


class Person(models.Model):
    """A customer. `merged_into_id` is set while this person is joined to another; undoing clears it.

    `name_key` is the folded name by which likely twins are found (people/likeness.py).
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    name = models.CharField(max_length=160, default="")
    name_key = models.CharField(max_length=160, default="")
    language = models.CharField(max_length=8, default="")
    facts = models.JSONField(default=dict)
    merged_into_id = models.BigIntegerField(null=True)
    blocked_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(default=clock.now)
    version = models.IntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "name"], name="person_name"),
            models.Index(fields=["merged_into_id"], name="person_merged"),
            models.Index(fields=["workspace_id", "name_key"], name="person_name_key"),
        ]


class Identity(models.Model):
    """That person on one network. `scope` keeps keys of different worlds apart: `email`, `phone`, `simulated`,
    `channel:<id>`.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identities")
    network = models.CharField(max_length=30)
    scope = models.CharField(max_length=60)
    key = models.CharField(max_length=320)
    handle = models.CharField(max_length=200, default="")
    name = models.CharField(max_length=160, default="")
    avatar_url = models.CharField(max_length=500, default="")
    blocked_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "scope", "key"], name="identity_key")]


class Link(models.Model):
    """Why an identity belongs to a person: evidence, confidence, actor, time; or a suggestion nobody accepted yet."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="links")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="links")
    previous_person_id = models.BigIntegerField(null=True)
    evidence = models.CharField(max_length=40)
    evidence_value = models.CharField(max_length=320, default="")
    confidence = models.FloatField(default=1.0)
    is_suggestion = models.BooleanField(default=False)
    actor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)
    undone_at = models.DateTimeField(null=True)
    undone_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "person"], name="link_person")]


class PersonKey(models.Model):
    """An exact key a platform vouched for (e-mail, phone, customer number) and the person it leads to."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=320)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="keys")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "kind", "value"], name="person_key")]


class NameQuestion(models.Model):
    """Somebody came without a name, and what came of asking the platform: one for each identity, for good.

    `state`: open until the platform answered, told, or refused with its `reason`. What is left here is what a network needs to ask:
    where they were heard first.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, related_name="question")
    channel_id = models.BigIntegerField()
    surface = models.CharField(max_length=30, default="")
    thread_key = models.CharField(max_length=300, default="")
    platform_id = models.CharField(max_length=400, default="")
    state = models.CharField(max_length=8, default="open")
    reason = models.CharField(max_length=60, default="")
    tries = models.IntegerField(default=0)
    not_before = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "channel_id", "not_before"], name="name_question_due")]


class PersonAct(models.Model):
    """Something done to a person or their identities, with everything its reverse needs in `facts`."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    verb = models.CharField(max_length=24)
    agent_id = models.BigIntegerField(null=True)
    why = models.CharField(max_length=200, default="")
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)
    undone_at = models.DateTimeField(null=True)
    undone_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["person_id", "-id"], name="person_act")]
