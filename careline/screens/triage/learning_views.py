"""The triage page: the workspace's choices, how late verdicts are, what each head has learned, and the way back."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from careline.errors import Conflict
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.pages import attempt, done, refused, render_settings, status_of
from careline.screens.triage import wording
from careline.screens.triage.forms import TriageForm
from careline.triage.actions.choosing import change_triage
from careline.triage.actions.going_back import go_back
from careline.triage.queries import behind_by, settings_of
from careline.triage.standing import head_lines
from careline.workspaces.roles import check_may


@require_http_methods(["GET", "HEAD", "POST"])
def show_triage(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The page, and its choices."""
    viewer = request.viewer
    check_may(viewer.role, "manage_triage")
    settings = settings_of(viewer.workspace_id)
    form = TriageForm(request.POST if request.method == "POST" else None, settings=settings)
    if request.method == "POST" and attempt(form, lambda: change_triage(viewer, form.choices())):
        return done(request, _("Saved."), "triage", workspace=workspace)
    facts = {
        "form": form,
        "is_on": settings.is_on,
        "model": str(settings.llm.get("model", "")),
        "late": wording.late_words(behind_by(viewer.workspace_id)),
        "heads": head_lines(viewer.workspace_id),
        "words": wording,
    }
    return render_settings(request, "triage/settings.html", "triage", facts, status=status_of(form))


@require_POST
def use_version(request: WorkspaceRequest, workspace: str, head: str, version: int) -> HttpResponse:
    """Back to this version, or forward."""
    try:
        go_back(request.viewer, head, version)
    except Conflict as kept_because:
        return refused(request, kept_because.message, "triage", workspace=workspace)
    words = _("This version judges from the next message on. Learning goes on after five new corrections.")
    return done(request, words, "triage", workspace=workspace)
