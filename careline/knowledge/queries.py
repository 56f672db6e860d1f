"""Reads of snippets. Each states its statements."""

from __future__ import annotations

from careline.errors import NotFound
from careline.knowledge.models import Snippet


def list_snippets(workspace_id: int) -> list[Snippet]:
    """Snippets by shortcut. One statement."""
    return list(Snippet.objects.filter(workspace_id=workspace_id).order_by("shortcut"))


def access_snippet(workspace_id: int, snippet_id: int) -> Snippet:
    """A snippet. Raises NotFound for a foreign one. One statement."""
    found = Snippet.objects.filter(workspace_id=workspace_id, id=snippet_id).first()
    if found is None:
        raise NotFound("snippet_not_found")
    return found
