"""Agents: who works here, invitations, roles, teams, ending and giving back access."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from careline.errors import Conflict, Forbidden
from careline.screens.accounts.mailing import is_configured, send_system_mail
from careline.screens.accounts.queries import has_second_factor
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.forms import ROLE_WORDS, AgentForm, InviteForm
from careline.screens.settings.pages import attempt, done, refused, render_settings, status_of
from careline.workspaces.actions.inviting import INVITATION_DAYS, Invited, invite_agent, withdraw_invitation
from careline.workspaces.actions.presenting import set_away
from careline.workspaces.actions.staffing import change_role, deactivate_agent, reactivate_agent, set_teams
from careline.workspaces.models import Agent
from careline.workspaces.queries import access_agent, list_agents, list_invitations, list_teams
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


@require_http_methods(["GET", "HEAD", "POST"])
def show_agents(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Everybody, open invitations, and the form for a new one; its link is shown once, in the answer itself."""
    viewer = request.viewer
    check_may(viewer.role, "manage_agents")
    teams = list(list_teams(viewer.workspace_id))
    form = InviteForm(request.POST if request.method == "POST" else None, own_role=viewer.role, teams=teams)
    made: list[Invited] = []
    if request.method == "POST" and attempt(form, lambda: made.append(invite_agent(viewer, **form.cleaned_data))):
        is_mailed = _mail_invitation(viewer, made[0])
        form = InviteForm(own_role=viewer.role, teams=teams)
        return _page(request, form, made[0], is_mailed)
    return _page(request, form, None, False)


def _page(request: WorkspaceRequest, form: InviteForm, made: Invited | None, is_mailed: bool) -> HttpResponse:
    workspace_id = request.viewer.workspace_id
    agents = list_agents(workspace_id)
    facts = {
        "form": form,
        "agents": agents,
        "strong": has_second_factor([agent.account_id for agent in agents]),
        "invitations": list_invitations(workspace_id),
        "role_words": ROLE_WORDS,
        "made": made,
        "is_mailed": is_mailed,
        "days": INVITATION_DAYS,
    }
    return render_settings(request, "agents.html", "agents", facts, status=status_of(form))


def _mail_invitation(viewer: Viewer, made: Invited) -> bool:
    if not is_configured():
        return False
    with translation.override(viewer.locale):
        subject = _("Join %(name)s on Careline") % {"name": made.workspace_name}
        body = _(
            "%(inviter)s invites you to answer customers at %(name)s.\n\n"
            "Open this address within %(days)d days; it works once:\n\n%(url)s\n\nCareline · %(desk)s\n"
        ) % {
            "inviter": viewer.name,
            "name": made.workspace_name,
            "days": INVITATION_DAYS,
            "url": made.url,
            "desk": settings.BASE_URL,
        }
        return send_system_mail(subject, body, [made.email])


@require_POST
def withdraw(request: WorkspaceRequest, workspace: str, invitation: int) -> HttpResponse:
    """The link stops working."""
    withdraw_invitation(request.viewer, invitation)
    return done(request, _("Withdrawn: the link no longer works."), "agents", workspace=workspace)


@require_http_methods(["GET", "HEAD", "POST"])
def show_agent(request: WorkspaceRequest, workspace: str, agent: int) -> HttpResponse:
    """One agent: role and teams, away, end of access."""
    viewer = request.viewer
    check_may(viewer.role, "manage_agents")
    row = access_agent(viewer.workspace_id, agent)
    teams = list(list_teams(viewer.workspace_id))
    sent = request.POST if request.method == "POST" else None
    form = AgentForm(sent, own_role=viewer.role, agent=row, teams=teams)
    if sent is not None and attempt(form, lambda: _save(viewer, row, form)):
        return done(request, _("Saved."), "agents", workspace=workspace)
    facts = {"form": form, "agent": row, "is_self": row.id == viewer.agent_id}
    return render_settings(request, "agent.html", "agents", facts, status=status_of(form))


def _save(viewer: Viewer, row: Agent, form: AgentForm) -> None:
    if form.cleaned_data["role"] != row.role:
        change_role(viewer, row.id, form.cleaned_data["role"])
    set_teams(viewer, row.id, form.cleaned_data["team_ids"])


@require_POST
def end_access(request: WorkspaceRequest, workspace: str, agent: int) -> HttpResponse:
    """Sign them out everywhere, now."""
    try:
        deactivate_agent(request.viewer, agent)
    except (Conflict, Forbidden) as kept:
        access_agent(request.viewer.workspace_id, agent)
        check_may(request.viewer.role, "manage_agents")
        return refused(request, kept.message, "agent", workspace=workspace, agent=agent)
    return done(request, _("Access ended. Open screens of theirs are closed."), "agents", workspace=workspace)


@require_POST
def give_access(request: WorkspaceRequest, workspace: str, agent: int) -> HttpResponse:
    """Let them in again."""
    reactivate_agent(request.viewer, agent)
    return done(request, _("Access given again."), "agents", workspace=workspace)


@require_POST
def change_agent_availability(request: WorkspaceRequest, workspace: str, agent: int) -> HttpResponse:
    """An admin says that somebody is here or away."""
    set_away(request.viewer, request.POST.get("away") == "on", agent_id=agent)
    return done(request, _("Saved."), "agent", workspace=workspace, agent=agent)
