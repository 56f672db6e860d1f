"""The trace screen: every room a message passed, with time and error."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from careline.cases.queries.visible import visible_cases
from careline.errors import NotFound
from careline.intake.tracing import Trace, trace
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.pages import render_settings
from careline.workspaces.roles import check_may

_LONGEST = 400


@require_safe
def show_trace(request: WorkspaceRequest, workspace: str, reference: str = "") -> HttpResponse:
    """A search field, and what was found. `?id=` works too, for platform ids with slashes."""
    check_may(request.viewer.role, "see_channels")
    asked = (reference or request.GET.get("id", ""))[:_LONGEST].strip()
    found, problem = _follow(request, asked) if asked else (None, "")
    facts = {"asked": asked, "found": found, "problem": problem, "case_number": _case_number(request, found)}
    return render_settings(request, "trace.html", "trace", facts, status=404 if problem else 200)


def _follow(request: WorkspaceRequest, asked: str) -> tuple[Trace | None, str]:
    try:
        return trace(asked, workspace_id=request.viewer.workspace_id), ""
    except NotFound:
        return None, _("Nothing in this workspace is known by this id.")


def _case_number(request: WorkspaceRequest, found: Trace | None) -> int | None:
    if found is None or not found.case_id:
        return None
    return visible_cases(request.viewer).filter(id=found.case_id).values_list("number", flat=True).first()
