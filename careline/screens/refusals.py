"""A refusal in plain words: a page for people, JSON for scripts. The code is for machines, the message for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from careline.errors import CarelineError, InputRefused, RateLimited


def is_fetch(request: HttpRequest) -> bool:
    """Whether a script asked (our modules name the fragment they want) and not a person following a link."""
    return "X-Fragment" in request.headers or request.headers.get("Accept", "").startswith("application/json")


def render_refusal(request: HttpRequest, refused: CarelineError) -> HttpResponse:
    """The answer for an error of our tree."""
    if is_fetch(request):
        return _as_json(refused)
    if not hasattr(request, "viewer"):  # refused before our middleware saw it
        request.viewer = None  # type: ignore[attr-defined]
    return _page(request, refused.status, refused.message, refused.code)


def _as_json(refused: CarelineError) -> JsonResponse:
    body: dict[str, object] = {"code": refused.code, "message": refused.message}
    if isinstance(refused, InputRefused) and refused.field:
        body["field"] = refused.field
    answer = JsonResponse(body, status=refused.status)
    if isinstance(refused, RateLimited):
        answer.headers["Retry-After"] = str(round(refused.retry_after_s))
    return answer


def _page(request: HttpRequest, status: int, message: str, code: str) -> HttpResponse:
    facts = {"status": status, "heading": _heading(status), "message": message if message != code else _advice(status)}
    return render(request, "refusal.html", facts, status=status)


def _heading(status: int) -> str:
    return {
        400: _("That cannot be used"),
        401: _("Please sign in"),
        403: _("Not for your role"),
        404: _("There is nothing here"),
        409: _("Someone was faster"),
        413: _("That is too large"),
        422: _("That cannot be used"),
        429: _("Too many at once"),
        503: _("Busy for a moment"),
    }.get(status, _("Something went wrong on our side"))


def _advice(status: int) -> str:
    if status == 404:
        return _(
            "The address may be old, or the case belongs to a team you are not in. Go back to the inbox, or search."
        )
    if status == 403:
        return _("Ask an owner or admin of the workspace.")
    if status >= 500:
        return _(
            "Nothing you wrote is lost: drafts are kept on the server. Try again; if it stays, tell your administrator."
        )
    return _("Go back, check what you entered, and try again.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 400."""
    return render_refusal(request, CarelineError("bad_request", status=400))


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """Django's 403 and the answer to a missing CSRF token."""
    message = (
        _("This page is too old to be sent. Open it again and repeat; what you typed is still in the draft.")
        if reason
        else ""
    )
    return render_refusal(request, CarelineError("forbidden", message, status=403))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 404."""
    return render_refusal(request, CarelineError("not_found", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500: the error itself is in the log, not on the page."""
    return render_refusal(request, CarelineError("server_error", status=500))
