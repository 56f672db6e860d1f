"""What an agent may choose from: colleagues, teams, channels, tags, languages. Read once per page, when a picker first opens."""

from __future__ import annotations

import msgspec

from careline.cases.queries.tags import list_tags
from careline.channels.queries import list_channels
from careline.channels.registry import networks
from careline.screens.inbox.sign_wording import value_words
from careline.screens.templating import language_name
from careline.triage.protocol import KINDS
from careline.triage.queries import topic_names
from careline.workspaces.queries import list_agents, list_teams
from careline.workspaces.roles import may
from careline.workspaces.sight import Viewer

OFFERED_LANGUAGES = (
    "es",
    "en",
    "pt",
    "fr",
    "de",
    "it",
    "ca",
    "gl",
    "eu",
    "nl",
    "pl",
    "ro",
    "ar",
    "zh",
    "ja",
    "ru",
    "uk",
)


class AgentChoice(msgspec.Struct, frozen=True):
    """A colleague a case can be given to."""

    id: str
    name: str
    role: str
    away: bool


class NamedChoice(msgspec.Struct, frozen=True):
    """Anything with an id and a name."""

    id: str
    name: str
    note: str = ""


class Choices(msgspec.Struct, frozen=True):
    """Everything pickers offer."""

    agents: tuple[AgentChoice, ...]
    teams: tuple[NamedChoice, ...]
    channels: tuple[NamedChoice, ...]
    mailboxes: tuple[NamedChoice, ...]
    tags: tuple[str, ...]
    languages: tuple[NamedChoice, ...]
    kinds: tuple[NamedChoice, ...]
    topics: tuple[NamedChoice, ...]


def choices_of(viewer: Viewer) -> Choices:
    """Six statements."""
    agents = [one for one in list_agents(viewer.workspace_id) if one.is_active and may(one.role, "manage_case")]
    channels = [one for one in list_channels(viewer.workspace_id) if one.state != "off"]
    return Choices(
        agents=tuple(AgentChoice(str(one.id), one.name, one.role, one.is_away) for one in agents),
        teams=tuple(NamedChoice(str(one.id), one.name) for one in list_teams(viewer.workspace_id)),
        channels=tuple(NamedChoice(str(one.id), one.name, "SIMULATED" if one.is_simulated else "") for one in channels),
        mailboxes=tuple(
            NamedChoice(str(one.id), one.name, one.handle) for one in channels if begins_letters(one.network)
        ),
        tags=tuple(list_tags(viewer.workspace_id)),
        languages=tuple(NamedChoice(code, language_name(code)) for code in OFFERED_LANGUAGES),
        kinds=tuple(NamedChoice(kind, value_words("kind", kind)) for kind in KINDS),
        topics=tuple(NamedChoice(str(key), name) for key, name in topic_names(viewer.workspace_id).items()),
    )


def begins_letters(network: str) -> bool:
    """Whether a letter may be begun on this network: a surface anyone may write first on, threaded like mail."""
    found = networks().get(network)
    surfaces = found.capabilities.surfaces if found else ()
    return any(one.initiate == "free" and one.threading.model == "email_refs" for one in surfaces)
