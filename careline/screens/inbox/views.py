"""The reading side of the desk: the page, the list and its rows, counts, what pickers choose from."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from markupsafe import Markup

from careline.cases.queries.listing import list_page, list_rows
from careline.cases.rows import CasePage, CaseRow
from careline.screens import tickets
from careline.screens.inbox import choices
from careline.screens.inbox.desk import counted_views, number, open_desk, parse_filters
from careline.screens.inbox.told import Told
from careline.screens.middleware import WorkspaceRequest
from careline.screens.templating import fragment

PAGE_ROWS = 50
MOST_WANTED_ROWS = 100


def show_inbox(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET inbox?view=...`: the desk without a case."""
    filters = parse_filters(request.GET)
    page = list_page(request.viewer, filters, limit=PAGE_ROWS)
    shown = {"desk": open_desk(request.viewer, filters), "page": page, "pane": None, "told": Told(), "case_facts": ""}
    return render(request, "inbox/page.html", shown)


def list_more(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET list?view&cursor`: a page of rows as JSON with HTML."""
    page = list_page(request.viewer, parse_filters(request.GET), request.GET.get("cursor", ""), PAGE_ROWS)
    return JsonResponse({"n": page.n, "next": page.next_cursor, "rows": "".join(_rows_html(request, page))})


def show_rows(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET rows?ids=1,2`: the rows of those cases as far as the viewer may see them; the others are gone."""
    wanted = [found for found in map(number, request.GET.get("ids", "").split(",")) if found][:MOST_WANTED_ROWS]
    rows = list_rows(request.viewer, wanted)
    html = {str(row.id): render_row(row, workspace, request.viewer.locale) for row in rows}
    return JsonResponse({"rows": html, "gone": [str(one) for one in wanted if str(one) not in html]})


def show_counts(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET counts`: how many cases each view of the bar lists."""
    return JsonResponse({"counts": {view.key: view.count for view in counted_views(request.viewer)}})


def show_choices(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET choices`: agents, teams, channels, tags and languages, for pickers, filters and the palette."""
    return HttpResponse(msgspec.json.encode(choices.choices_of(request.viewer)), content_type="application/json")


def show_tickets(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET tickets`: fresh ones for a screen that stayed open longer than they last."""
    return JsonResponse(
        {"stream": tickets.stream_ticket(request.viewer), "upload": tickets.upload_ticket(request.viewer)}
    )


def show_keyboard(request: HttpRequest, workspace: str) -> HttpResponse:
    """`GET keyboard`: the map of keys, to look at and to change."""
    return render(request, "inbox/keyboard.html")


def _rows_html(request: WorkspaceRequest, page: CasePage) -> list[Markup]:
    return [render_row(row, request.viewer.workspace_slug, request.viewer.locale) for row in page.rows]


@lru_cache(maxsize=8192)
def render_row(row: CaseRow, workspace: str, locale: str) -> Markup:
    """One row of the list, for page, answer and push: the same for everybody who may see it, so it is kept."""
    with translation.override(locale):
        return fragment("inbox/row.html", "row", row, workspace)
