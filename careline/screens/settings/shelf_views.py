"""Views of every list of the settings: the list, an entry to add or change, and its removal."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from careline.errors import Conflict, NotFound
from careline.knowledge.actions.snippets import VARIABLES
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.forms import zone_names
from careline.screens.settings.pages import attempt, done, refused, render_settings, status_of
from careline.screens.settings.shelves import SHELVES, Shelf
from careline.workspaces.roles import check_may


@require_safe
def show_shelf(request: WorkspaceRequest, workspace: str, shelf: str) -> HttpResponse:
    """The list."""
    kept = _access_shelf(request, shelf)
    rows = [(row.id, kept.cells(row)) for row in kept.rows(request.viewer.workspace_id)]
    return render_settings(request, "shelf.html", kept.name, {"shelf": kept, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def show_entry(request: WorkspaceRequest, workspace: str, shelf: str, entry: str | None = None) -> HttpResponse:
    """An entry's form, empty for a new one."""
    kept = _access_shelf(request, shelf)
    row = kept.access(request.viewer.workspace_id, int(entry)) if entry is not None else None
    form = kept.form(request.POST if request.method == "POST" else None, viewer=request.viewer, row=row)
    if request.method == "POST" and attempt(form, form.add if row is None else form.change):
        return done(request, _("Saved."), kept.name, workspace=workspace)
    facts = {"shelf": kept, "form": form, "entry": entry, "zones": zone_names(), "variables": VARIABLES}
    return render_settings(request, "entry.html", kept.name, facts, status=status_of(form))


@require_POST
def remove_entry(request: WorkspaceRequest, workspace: str, shelf: str, entry: str) -> HttpResponse:
    """Remove it, or say why it must stay."""
    kept = _access_shelf(request, shelf)
    kept.access(request.viewer.workspace_id, int(entry))
    try:
        kept.remove(request.viewer, int(entry))
    except Conflict as kept_because:
        return refused(request, kept_because.message, kept.name, workspace=workspace)
    return done(request, _("Removed."), kept.name, workspace=workspace)


def _access_shelf(request: WorkspaceRequest, name: str) -> Shelf:
    if name not in SHELVES:
        raise NotFound("page_not_found")
    kept = SHELVES[name]
    check_may(request.viewer.role, kept.verb)
    return kept
