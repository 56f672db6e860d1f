"""Thread, Message, Revision, Attachment. `case_id` is a plain number: cases live a floor above."""

from __future__ import annotations

from django.db import models

from careline.files.models import StoredFile
from careline.kit import clock, ids
from careline.people.models import Identity


class Thread(models.Model):
    """One conversation on one channel. `bound_case_id`: a private thread opened from a case belongs to it."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    key = models.CharField(max_length=300)
    surface = models.CharField(max_length=30)
    is_public = models.BooleanField(default=False)
    subject = models.CharField(max_length=400, default="")
    permalink = models.CharField(max_length=600, default="")
    reach = models.BigIntegerField(default=0)
    parent_author = models.CharField(max_length=200, default="")
    parent_text = models.TextField(default="")
    bound_case_id = models.BigIntegerField(null=True)
    last_inbound_at = models.DateTimeField(null=True)
    participants = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel_id", "key"], name="thread_key")]
        indexes = [
            models.Index(fields=["workspace_id"], name="thread_workspace"),
            models.Index(
                fields=["bound_case_id"], condition=models.Q(bound_case_id__isnull=False), name="thread_bound"
            ),
        ]


class Message(models.Model):
    """One utterance. (channel, platform_id) is unique where the platform gave an id. A deleted one keeps its row,
    without words.

    `text` is what the author wrote (quotes and signature trimmed into `quoted_text`); `html` is cleaned and shown only
    in a sandboxed frame. `personal` says where personal data stands in `text` (threads/personal.py). `hidden_at` and
    `liked_at` are our acts on it, set once the platform said so.
    """

    DIRECTIONS = [("inbound", "inbound"), ("outbound", "outbound"), ("note", "note"), ("event", "event")]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages", null=True)
    channel_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    platform_id = models.CharField(max_length=400, null=True)
    direction = models.CharField(max_length=8, choices=DIRECTIONS)
    surface = models.CharField(max_length=30, default="")
    is_public = models.BooleanField(default=False)
    author_identity = models.ForeignKey(Identity, on_delete=models.SET_NULL, null=True)
    author_agent_id = models.BigIntegerField(null=True)
    author_name = models.CharField(max_length=160, default="")
    text = models.TextField(default="")
    personal = models.JSONField(default=list)
    quoted_text = models.TextField(default="")
    html = models.TextField(default="")
    language = models.CharField(max_length=8, default="")
    reply_to = models.CharField(max_length=400, default="")
    automatic = models.CharField(max_length=14, default="")
    is_history = models.BooleanField(default=False)
    is_echo = models.BooleanField(default=False)
    reactions = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    liked_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel_id", "platform_id"], name="message_once")]
        indexes = [
            models.Index(fields=["thread", "at"], name="message_thread_time"),
            models.Index(fields=["case_id", "at"], name="message_case_time"),
            # Not (workspace, at): without statistics SQLite took that one for the messages of a case, and read the whole workspace.
            models.Index(fields=["at"], name="message_time"),
            models.Index(fields=["author_identity"], name="message_author"),
        ]


class MessageAlias(models.Model):
    """Another platform id under which replies name a message (a Message-ID rewritten on the way, a split post)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    channel_id = models.BigIntegerField()
    platform_id = models.CharField(max_length=400)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel_id", "platform_id"], name="alias_once")]


class Revision(models.Model):
    """What a message said before an edit. Purged with the message."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="revisions")
    text = models.TextField()
    at = models.DateTimeField(default=clock.now)


class Attachment(models.Model):
    """A file of a message. `fetch_url` is set while it still has to be fetched; `problem` says why it could not be."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True)
    name = models.CharField(max_length=160)
    content_id = models.CharField(max_length=200, default="")
    is_inline = models.BooleanField(default=False)
    alt_text = models.CharField(max_length=1000, default="")
    fetch_url = models.CharField(max_length=2000, default="")
    problem = models.CharField(max_length=60, default="")


class Tombstone(models.Model):
    """A platform id whose words must never come back: re-fetches and restores are checked against it."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    platform_id = models.CharField(max_length=400)
    reason = models.CharField(max_length=20, default="author")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel_id", "platform_id"], name="tombstone_once")]
