"""Search over words of messages and case cards, newest first, permission inside the query."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from careline.cases.models import Case
from careline.cases.queries.narrowing import narrow, view_condition
from careline.cases.queries.visible import visible_cases
from careline.cases.rows import ListFilters
from careline.kit.pagination import decode_cursor, encode_cursor
from careline.threads import search
from careline.workspaces.sight import Viewer

# A case may match by several messages: read so many matches for one row wanted.
_MATCHES_PER_ROW = 4


def search_page(viewer: Viewer, filters: ListFilters, cursor: str, limit: int) -> tuple[list[Case], str]:
    """Cases with a match, by their newest match; view "all" (or '') searches every state. One statement, two from the
    second page on.
    """
    before = int(decode_cursor(cursor, int)[0]) if cursor else 0
    matches = _matches(viewer, filters, before)
    if matches is None:
        return [], ""
    wanted = limit * _MATCHES_PER_ROW
    hits = list(matches[:wanted])
    page, last_hit = _distinct(hits, limit, _shown_before(viewer, filters, hits, before))
    is_over = len(hits) < wanted and (not hits or last_hit == _hit(hits[-1]))
    return page, "" if is_over else encode_cursor(last_hit)


def _matches(viewer: Viewer, filters: ListFilters, before: int) -> QuerySet[Case] | None:
    condition = search.match_condition(filters.query, before=before)
    if condition is None:
        return None
    cases = narrow(visible_cases(viewer).filter(merged_into_id__isnull=True), filters)
    if filters.view not in {"", "all"}:
        cases = cases.filter(view_condition(viewer, filters.view))
    parts, values = condition
    # The join streams from the index, newest match first: sorting all matches of a common word took 600 ms at a
    # million (ARCHITECTURE.md).
    return cases.extra(  # noqa: S610 - fixed text, all that was typed is a parameter
        tables=["message_search"],
        where=["message_search.case_id = case_.id", *parts],
        params=values,
        select={"hit": search.id_column()},
        order_by=["-hit"],
    )


def _hit(case: Case) -> int:
    return int(case.hit)  # type: ignore[attr-defined] # selected by _matches


def _distinct(hits: Sequence[Case], limit: int, skip: set[int]) -> tuple[list[Case], int]:
    page: dict[int, Case] = {}
    last_hit = 0
    for case in hits:
        if case.id not in page and case.id not in skip:
            if len(page) == limit:
                break
            page[case.id] = case
        last_hit = _hit(case)
    return list(page.values()), last_hit


def _shown_before(viewer: Viewer, filters: ListFilters, hits: Sequence[Case], before: int) -> set[int]:
    """Of these cases, those that an earlier page showed by a newer match."""
    if not before or not hits:
        return set()
    condition = search.match_condition(filters.query)
    assert condition is not None  # the same words matched a moment ago
    parts, values = condition
    shown = Case.objects.filter(workspace_id=viewer.workspace_id, id__in={case.id for case in hits})
    newer = shown.extra(  # noqa: S610 - fixed text, all that was typed is a parameter
        tables=["message_search"],
        where=["message_search.case_id = case_.id", *parts, f"{search.id_column()} >= %s"],
        params=[*values, before],
    )
    return set(newer.values_list("id", flat=True))
