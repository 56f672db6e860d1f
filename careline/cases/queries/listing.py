"""Lists of cases: keyset pages, rows by id, counts of the views. No joins: everything shown stands on the case row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Count, Q, QuerySet

from careline.cases.models import Case
from careline.cases.queries.naming import Names, names_of
from careline.cases.queries.narrowing import NEWEST_FIRST, narrow, view_condition
from careline.cases.queries.searching import search_page
from careline.cases.queries.visible import audience_of, readers_of, visible_cases
from careline.cases.rows import CasePage, CaseRow, ListFilters
from careline.cases.signs import stands
from careline.events.recording import last_number
from careline.kit.clock import from_epoch
from careline.kit.pagination import decode_cursor, encode_cursor
from careline.workspaces.sight import Viewer

# What a row may warn of, the gravest first.
SHOWN_RISKS: Final = ("harm", "legal", "leaving", "failed_elsewhere")
COUNTED_VIEWS: Final = ("mine", "team", "unassigned", "all", "waiting", "snoozed")
MOST_ROWS: Final = 200


def list_page(viewer: Viewer, filters: ListFilters, cursor: str = "", limit: int = 50) -> CasePage:
    """A page of a view, or of a search when `filters.query` is set. Six statements at most, whatever the number of
    cases.

    Open views follow the queue, done ones and searches newest first. Raises InputRefused for a foreign cursor, NotFound
    for an unknown view.
    """
    limit = max(1, min(limit, MOST_ROWS))
    n = last_number(viewer.workspace_id)
    if filters.query.strip():
        found, next_cursor = search_page(viewer, filters, cursor, limit)
        return CasePage(_rows(viewer.workspace_id, found), next_cursor, n)
    cases = narrow(visible_cases(viewer).filter(merged_into_id__isnull=True), filters).filter(
        view_condition(viewer, filters.view)
    )
    if filters.view in NEWEST_FIRST:
        found, next_cursor = _newest_page(cases, cursor, limit)
    else:
        found, next_cursor = _queue_page(cases, cursor, limit)
    return CasePage(_rows(viewer.workspace_id, found), next_cursor, n)


def _queue_page(cases: QuerySet[Case], cursor: str, limit: int) -> tuple[list[Case], str]:
    if cursor:
        key, last_id = decode_cursor(cursor, int, int)
        cases = cases.filter(queue_key__gte=key).filter(Q(queue_key__gt=key) | Q(id__gt=last_id))
    found = list(cases.order_by("queue_key", "id")[: limit + 1])
    more = len(found) > limit
    return found[:limit], encode_cursor(found[limit - 1].queue_key, found[limit - 1].id) if more else ""


def _newest_page(cases: QuerySet[Case], cursor: str, limit: int) -> tuple[list[Case], str]:
    if cursor:
        at_us, last_id = (int(value) for value in decode_cursor(cursor, int, int))
        at = from_epoch(at_us // 1_000_000).replace(microsecond=at_us % 1_000_000)
        cases = cases.filter(last_at__lte=at).filter(Q(last_at__lt=at) | Q(id__lt=last_id))
    found = list(cases.order_by("-last_at", "-id")[: limit + 1])
    more = len(found) > limit
    return found[:limit], _newest_cursor(found[limit - 1]) if more else ""


def _newest_cursor(case: Case) -> str:
    return encode_cursor(int(case.last_at.timestamp()) * 1_000_000 + case.last_at.microsecond, case.id)


def list_rows(viewer: Viewer, ids: Iterable[int]) -> tuple[CaseRow, ...]:
    """The rows of those cases the viewer may see, in queue order: what a stream sends. Four statements."""
    wanted = list(ids)
    if not wanted:
        return ()
    return _rows(
        viewer.workspace_id,
        list(visible_cases(viewer).filter(id__in=wanted, merged_into_id__isnull=True).order_by("queue_key", "id")),
    )


def rows_for_stream(workspace_id: int, case_ids: Iterable[int]) -> tuple[CaseRow, ...]:
    """Rows for every screen of a workspace, merged cases left out; each frame is then sent by its audience. Four
    statements.
    """
    wanted = list(case_ids)
    if not wanted:
        return ()
    cases = Case.objects.filter(workspace_id=workspace_id, id__in=wanted, merged_into_id__isnull=True)
    return _rows(workspace_id, list(cases.order_by("id")))


def _rows(workspace_id: int, found: Sequence[Case]) -> tuple[CaseRow, ...]:
    names = names_of(workspace_id, (case.assignee_id for case in found), (case.channel_id for case in found))
    readers = readers_of([case.id for case in found]) if found else {}
    return tuple(row_of(case, names, readers.get(case.id, ())) for case in found)


def row_of(case: Case, names: Names, reader_ids: Iterable[int] = ()) -> CaseRow:
    """The row of a case, from its own columns and names already known."""
    return CaseRow(
        id=case.id,
        number=case.number,
        version=case.version,
        person_id=case.person_id,
        person_name=case.person_name,
        channel_id=case.channel_id,
        channel_name=names.channel(case.channel_id),
        network=case.network,
        title=case.title,
        state=case.state,
        waiting_reason=case.waiting_reason,
        outcome=case.outcome,
        team_id=case.team_id or 0,
        assignee_id=case.assignee_id or 0,
        assignee_name=names.agent(case.assignee_id),
        language=case.language,
        is_public=case.is_public,
        is_simulated=case.is_simulated,
        is_harm=case.is_harm,
        reach=case.reach,
        tags=tuple(case.tags),
        last_text=case.last_text,
        last_direction=case.last_direction,
        last_at=case.last_at,
        unanswered_count=case.unanswered_count,
        priority=case.priority,
        queue_key=case.queue_key,
        waiting_since=case.waiting_since,
        due_at=case.due_at,
        due_span_s=case.due_span_s,
        snoozed_until=case.snoozed_until,
        audience=audience_of(case, reader_ids),
        kind=case.kind,
        topic_id=case.topic_id or 0,
        risks=tuple(name for name in SHOWN_RISKS if stands(case.signs, name)),
    )


def counts(viewer: Viewer) -> dict[str, int]:
    """How many cases each working view lists; `simulated_<view>` says how many of them are simulated, `simulated` how
    many open ones there are.

    Done and spam are never counted. One statement, over open and waiting cases alone.
    """
    cases = visible_cases(viewer).filter(state__in=["open", "waiting"], merged_into_id__isnull=True)
    wanted: dict[str, Count] = {}
    for view in COUNTED_VIEWS:
        condition = view_condition(viewer, view)
        wanted[view] = Count("id", filter=condition)
        wanted[f"simulated_{view}"] = Count("id", filter=condition & Q(is_simulated=True))
    found: dict[str, int] = cases.aggregate(**wanted)
    return {**found, "simulated": found["simulated_all"]}
