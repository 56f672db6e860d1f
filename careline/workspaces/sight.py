"""What an agent may be told: the sight used by streams (event audiences) and by `cases.queries.visible_cases`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.workspaces.models import Agent
from careline.workspaces.roles import SEES_ALL


@dataclass(frozen=True)
class Viewer:
    """An agent as every door knows it: identity, role, teams, language. Made once per request."""

    workspace_id: int
    workspace_slug: str
    agent_id: int
    account_id: int
    name: str
    role: str
    team_ids: tuple[int, ...]
    locale: str
    languages: tuple[str, ...] = ()

    @property
    def sees_all(self) -> bool:
        return self.role in SEES_ALL

    @property
    def sight(self) -> frozenset[str]:
        """Names matched against an event's audience."""
        own = {f"agent:{self.agent_id}"}
        if self.sees_all:
            return frozenset(own | {"all"})
        if self.role == "colleague":
            return frozenset(own)
        return frozenset(own | {"team:0"} | {f"team:{team_id}" for team_id in self.team_ids})


def access_viewer(account_id: int, workspace_slug: str) -> Viewer:
    """The account's membership of a workspace. Raises NotFound when there is none, or it was ended. Two statements."""
    agent = (
        Agent.objects.select_related("workspace", "account")
        .filter(account_id=account_id, workspace__slug=workspace_slug, is_active=True, account__is_active=True)
        .first()
    )
    if agent is None:
        raise NotFound("workspace_not_found", _("There is no such workspace for you."))
    return viewer_of(agent)


def viewer_of(agent: Agent) -> Viewer:
    """A Viewer from its row. One statement for the teams."""
    return Viewer(
        workspace_id=agent.workspace_id,
        workspace_slug=agent.workspace.slug,
        agent_id=agent.id,
        account_id=agent.account_id,
        name=agent.name,
        role=agent.role,
        team_ids=tuple(sorted(agent.teams.values_list("id", flat=True))),
        locale=agent.account.locale,
        languages=tuple(agent.languages),
    )
