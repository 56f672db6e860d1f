"""A snippet was used: the most used come first."""

from __future__ import annotations

from django.db.models import F

from careline.events.recording import unit_of_work
from careline.knowledge.models import Snippet
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def count_use(viewer: Viewer, snippet_id: int) -> None:
    """One use more; a snippet that is gone by now counts nothing. One statement."""
    check_may(viewer.role, "answer")
    with unit_of_work():
        Snippet.objects.filter(id=snippet_id, workspace_id=viewer.workspace_id).update(used_count=F("used_count") + 1)
