"""Everything said with one person, over all channels and cases the viewer may see, newest first."""

from __future__ import annotations

from datetime import datetime

import msgspec

from careline.cases.queries.naming import names_of
from careline.cases.queries.persons import check_sees_person
from careline.cases.queries.visible import visible_cases
from careline.threads.models import Message
from careline.threads.personal import hide
from careline.threads.queries import attachments_of, moment_of
from careline.workspaces.sight import Viewer

MOST_WORDS = 600


class SaidLine(msgspec.Struct, frozen=True):
    """One message of a person's timeline, shortened; its case shows it whole."""

    id: int
    at: datetime
    direction: str
    is_public: bool
    network: str
    channel_name: str
    author_name: str
    text: str
    language: str
    files: int
    is_deleted: bool
    case_number: int
    case_title: str


def person_timeline(
    viewer: Viewer, person_id: int, *, limit: int = 100, before_id: int = 0
) -> tuple[tuple[SaidLine, ...], bool]:
    """The newest `limit` messages (older than `before_id`), and whether there are more. Raises NotFound. Six
    statements.
    """
    check_sees_person(viewer, person_id)
    cases = {one.id: one for one in visible_cases(viewer).filter(person_id=person_id)}
    said = Message.objects.filter(workspace_id=viewer.workspace_id, case_id__in=list(cases)).exclude(direction="event")
    at = moment_of(viewer.workspace_id, before_id) if before_id else None
    said = said.filter(at__lte=at).exclude(id__gte=before_id, at=at) if at is not None else said
    found = list(said.defer("html").order_by("-at", "-id")[: limit + 1])
    shown = found[:limit]
    names = names_of(viewer.workspace_id, (one.author_agent_id for one in shown), (one.channel_id for one in shown))
    files = attachments_of(one.id for one in shown)
    lines = tuple(
        SaidLine(
            id=one.id,
            at=one.at,
            direction=one.direction,
            is_public=one.is_public,
            network=cases[one.case_id or 0].network,
            channel_name=names.channel(one.channel_id),
            author_name=one.author_name or names.agent(one.author_agent_id),
            text=hide(one.text, one.personal)[:MOST_WORDS],
            language=one.language,
            files=len(files.get(one.id, ())),
            is_deleted=one.deleted_at is not None,
            case_number=cases[one.case_id or 0].number,
            case_title=cases[one.case_id or 0].title,
        )
        for one in shown
    )
    return lines, len(found) > limit
