"""One case on the desk: as a page, as the regions a script swaps, and the frame of a mail's HTML."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from careline.cases.queries.framing import message_html
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.screens.inbox.desk import Desk, open_desk, parse_filters
from careline.screens.inbox.facts import facts_of
from careline.screens.inbox.framing import render_frame
from careline.screens.inbox.told import tell
from careline.screens.inbox.views import PAGE_ROWS
from careline.screens.middleware import WorkspaceRequest

SHOWN_MESSAGES = 200
EARLIER_MESSAGES = 500
# Mail brings its own styles; it may load nothing, run nothing, and send nothing.
FRAME_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"


def show_case(request: WorkspaceRequest, workspace: str, number: int) -> HttpResponse:
    """`GET cases/<n>`: the whole desk; with `X-Fragment: case` only the regions of the case."""
    limit = EARLIER_MESSAGES if "all" in request.GET else SHOWN_MESSAGES
    filters = parse_filters(request.GET)
    if request.headers.get("X-Fragment") == "case":
        shown = _shown(request, number, limit)
        return render(request, "inbox/fragment.html", {**shown, "desk": Desk(request.viewer, filters)})
    # The stream begins at the list's number: what is said while the case is read must come after it.
    page = list_page(request.viewer, filters, limit=PAGE_ROWS)
    shown = _shown(request, number, limit)
    return render(request, "inbox/page.html", {**shown, "desk": open_desk(request.viewer, filters), "page": page})


def _shown(request: WorkspaceRequest, number: int, limit: int) -> dict[str, object]:
    pane = open_case(request.viewer, number, limit=limit)
    return {"pane": pane, "told": tell(pane), "case_facts": facts_of(pane, request.viewer)}


def show_message_html(request: WorkspaceRequest, workspace: str, message: int) -> HttpResponse:
    """`GET messages/<id>/html`: cleaned mail in a document of its own, shown only in our sandboxed frame."""
    found = message_html(request.viewer, message)
    answer = HttpResponse(render_frame(request.viewer, found))
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
