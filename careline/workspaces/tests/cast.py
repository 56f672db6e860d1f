"""The standing cast: Ana (agent), Ben (her lead), Olga (owner), Adam (admin) in one workspace; Cleo owns another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.contrib.auth.hashers import make_password

from careline.workspaces.models import Account, Agent, Brand, Calendar, Team, Workspace
from careline.workspaces.sight import Viewer, viewer_of

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Cast:
    """Two workspaces with their agents, and the rows a channel needs."""

    workspace: Workspace
    team: Team
    brand: Brand
    calendar: Calendar
    olga: Agent
    adam: Agent
    ben: Agent
    ana: Agent
    elsewhere: Workspace
    cleo: Agent

    def viewer(self, agent: Agent) -> Viewer:
        """As every door sees this agent."""
        return viewer_of(Agent.objects.select_related("workspace", "account").get(id=agent.id))


def make_cast() -> Cast:
    """Fresh rows; call inside a test with the database."""
    air, rail = _workspace("air", "Air"), _workspace("rail", "Rail")
    team = Team.objects.create(workspace=air, name="Care")
    made = {name: make_agent(air, name, role) for name, role in ROLES_OF_CAST.items()}
    made["ana"].teams.add(team)
    made["ben"].teams.add(team)
    Team.objects.create(workspace=rail, name="Rail care")
    return Cast(
        workspace=air,
        team=team,
        brand=Brand.objects.create(workspace=air, name="Air", languages=["es", "en"]),
        calendar=Calendar.objects.create(workspace=air, name="Office", zone="Europe/Madrid"),
        elsewhere=rail,
        cleo=make_agent(rail, "cleo", "owner"),
        **made,
    )


ROLES_OF_CAST = {"olga": "owner", "adam": "admin", "ben": "lead", "ana": "agent"}


def make_agent(workspace: Workspace, name: str, role: str) -> Agent:
    """An agent who can sign in as <name>@<workspace>.test with PASSWORD."""
    account = Account.objects.create(email=f"{name}@{workspace.slug}.test", password=_hashed(), name=name.title())
    return Agent.objects.create(workspace=workspace, account=account, name=name.title(), role=role, languages=["en"])


@lru_cache(maxsize=1)
def _hashed() -> str:
    """Argon2 is slow on purpose: once is enough for all tests."""
    return make_password(PASSWORD)


def _workspace(slug: str, name: str) -> Workspace:
    made = Workspace.objects.create(slug=slug, name=name)
    if slug == "rail":
        Brand.objects.create(workspace=made, name=name)
        Calendar.objects.create(workspace=made, name="Rail office")
    return made
