"""Notes: words among colleagues. Naming an agent or a team asks them into the case and tells them."""

from __future__ import annotations

from collections.abc import Iterable

import regex
from django.utils.translation import gettext as _

from careline.cases.changing import CaseChange, changing_case
from careline.cases.filing import attach_files
from careline.errors import InputRefused
from careline.threads import search
from careline.threads.models import Message
from careline.workspaces.models import Agent, Team
from careline.workspaces.sight import Viewer

MOST_CHARS = 20_000
# A name may contain spaces, so mentions are matched against the workspace's own names, longest first.
_AT = regex.compile(r"(?<![\p{L}\p{N}_.@])@")


def write_note(
    viewer: Viewer, number: int, *, text: str, file_ids: Iterable[int] = (), file_names: Iterable[str] = ()
) -> Message:
    """Add a note; `@name` of an agent or team notifies them and lets them read the case. Never leaves the house.
    Raises InputRefused('note_empty').
    """
    text = text.strip()
    file_ids = tuple(file_ids)
    if not text and not file_ids:
        raise InputRefused("note_empty", _("Write something first."), field="text")
    if len(text) > MOST_CHARS:
        raise InputRefused("note_too_long", _("A note may have at most 20,000 characters."), field="text")
    with changing_case(viewer, number, "note", also_merged=True) as change:
        note = Message.objects.create(
            workspace_id=viewer.workspace_id,
            case_id=change.case.id,
            direction="note",
            author_agent_id=viewer.agent_id,
            author_name=viewer.name,
            text=text,
            at=change.now,
        )
        attach_files(viewer.workspace_id, note, file_ids, tuple(file_names))
        search.index_messages([(note.id, viewer.workspace_id, change.case.id, note.at, f"{viewer.name} {text}")])
        _ask_mentioned(change, text)
        change.save("noted", undoable=False)
        change.record("message.written", message_id=note.id)
        return note


def _ask_mentioned(change: CaseChange, text: str) -> None:
    if "@" not in text:
        return
    agent_ids = mentioned_agents(change.case.workspace_id, text)
    change.let_read(agent_id for agent_id in agent_ids if agent_id != change.agent_id)
    change.notify(agent_ids, "mention")


def mentioned_agents(workspace_id: int, text: str) -> list[int]:
    """Active agents named by `@name`, themselves or by their team, in id order. Three statements."""
    agents = dict(Agent.objects.filter(workspace_id=workspace_id, is_active=True).values_list("id", "name"))
    teams = dict(Team.objects.filter(workspace_id=workspace_id).values_list("id", "name"))
    named = {(name.casefold(), ("agent", agent_id)) for agent_id, name in agents.items()}
    named |= {(name.casefold(), ("team", team_id)) for team_id, name in teams.items()}
    found = names_after_at(text, named)
    team_ids = {subject_id for kind, subject_id in found if kind == "team"}
    members = (
        set(
            Agent.objects.filter(workspace_id=workspace_id, is_active=True, teams__in=team_ids).values_list(
                "id", flat=True
            )
        )
        if team_ids
        else set()
    )
    return sorted(members | {subject_id for kind, subject_id in found if kind == "agent"})


def names_after_at(text: str, named: Iterable[tuple[str, tuple[str, int]]]) -> set[tuple[str, int]]:
    """Subjects whose whole name follows an @, the longest name at each place. Pure."""
    folded = text.casefold()
    longest_first = sorted(named, key=lambda entry: -len(entry[0]))
    found: set[tuple[str, int]] = set()
    for at in _AT.finditer(folded):
        rest = folded[at.end() :]
        length = next(
            (len(name) for name, _subject in longest_first if rest.startswith(name) and _ends_word(rest, len(name))), 0
        )
        found |= {
            subject for name, subject in longest_first if length and len(name) == length and rest.startswith(name)
        }
    return found


def _ends_word(text: str, end: int) -> bool:
    return end >= len(text) or not (text[end].isalnum() or text[end] == "_")
