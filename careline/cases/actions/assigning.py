"""Who works on a case: take it, give it to an agent, to a team, or back."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.cases.applying import release
from careline.cases.changing import CaseChange, changing_case
from careline.errors import Conflict, NotFound
from careline.workspaces.models import Agent, Team
from careline.workspaces.roles import may
from careline.workspaces.sight import Viewer


def take_case(viewer: Viewer, number: int) -> int:
    """Make the case the viewer's own. Raises Conflict('taken') when somebody else has it: assign says that it is
    meant. Returns the act's id.
    """
    with changing_case(viewer, number, "manage_case") as change:
        holder = change.case.assignee_id
        if holder == viewer.agent_id:
            return 0
        if holder is not None:
            raise Conflict(
                "taken", _("Somebody else has taken this case. Assign it to yourself if you mean to take over.")
            )
        change.case.assignee_id = viewer.agent_id
        return change.save("taken")


def assign_agent(viewer: Viewer, number: int, agent_id: int | None, why: str = "") -> int:
    """Give the case to an agent (None: back to its team). Returns the act's id. Raises NotFound for an agent who
    cannot work here.
    """
    with changing_case(viewer, number, "manage_case") as change:
        if agent_id is not None:
            access_assignable(viewer.workspace_id, agent_id)
        return assign_change(change, agent_id, why)


def assign_change(change: CaseChange, agent_id: int | None, why: str = "", batch: int | None = None) -> int:
    """Assign a locked case; the agent was checked. Returns the act's id, 0 when nothing changed."""
    if change.case.assignee_id == agent_id:
        return 0
    if agent_id is None:
        release(change.case)
    else:
        change.case.assignee_id = agent_id
        change.notify([agent_id], "assigned")
    return change.save("assigned", why=why, batch=batch)


def access_assignable(workspace_id: int, agent_id: int) -> Agent:
    """An active agent of the workspace whose role works on cases. Raises NotFound('agent_not_found'). One statement."""
    agent = Agent.objects.filter(workspace_id=workspace_id, id=agent_id, is_active=True).first()
    if agent is None or not may(agent.role, "manage_case"):
        raise NotFound("agent_not_found", _("There is no such agent to work on cases."))
    return agent


def assign_team(viewer: Viewer, number: int, team_id: int | None, why: str = "") -> int:
    """Move the case to a team (None: to nobody's team). Its assignee goes unless they are of that team. Returns the
    act's id.
    """
    with changing_case(viewer, number, "manage_case") as change:
        if team_id is not None:
            access_team(viewer.workspace_id, team_id)
        return move_change(change, team_id, why)


def move_change(change: CaseChange, team_id: int | None, why: str = "", batch: int | None = None) -> int:
    """Move a locked case; the team was checked. Two statements more when somebody holds it."""
    if change.case.team_id == team_id:
        return 0
    change.case.team_id = team_id
    holder = change.case.assignee_id
    if holder is not None and team_id is not None and not Agent.objects.filter(id=holder, teams=team_id).exists():
        release(change.case)
    return change.save("moved", why=why, batch=batch)


def access_team(workspace_id: int, team_id: int) -> Team:
    """A team of the workspace. Raises NotFound('team_not_found'). One statement."""
    team = Team.objects.filter(workspace_id=workspace_id, id=team_id).first()
    if team is None:
        raise NotFound("team_not_found", _("There is no such team."))
    return team
