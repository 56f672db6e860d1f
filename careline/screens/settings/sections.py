"""The side list of the settings: which pages there are, and which of them a role may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from careline.workspaces.roles import Verb, may
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class Section:
    """One page of the list. No verb means that everyone may open it."""

    name: str
    icon: str
    label: str | Promise
    verb: Verb | None = None
    group: str = "workspace"


@dataclass(frozen=True)
class Line:
    """A section as one viewer sees it."""

    name: str
    address: str
    icon: str
    label: str | Promise
    group: str


SECTIONS: Final = (
    Section("profile", "user", _("Profile"), group="you"),
    Section("security", "lock", _("Sign-in"), group="you"),
    Section("workspace", "building-2", _("Workspace"), "manage_workspace"),
    Section("agents", "users", _("Agents"), "manage_agents"),
    Section("teams", "user-plus", _("Teams"), "manage_workspace"),
    Section("channels", "plug", _("Channels"), "see_channels"),
    Section("brands", "store", _("Brands"), "manage_workspace"),
    Section("calendars", "calendar", _("Calendars"), "manage_workspace"),
    Section("clocks", "timer", _("Clocks"), "manage_workspace"),
    Section("tags", "tag", _("Tags"), "manage_workspace"),
    Section("fields", "hash", _("Case fields"), "manage_workspace"),
    Section("snippets", "quote", _("Snippets"), "manage_snippets"),
    Section("topics", "messages-square", _("Topics"), "manage_triage"),
    Section("triage", "zap", _("Triage"), "manage_triage"),
    Section("trace", "search", _("Trace"), "see_channels", group="looking"),
    Section("audit", "scroll-text", _("Audit log"), "see_audit", group="looking"),
)


def lines_for(viewer: Viewer) -> list[Line]:
    """The list for one viewer."""
    open_to = [one for one in SECTIONS if one.verb is None or may(viewer.role, one.verb)]
    return [Line(one.name, _address(viewer, one.name), one.icon, one.label, one.group) for one in open_to]


def first_address(viewer: Viewer) -> str:
    """Where "settings" leads: the workspace for who may change it, one's own profile for everybody else."""
    return _address(viewer, "workspace" if may(viewer.role, "manage_workspace") else "profile")


def _address(viewer: Viewer, name: str) -> str:
    return reverse(name, kwargs={"workspace": viewer.workspace_slug})
