"""Reads of snippets. Each states its statements."""

from __future__ import annotations

from django.db.models import Case, Q, Value, When

from careline.cases.queries.visible import access_case
from careline.errors import NotFound
from careline.knowledge.models import Snippet
from careline.knowledge.rendering import RenderedSnippet, fill, values_for, variant_of
from careline.workspaces.sight import Viewer


def list_snippets(workspace_id: int) -> list[Snippet]:
    """Snippets by shortcut. One statement."""
    return list(Snippet.objects.filter(workspace_id=workspace_id).order_by("shortcut"))


def access_snippet(workspace_id: int, snippet_id: int) -> Snippet:
    """A snippet. Raises NotFound for a foreign one. One statement."""
    found = Snippet.objects.filter(workspace_id=workspace_id, id=snippet_id).first()
    if found is None:
        raise NotFound("snippet_not_found")
    return found


def find_snippets(workspace_id: int, words: str, limit: int = 8) -> list[Snippet]:
    """What `/words` offers: shortcuts that begin so, then names that hold it, the most used first. One statement."""
    wanted = words.strip().lstrip("/")
    offered = Snippet.objects.filter(workspace_id=workspace_id).filter(
        Q(shortcut__istartswith=wanted) | Q(name__icontains=wanted)
    )
    begins = Case(When(shortcut__istartswith=wanted, then=Value(0)), default=Value(1))
    return list(offered.annotate(rank=begins).order_by("rank", "-used_count", "shortcut")[: max(1, min(limit, 50))])


def offer_snippets(viewer: Viewer, number: int, words: str, limit: int = 8) -> list[tuple[Snippet, RenderedSnippet]]:
    """Snippets for a case the viewer may see, filled in for it. Raises NotFound. Four statements."""
    case = access_case(viewer, number)
    values = values_for(case, viewer)
    offered = []
    for snippet in find_snippets(viewer.workspace_id, words, limit):
        language, text = variant_of(snippet, case.language)
        filled, missing = fill(text, values)
        offered.append((snippet, RenderedSnippet(snippet.id, language, filled, missing)))
    return offered
