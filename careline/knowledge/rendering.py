"""A snippet as it stands in the composer: the variant of the customer's language, its variables filled in. No template
engine, nothing is executed.
"""

from __future__ import annotations

from typing import Final

import msgspec
import regex

from careline.cases.models import Case
from careline.channels.models import Channel
from careline.knowledge.models import Snippet
from careline.people.models import Person
from careline.workspaces.sight import Viewer

_VARIABLE: Final = regex.compile(r"\{\{\s*([a-z_]+\.[a-z_]+)\s*\}\}")
FALLBACK_LANGUAGE: Final = "en"


class RenderedSnippet(msgspec.Struct, frozen=True):
    """`text` is ready to send; `missing` names variables that have no value here and stayed as they were written."""

    snippet_id: int
    language: str
    text: str
    missing: tuple[str, ...]


def variant_of(snippet: Snippet, language: str) -> tuple[str, str]:
    """(language, text): the language itself, then without its region, then English, then the first. Pure."""
    texts = {str(code): str(text) for code, text in snippet.texts.items() if text}
    for code in (language, language.split("-", 1)[0], FALLBACK_LANGUAGE):
        if code and code in texts:
            return code, texts[code]
    first = min(texts, default="")
    return first, texts.get(first, "")


def fill(text: str, values: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Put values in place of `{{name.part}}`; unknown and empty ones stay and are named. Values are never read again.
    Pure.
    """
    missing: list[str] = []

    def value_of(found: regex.Match[str]) -> str:
        name = str(found[1])
        if values.get(name):
            return values[name]
        missing.append(name)
        return str(found[0])

    return _VARIABLE.sub(value_of, text), tuple(dict.fromkeys(missing))


def values_for(case: Case, viewer: Viewer) -> dict[str, str]:
    """What variables stand for in a case. Two statements."""
    person = Person.objects.filter(id=case.person_id, workspace_id=case.workspace_id).first()
    channel = Channel.objects.select_related("brand").filter(id=case.channel_id, workspace_id=case.workspace_id).first()
    name = person.name if person else ""
    return {
        "person.name": name,
        "person.first_name": first_name(name),
        "agent.name": viewer.name,
        "agent.first_name": first_name(viewer.name),
        "brand.name": channel.brand.name if channel else "",
        "channel.name": channel.name if channel else "",
        "case.number": str(case.number),
    }


def first_name(name: str) -> str:
    """The first word of a name; '' for an address or a handle, which nobody wants to be greeted by."""
    first = name.split(maxsplit=1)[0] if name.split() else ""
    return "" if "@" in first or any(char.isdigit() for char in first) else first


def render(snippet: Snippet, case: Case, viewer: Viewer) -> RenderedSnippet:
    """A snippet for a case, in the case's language. Two statements."""
    language, text = variant_of(snippet, case.language)
    filled, missing = fill(text, values_for(case, viewer))
    return RenderedSnippet(snippet.id, language, filled, missing)
