"""Drafts: what an agent was writing, kept on the server per case, agent and mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.models import Case, Draft
from careline.cases.queries.visible import access_case
from careline.errors import InputRefused
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

MODES: Final = ("public", "private", "note", "compose")
MOST_CHARS: Final = 60_000


def save_draft(viewer: Viewer, number: int, *, mode: str, text: str, facts: Mapping[str, object] | None = None) -> None:
    """Keep a draft; an empty one is forgotten. `facts` are the composer's other fields (thread, subject, files)."""
    check_may(viewer.role, "note")
    if mode not in MODES:
        raise InputRefused("mode_wrong", _("Choose again whether this answer is public or private."), field="mode")
    with unit_of_work() as work:
        case = access_case(viewer, number)
        put_draft(case, viewer.agent_id, mode, text[:MOST_CHARS], facts)
        work.record_event(
            viewer.workspace_id,
            "draft.changed",
            audience=f"only:agent:{viewer.agent_id}",
            case_id=case.id,
            agent_id=viewer.agent_id,
            facts={"mode": mode},
        )


def put_draft(case: Case, agent_id: int, mode: str, text: str, facts: Mapping[str, object] | None = None) -> None:
    """Write or forget a draft in the caller's unit of work. One statement."""
    if not text.strip() and not facts:
        Draft.objects.filter(case_id=case.id, agent_id=agent_id, mode=mode).delete()
        return
    draft = Draft(
        workspace_id=case.workspace_id,
        case_id=case.id,
        agent_id=agent_id,
        mode=mode,
        text=text,
        facts=dict(facts or {}),
        saved_at=clock.now(),
    )
    Draft.objects.bulk_create(
        [draft],
        update_conflicts=True,
        unique_fields=["case_id", "agent_id", "mode"],
        update_fields=["text", "facts", "saved_at"],
    )


def load_draft(viewer: Viewer, number: int, mode: str) -> tuple[str, dict[str, object]]:
    """Text and facts of the viewer's own draft; ('', {}) without one. Two statements."""
    case = access_case(viewer, number)
    found = (
        Draft.objects.filter(case_id=case.id, agent_id=viewer.agent_id, mode=mode).values_list("text", "facts").first()
    )
    return (found[0], dict(found[1])) if found else ("", {})


def drop_draft(viewer: Viewer, number: int, mode: str) -> None:
    """Forget a draft."""
    save_draft(viewer, number, mode=mode, text="")
