"""Notifications of the viewer: listed newest first, and seen."""

from __future__ import annotations

from collections.abc import Collection

from careline.cases.models import Notice
from careline.cases.queries.naming import names_of
from careline.cases.queries.visible import visible_cases
from careline.cases.rows import NoticeView
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.workspaces.sight import Viewer


def list_notices(viewer: Viewer, *, limit: int = 50, before_id: int = 0) -> tuple[NoticeView, ...]:
    """The viewer's notices, newest first, of cases they may still see. Three statements."""
    own = Notice.objects.filter(agent_id=viewer.agent_id, workspace_id=viewer.workspace_id)
    if before_id:
        own = own.filter(id__lt=before_id)
    notices = list(own.order_by("-id")[: max(1, min(limit, 200))])
    seen_cases = visible_cases(viewer).filter(id__in={one.case_id for one in notices})
    cases = {case_id: (number, name) for case_id, number, name in seen_cases.values_list("id", "number", "person_name")}
    names = names_of(viewer.workspace_id, (one.actor_id for one in notices), ())
    return tuple(
        NoticeView(
            id=one.id,
            what=one.what,
            case_number=cases[one.case_id][0],
            person_name=cases[one.case_id][1],
            actor_name=names.agent(one.actor_id),
            at=one.at,
            seen_at=one.seen_at,
        )
        for one in notices
        if one.case_id in cases
    )


def count_unseen(viewer: Viewer) -> int:
    """How many notices the viewer has not seen. One statement."""
    return Notice.objects.filter(
        agent_id=viewer.agent_id, workspace_id=viewer.workspace_id, seen_at__isnull=True
    ).count()


def mark_seen(viewer: Viewer, notice_ids: Collection[int] | None = None, *, case_number: int = 0) -> int:
    """Mark the viewer's own notices seen: these, those of one case, or all. Returns how many were new."""
    with unit_of_work() as work:
        own = Notice.objects.filter(agent_id=viewer.agent_id, workspace_id=viewer.workspace_id, seen_at__isnull=True)
        if notice_ids is not None:
            own = own.filter(id__in=notice_ids)
        if case_number:
            own = own.filter(case_id__in=visible_cases(viewer).filter(number=case_number).values("id"))
        changed = own.update(seen_at=clock.now())
        if changed:
            work.record_event(
                viewer.workspace_id,
                "agent.notified",
                audience=f"only:agent:{viewer.agent_id}",
                agent_id=viewer.agent_id,
                facts={"what": "seen"},
            )
        return changed
