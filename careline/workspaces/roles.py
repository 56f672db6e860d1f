"""The one table of who may do what. Screens, API and edge ask `may`; nothing else compares roles."""

from __future__ import annotations

from typing import Final, Literal

from django.utils.translation import gettext as _

from careline.errors import Forbidden

Verb = Literal[
    "read_cases", "answer", "answer_public", "note", "manage_case", "moderate", "block_person", "export_cases", "export_person", "erase_person", "join_persons",
    "see_lead", "manage_triage", "manage_snippets", "manage_channels", "see_channels", "manage_agents", "manage_workspace", "see_audit", "replay",
]  # fmt: skip

_AGENT: Final[frozenset[Verb]] = frozenset(
    {"read_cases", "answer", "answer_public", "note", "manage_case", "moderate", "block_person", "join_persons"}
)
_LEAD: Final[frozenset[Verb]] = _AGENT | {
    "see_lead",
    "export_cases",
    "manage_snippets",
    "manage_triage",
    "see_channels",
}
_ADMIN: Final[frozenset[Verb]] = _LEAD | {
    "manage_channels",
    "manage_agents",
    "manage_workspace",
    "see_audit",
    "replay",
    "export_person",
    "erase_person",
}

ROLE_VERBS: Final[dict[str, frozenset[Verb]]] = {
    "owner": _ADMIN,
    "admin": _ADMIN,
    "lead": _LEAD,
    "agent": _AGENT,
    "trainee": frozenset({"read_cases", "answer", "note", "manage_case"}),
    "analyst": frozenset({"read_cases", "see_lead", "export_cases"}),
    "colleague": frozenset({"read_cases", "note"}),
}
# Who sees every case of the workspace; all others see their teams', their own, and those nobody's team holds.
SEES_ALL: Final[frozenset[str]] = frozenset({"owner", "admin", "lead", "analyst"})


def may(role: str, verb: Verb) -> bool:
    """Whether a role has a verb; an unknown role has none."""
    return verb in ROLE_VERBS.get(role, frozenset())


def check_may(role: str, verb: Verb) -> None:
    """Raise Forbidden unless the role has the verb."""
    if not may(role, verb):
        raise Forbidden("role_lacks_verb", _("Your role does not allow this. Ask an owner or admin."))
