"""Where the menu leads beyond the inbox: only to screens that exist, and only for roles that may open them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from careline.workspaces.roles import Verb, may
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    address: str
    icon: str
    label: str


def other_screens(viewer: Viewer) -> list[Entry]:
    """The menu's lines for logging, topics, channels, settings and one's own profile."""
    wanted: list[tuple[str, Verb | None, str, str]] = [
        ("spikes", "see_lead", "flame", _("Spikes")),
        ("log", "note", "phone", _("Log a call or visit")),
        ("profile", None, "user", _("Profile, here or away")),
        ("topics", "manage_triage", "messages-square", _("Topics")),
        ("channels", "see_channels", "plug", _("Channels")),
        ("settings", None, "settings", _("Settings")),
    ]
    lines = [
        (_address(name, viewer), icon, label)
        for name, verb, icon, label in wanted
        if verb is None or may(viewer.role, verb)
    ]
    return [Entry(address, icon, label) for address, icon, label in lines if address]


def _address(name: str, viewer: Viewer) -> str:
    try:
        return reverse(name, kwargs={"workspace": viewer.workspace_slug})
    except NoReverseMatch:
        return ""
