"""One case on the desk: as a page, as the regions a script swaps, and the frame of a mail's HTML."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from careline.cases.queries.framing import message_html
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.screens.inbox.desk import Desk, open_desk, parse_filters
from careline.screens.inbox.desk import number as row_id
from careline.screens.inbox.facts import facts_of
from careline.screens.inbox.framing import render_frame
from careline.screens.inbox.told import tell
from careline.screens.inbox.views import PAGE_ROWS
from careline.screens.middleware import WorkspaceRequest

# What a case opens with, and what each look further back brings: with 200 the first paint took half as long again, for words few scroll to.
SHOWN_MESSAGES = 100
# Mail brings its own styles; it may load nothing, run nothing, and send nothing.
FRAME_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"


def show_case(request: WorkspaceRequest, workspace: str, number: int) -> HttpResponse:
    """`GET cases/<n>`: the whole desk; with `X-Fragment: case` only the regions of the case, with `X-Fragment: earlier` only what was said before
    message `before`. `from=<message>` asks for as much as it takes to reach back to that one.
    """
    filters = parse_filters(request.GET)
    fragment = request.headers.get("X-Fragment")
    if fragment in {"case", "earlier"}:
        return render(
            request, f"inbox/{fragment}_fragment.html", _shown(request, number, Desk(request.viewer, filters))
        )
    # The stream begins at the list's number: what is said while the case is read must come after it.
    page = list_page(request.viewer, filters, limit=PAGE_ROWS)
    shown = _shown(request, number, open_desk(request.viewer, filters))
    return render(request, "inbox/page.html", {**shown, "page": page})


def _shown(request: WorkspaceRequest, number: int, desk: Desk) -> dict[str, object]:
    pane = open_case(
        request.viewer,
        number,
        limit=SHOWN_MESSAGES,
        before_id=row_id(request.GET.get("before")) if request.headers.get("X-Fragment") == "earlier" else 0,
        from_id=row_id(request.GET.get("from")),
    )
    return {"pane": pane, "told": tell(pane), "case_facts": facts_of(pane, request.viewer), "desk": desk}


def show_message_html(request: WorkspaceRequest, workspace: str, message: int) -> HttpResponse:
    """`GET messages/<id>/html`: cleaned mail in a document of its own, shown only in our sandboxed frame."""
    found = message_html(request.viewer, message)
    answer = HttpResponse(render_frame(request.viewer, found))
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
