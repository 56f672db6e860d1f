"""Reads of the organisation: workspaces of an account, agents, teams, brands, calendars, invitations, the audit log.
Each states its statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from careline.errors import NotFound
from careline.kit import clock
from careline.workspaces.models import Agent, Audit, Brand, Calendar, Installation, Invitation, Team, Workspace

AUDIT_PAGE = 100


@dataclass(frozen=True)
class AuditLine:
    """One row of the audit log. `actor` is empty for the machine or an unknown visitor."""

    id: int
    at: datetime
    verb: str
    actor: str
    subject: str
    subject_name: str
    facts: dict[str, object]


def workspaces_of(account_id: int) -> list[Workspace]:
    """Where an account works, by name. One statement."""
    return list(Workspace.objects.filter(agent__account_id=account_id, agent__is_active=True).order_by("name"))


def access_workspace(workspace_id: int) -> Workspace:
    """The workspace's row. Raises NotFound. One statement."""
    found = Workspace.objects.filter(id=workspace_id).first()
    if found is None:
        raise NotFound("workspace_not_found")
    return found


def access_agent(workspace_id: int, agent_id: int) -> Agent:
    """An agent with account and teams. Raises NotFound for foreign rows. Two statements."""
    found = (
        Agent.objects.select_related("account")
        .prefetch_related("teams")
        .filter(id=agent_id, workspace_id=workspace_id)
        .first()
    )
    if found is None:
        raise NotFound("agent_not_found")
    return found


def list_agents(workspace_id: int) -> list[Agent]:
    """All agents with account and teams, active first, by name. Two statements."""
    agents = Agent.objects.select_related("account").prefetch_related("teams").filter(workspace_id=workspace_id)
    return list(agents.order_by("-is_active", "name", "id"))


def list_invitations(workspace_id: int) -> list[Invitation]:
    """Open invitations, newest first. One statement."""
    return list(
        Invitation.objects.filter(workspace_id=workspace_id, used_at__isnull=True, expires_at__gt=clock.now()).order_by(
            "-id"
        )
    )


def list_teams(workspace_id: int) -> QuerySet[Team]:
    """Teams by name, each with `size`, its active agents. One statement when read."""
    return (
        Team.objects.filter(workspace_id=workspace_id)
        .annotate(size=Count("agents", filter=Q(agents__is_active=True)))
        .order_by("name")
    )


def access_team(workspace_id: int, team_id: int) -> Team:
    """A team. Raises NotFound for a foreign one. One statement."""
    found = Team.objects.filter(workspace_id=workspace_id, id=team_id).first()
    if found is None:
        raise NotFound("team_not_found")
    return found


def team_member_ids(team: Team) -> list[int]:
    """Ids of a team's agents. One statement."""
    return list(team.agents.order_by("id").values_list("id", flat=True))


def list_brands(workspace_id: int) -> list[Brand]:
    """Brands by name. One statement."""
    return list(Brand.objects.filter(workspace_id=workspace_id).order_by("name", "id"))


def languages_of(workspace_id: int) -> tuple[str, ...]:
    """The languages the workspace's brands speak, two letters each. One statement."""
    spoken = Brand.objects.filter(workspace_id=workspace_id).order_by("id").values_list("languages", flat=True)
    return tuple(dict.fromkeys(str(one)[:2] for languages in spoken for one in languages))


def access_brand(workspace_id: int, brand_id: int) -> Brand:
    """A brand. Raises NotFound for a foreign one. One statement."""
    found = Brand.objects.filter(workspace_id=workspace_id, id=brand_id).first()
    if found is None:
        raise NotFound("brand_not_found")
    return found


def list_calendars(workspace_id: int) -> list[Calendar]:
    """Calendars by name. One statement."""
    return list(Calendar.objects.filter(workspace_id=workspace_id).order_by("name", "id"))


def access_calendar(workspace_id: int, calendar_id: int) -> Calendar:
    """A calendar. Raises NotFound for a foreign one. One statement."""
    found = Calendar.objects.filter(workspace_id=workspace_id, id=calendar_id).first()
    if found is None:
        raise NotFound("calendar_not_found")
    return found


def list_audit(
    workspace_id: int,
    *,
    before_id: int | None = None,
    verb: str = "",
    agent_id: int | None = None,
    limit: int = AUDIT_PAGE,
) -> list[AuditLine]:
    """The audit log, newest first, a page at a time by id. Two statements."""
    rows = Audit.objects.filter(workspace_id=workspace_id)
    rows = rows.filter(id__lt=before_id) if before_id else rows
    rows = rows.filter(verb=verb) if verb else rows
    rows = rows.filter(agent_id=agent_id) if agent_id else rows
    page = list(rows.order_by("-id")[:limit])
    agents = list(Agent.objects.filter(workspace_id=workspace_id).values_list("id", "account_id", "name"))
    by_agent = {agent: name for agent, _account, name in agents}
    by_account = {account: name for _agent, account, name in agents}
    return [_line(row, by_agent, by_account) for row in page]


def _line(row: Audit, by_agent: dict[int, str], by_account: dict[int, str]) -> AuditLine:
    actor = by_agent.get(row.agent_id or 0) or by_account.get(row.account_id or 0, "")
    kind, _colon, number = row.subject.partition(":")
    subject_name = by_agent.get(int(number), "") if kind == "agent" and number.isdigit() else ""
    return AuditLine(
        id=row.id,
        at=row.at,
        verb=row.verb,
        actor=actor,
        subject=row.subject,
        subject_name=subject_name,
        facts=dict(row.facts),
    )


def owner_addresses(workspace_id: int) -> list[tuple[str, str]]:
    """(e-mail, locale) of the active owners: whom alerts go to. One statement."""
    owners = Agent.objects.filter(workspace_id=workspace_id, role="owner", is_active=True, account__is_active=True)
    return list(owners.order_by("id").values_list("account__email", "account__locale"))


def access_preferences(workspace_id: int, agent_id: int) -> Agent:
    """An agent's own row without account and teams: how they want their desk. Raises NotFound. One statement."""
    found = Agent.objects.filter(id=agent_id, workspace_id=workspace_id).first()
    if found is None:
        raise NotFound("agent_not_found")
    return found


def is_installation_held() -> bool:
    """Whether polling and sending wait for `careline resume`, after a restore or a copy. One statement."""
    return Installation.objects.filter(is_held=True).exists()
