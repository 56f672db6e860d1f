"""Snippets for the composer: the variant in the customer's language, variables filled in for this case."""

from __future__ import annotations

import msgspec
import regex
from django.http import HttpResponse

from careline.cases.queries.opening import open_case
from careline.cases.rows import CasePane
from careline.channels.queries import access_channel
from careline.knowledge.models import Snippet
from careline.knowledge.queries import list_snippets
from careline.screens.inbox.desk import number
from careline.screens.inbox.resources import said
from careline.screens.middleware import WorkspaceRequest
from careline.workspaces.sight import Viewer

_VARIABLE = regex.compile(r"\{\{\s*([a-z_]+\.[a-z_]+)\s*\}\}")


class Offered(msgspec.Struct, frozen=True):
    """A snippet ready to insert. `missing` names variables nobody knows the value of; they stay in the text."""

    id: str
    shortcut: str
    name: str
    text: str
    language: str
    missing: tuple[str, ...]


def show_snippets(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET snippets?case=<n>`."""
    wanted = number(request.GET.get("case"))
    pane = open_case(request.viewer, wanted, limit=1) if wanted else None
    values = values_of(request.viewer, pane)
    wished = (pane.row.language if pane else "", request.viewer.locale)
    return said([offer(one, values, wished) for one in list_snippets(request.viewer.workspace_id)])


def offer(snippet: Snippet, values: dict[str, str], wished: tuple[str, ...]) -> Offered:
    """The variant in the first wished language it has (the case's, then the viewer's), else its first."""
    texts: dict[str, str] = snippet.texts
    language = next((code for code in (*wished, *texts) if texts.get(code)), "")
    text, missing = fill(texts.get(language, ""), values)
    return Offered(str(snippet.id), snippet.shortcut, snippet.name, text, language, missing)


def fill(text: str, values: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its variables, and the names of those without a value."""
    missing = tuple(dict.fromkeys(name for name in _VARIABLE.findall(text) if not values.get(name)))
    return _VARIABLE.sub(lambda match: values.get(match[1]) or match[0], text), missing


def values_of(viewer: Viewer, pane: CasePane | None) -> dict[str, str]:
    """What a variable may say of this case."""
    known = {"agent.name": viewer.name, "agent.first_name": _first(viewer.name)}
    if pane is None:
        return known
    return known | {
        "person.name": pane.row.person_name,
        "person.first_name": _first(pane.row.person_name),
        "case.number": str(pane.row.number),
        "case.title": pane.row.title,
        "channel.name": pane.row.channel_name,
        "brand.name": access_channel(viewer.workspace_id, pane.row.channel_id).brand.name,
    }


def _first(name: str) -> str:
    return (name.split(maxsplit=1) or [""])[0]
