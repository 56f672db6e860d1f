"""Connections (an app and its secrets) and channels (one connected account)."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids
from careline.workspaces.models import Brand, Calendar, Team, Workspace


class Connection(models.Model):
    """An app and its secrets on a platform; platforms post to /hooks/<network>/<hook_token>. It serves one or more channels."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    network = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    hook_token = models.CharField(max_length=64, unique=True, default=ids.new_token)
    sealed_secrets = models.BinaryField(default=bytes)
    secrets_end_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)


class Channel(models.Model):
    """One connected account of one network. `state` is the machine's; holding is an administrator's (or a restore's)."""

    STATES = [
        ("active", "active"),
        ("failing", "failing"),
        ("silent", "silent"),
        ("unauthorised", "unauthorised"),
        ("off", "off"),
    ]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="channels")
    network = models.CharField(max_length=30)
    account_key = models.CharField(max_length=200)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=200, default="", blank=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT)
    calendar = models.ForeignKey(Calendar, on_delete=models.SET_NULL, null=True)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True)
    settings = models.JSONField(default=dict)
    is_simulated = models.BooleanField(default=False)
    undo_s = models.IntegerField(default=8)
    state = models.CharField(max_length=14, choices=STATES, default="active")
    held_at = models.DateTimeField(null=True)
    held_reason = models.CharField(max_length=200, default="")
    alerted_at = models.DateTimeField(null=True)
    cursor = models.JSONField(default=dict)
    history_before = models.DateTimeField(default=clock.now)
    last_in_at = models.DateTimeField(null=True)
    last_out_at = models.DateTimeField(null=True)
    last_contact_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, default="")
    last_error_at = models.DateTimeField(null=True)
    fail_count = models.IntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    unknown_events = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "account_key"], name="channel_account")]


class Template(models.Model):
    """An approved text of the platform, as it was when last asked. One that is no longer approved goes; deliveries keep what they used."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="templates")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=35, default="", blank=True)
    body = models.TextField()
    parameters = models.JSONField(default=list)
    examples = models.JSONField(default=list)
    category = models.CharField(max_length=40, default="", blank=True)
    heading = models.CharField(max_length=300, default="", blank=True)
    footer = models.CharField(max_length=300, default="", blank=True)
    buttons = models.JSONField(default=list)
    media = models.JSONField(default=dict)
    """The kind of file it begins with, as capabilities.AttachmentKind; empty for none."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "key", "language"], name="channel_template")]
