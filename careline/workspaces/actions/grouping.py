"""Teams: groups of agents that share a queue."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import check_name, record_settings_change
from careline.workspaces.models import Agent, Team
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def add_team(viewer: Viewer, name: str, agent_ids: Sequence[int] = ()) -> Team:
    """A new team. Raises InputRefused('name_taken')."""
    check_may(viewer.role, "manage_workspace")
    wanted = _check_free(viewer, name, None)
    with unit_of_work() as work:
        team = Team.objects.create(workspace_id=viewer.workspace_id, name=wanted)
        _set_members(work, viewer, team, agent_ids)
        record_settings_change(work, viewer.workspace_id, "teams")
    return team


def change_team(viewer: Viewer, team_id: int, *, name: str, agent_ids: Sequence[int]) -> None:
    """Rename a team and set exactly its members."""
    check_may(viewer.role, "manage_workspace")
    wanted = _check_free(viewer, name, team_id)
    with unit_of_work() as work:
        team = _lock_team(viewer, team_id)
        Team.objects.filter(id=team.id).update(name=wanted)
        _set_members(work, viewer, team, agent_ids)
        record_settings_change(work, viewer.workspace_id, "teams")


def remove_team(viewer: Viewer, team_id: int) -> None:
    """Remove a team; its cases fall to nobody's team, which everyone sees. Raises Conflict for the last team."""
    check_may(viewer.role, "manage_workspace")
    with unit_of_work() as work:
        team = _lock_team(viewer, team_id)
        if Team.objects.filter(workspace_id=viewer.workspace_id).count() == 1:
            raise Conflict("last_team", _("A workspace keeps at least one team."))
        for agent_id in team.agents.values_list("id", flat=True):
            work.record_event(viewer.workspace_id, "agent.changed", agent_id=agent_id, facts={"what": "teams"})
        try:
            team.delete()
        except ProtectedError as used:
            raise Conflict("team_used", _("This team is still used.")) from used
        record_settings_change(work, viewer.workspace_id, "teams")


def _set_members(work: UnitOfWork, viewer: Viewer, team: Team, agent_ids: Sequence[int]) -> None:
    before = set(team.agents.values_list("id", flat=True))
    after = set(
        Agent.objects.filter(workspace_id=viewer.workspace_id, id__in=list(agent_ids)).values_list("id", flat=True)
    )
    if len(after) != len(set(agent_ids)):
        raise InputRefused("agent_unknown", _("Choose agents of this workspace."), field="agent_ids")
    team.agents.set(after)
    for agent_id in sorted(before ^ after):
        facts: dict[str, str | int | float | bool | None] = {"team": team.name, "is_member": agent_id in after}
        record_audit(
            work,
            "teams_changed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"agent:{agent_id}",
            facts=facts,
        )
        work.record_event(viewer.workspace_id, "agent.changed", agent_id=agent_id, facts={"what": "teams"})


def _lock_team(viewer: Viewer, team_id: int) -> Team:
    team = Team.objects.select_for_update().filter(id=team_id, workspace_id=viewer.workspace_id).first()
    if team is None:
        raise NotFound("team_not_found", _("There is no such team here."))
    return team


def _check_free(viewer: Viewer, name: str, team_id: int | None) -> str:
    wanted = check_name(name, "name")
    same = Team.objects.filter(workspace_id=viewer.workspace_id, name__iexact=wanted).exclude(id=team_id or 0)
    if same.exists():
        raise InputRefused("name_taken", _("Another team has this name."), field="name")
    return wanted
