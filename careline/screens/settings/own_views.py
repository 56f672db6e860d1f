"""One's own pages: profile, being here or away, and how one signs in."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from careline.screens.accounts.queries import count_sessions, second_factors
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.forms import ProfileForm, zone_names
from careline.screens.settings.pages import attempt, done, render_settings, status_of
from careline.screens.settings.sections import first_address
from careline.workspaces.actions.presenting import change_profile, set_away
from careline.workspaces.queries import access_agent


@require_safe
def show_settings(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The first page this viewer may open."""
    return HttpResponseRedirect(first_address(request.viewer))


@require_http_methods(["GET", "HEAD", "POST"])
def show_profile(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Name, languages, signature, zone, keys, rows."""
    agent = access_agent(request.viewer.workspace_id, request.viewer.agent_id)
    form = ProfileForm(request.POST) if request.method == "POST" else ProfileForm.of(agent)
    if request.method == "POST" and attempt(form, lambda: change_profile(request.viewer, form.profile())):
        return done(request, _("Saved."), "profile", workspace=workspace)
    facts = {"form": form, "agent": agent, "zones": zone_names()}
    return render_settings(request, "profile.html", "profile", facts, status=status_of(form))


@require_POST
def change_availability(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Here or away; `away` is on or off."""
    is_away = request.POST.get("away") == "on"
    set_away(request.viewer, is_away)
    words = _("You are away: replies to your cases go back to the team.") if is_away else _("You are here.")
    return done(request, words, "profile", workspace=workspace)


@require_safe
def show_security(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """How one signs in, and where to change it."""
    account_id = request.viewer.account_id
    facts = {"factors": second_factors(account_id), "sessions": count_sessions(account_id)}
    return render_settings(request, "security.html", "security", facts)
