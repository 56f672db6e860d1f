"""Who works here and as what: roles, teams, ending and restoring access. A workspace never loses its last owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from careline.errors import Conflict, Forbidden, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.workspaces.actions.inviting import check_grantable, check_teams
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Agent, Team
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def change_role(viewer: Viewer, agent_id: int, role: str) -> Agent:
    """Give an agent another role.

    Raises Conflict('last_owner'), Forbidden when an admin touches an owner, NotFound for foreign rows.
    """
    check_may(viewer.role, "manage_agents")
    check_grantable(viewer.role, role)
    with unit_of_work() as work:
        agent = _lock_agent(viewer, agent_id)
        before = agent.role
        if before != role:
            _check_owner_remains(viewer, agent)
            Agent.objects.filter(id=agent.id).update(role=role)
            _record(work, viewer, agent, "role_changed", "role", {"from": before, "to": role})
    agent.role = role
    return agent


def set_teams(viewer: Viewer, agent_id: int, team_ids: Sequence[int]) -> None:
    """Put an agent into exactly these teams."""
    check_may(viewer.role, "manage_agents")
    teams = check_teams(viewer.workspace_id, team_ids)
    with unit_of_work() as work:
        agent = _lock_agent(viewer, agent_id, check_owner=False)
        before = dict(agent.teams.values_list("id", "name"))
        after = dict(Team.objects.filter(id__in=teams, workspace_id=viewer.workspace_id).values_list("id", "name"))
        if before != after:
            agent.teams.set(after)
            _record(work, viewer, agent, "teams_changed", "teams", {"from": _joined(before), "to": _joined(after)})


def deactivate_agent(viewer: Viewer, agent_id: int) -> None:
    """End an agent's access now: sessions are closed, open streams end with the event. Their cases and words stay."""
    check_may(viewer.role, "manage_agents")
    with unit_of_work() as work:
        agent = _lock_agent(viewer, agent_id)
        if not agent.is_active:
            return
        _check_owner_remains(viewer, agent)
        Agent.objects.filter(id=agent.id).update(is_active=False)
        end_sessions([agent.account_id])
        _record(work, viewer, agent, "agent_deactivated", "deactivated", {"role": agent.role})


def reactivate_agent(viewer: Viewer, agent_id: int) -> None:
    """Give access again, with the role the agent had."""
    check_may(viewer.role, "manage_agents")
    with unit_of_work() as work:
        agent = _lock_agent(viewer, agent_id)
        if agent.is_active:
            return
        Agent.objects.filter(id=agent.id).update(is_active=True)
        _record(work, viewer, agent, "agent_reactivated", "reactivated", {"role": agent.role})


def end_sessions(account_ids: Iterable[int], *, keep_key: str = "") -> int:
    """Sign accounts out everywhere, except in the session named by `keep_key`.

    Three statements. Returns how many sessions ended.
    """
    seen = UserSession.objects.filter(user_id__in=list(account_ids)).exclude(session_key=keep_key)
    keys = list(seen.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    seen.delete()
    return len(keys)


def _lock_agent(viewer: Viewer, agent_id: int, *, check_owner: bool = True) -> Agent:
    """The row, locked; the workspace's owners are locked first and in id order, so that two of them cannot leave at
    once.
    """
    list(
        Agent.objects.select_for_update()
        .filter(workspace_id=viewer.workspace_id, role="owner")
        .order_by("id")
        .values_list("id", flat=True)
    )
    agent = Agent.objects.select_for_update().filter(id=agent_id, workspace_id=viewer.workspace_id).first()
    if agent is None:
        raise NotFound("agent_not_found", _("There is no such agent here."))
    if check_owner and agent.role == "owner" and viewer.role != "owner":
        raise Forbidden("owner_only", _("Only an owner can give or take the role of owner."))
    return agent


def _check_owner_remains(viewer: Viewer, agent: Agent) -> None:
    if agent.role != "owner" or not agent.is_active:
        return
    if (
        not Agent.objects.filter(workspace_id=viewer.workspace_id, role="owner", is_active=True)
        .exclude(id=agent.id)
        .exists()
    ):
        raise Conflict("last_owner", _("This is the last owner. Make somebody else an owner first."))


def _record(work: UnitOfWork, viewer: Viewer, agent: Agent, verb: str, what: str, facts: dict[str, str]) -> None:
    record_audit(
        work,
        verb,
        workspace_id=viewer.workspace_id,
        agent_id=viewer.agent_id,
        subject=f"agent:{agent.id}",
        facts={**facts},
    )
    work.record_event(viewer.workspace_id, "agent.changed", agent_id=agent.id, facts={"what": what})


def _joined(teams: dict[int, str]) -> str:
    return ", ".join(sorted(teams.values()))
