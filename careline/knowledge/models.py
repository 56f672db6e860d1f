"""Snippets."""

from __future__ import annotations

from django.db import models

from careline.kit import ids


class Snippet(models.Model):
    """A text inserted by `/shortcut`. `texts` maps a language to its variant; variables read {{person.first_name}}."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    shortcut = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    texts = models.JSONField(default=dict)
    used_count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "shortcut"], name="snippet_shortcut")]
