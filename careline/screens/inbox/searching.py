"""Search over words, names, numbers and fields: a page for people, short JSON for the palette."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from careline.cases.queries.listing import list_page
from careline.cases.rows import CasePage
from careline.errors import InputRefused
from careline.screens.inbox.desk import Desk, parse_filters
from careline.screens.middleware import WorkspaceRequest

PAGE_ROWS = 50
QUICK_ROWS = 8


def show_search(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET search?q=...`: every state, newest first; with the palette's `Accept` a few as JSON."""
    filters = parse_filters(request.GET, view="all")
    if request.headers.get("Accept", "").startswith("application/json"):
        return _quick(request)
    page = (
        list_page(request.viewer, filters, request.GET.get("cursor", ""), PAGE_ROWS)
        if filters.query.strip()
        else CasePage((), "", 0)
    )
    return render(
        request, "inbox/search.html", {"desk": Desk(request.viewer, filters), "page": page, "query": filters.query}
    )


def _quick(request: WorkspaceRequest) -> HttpResponse:
    filters = msgspec.structs.replace(parse_filters(request.GET, view="all"), view="all")
    try:
        page = list_page(request.viewer, filters, limit=QUICK_ROWS) if filters.query.strip() else CasePage((), "", 0)
    except InputRefused:
        page = CasePage((), "", 0)
    found = [
        {
            "number": row.number,
            "name": row.person_name,
            "words": row.title or row.last_text,
            "person": str(row.person_id),
            "state": row.state,
        }
        for row in page.rows
    ]
    return JsonResponse({"cases": found})
