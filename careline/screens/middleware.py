"""Once per request: who looks, at which workspace, in which language; refusals become words, as a page or as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation

from careline.errors import CarelineError, SignInRequired
from careline.screens import assets
from careline.screens.refusals import is_fetch, render_refusal
from careline.workspaces.sight import Viewer, access_viewer

_WORKSPACE_ADDRESS = re.compile(r"^/w/([^/]+)(?:/|$)")


def content_security_policy() -> str:
    """Everything from ourselves, nothing inline but our own import map; mail has a frame with a policy of its own."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {assets.import_map_source()}",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class WorkspaceRequest(HttpRequest):
    """A request below /w/<workspace>/ after the middleware: the type views of a workspace take."""

    viewer: Viewer


class WorkspaceMiddleware:
    """Sets `request.viewer` (None outside a workspace) and the language; words refusals; adds the policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.viewer = None  # type: ignore[attr-defined] # set for templates and views
        with translation.override(_language(request)):
            try:
                answer = self._enter(request)
            except CarelineError as refused:
                answer = render_refusal(request, refused)
        answer.headers.setdefault("Content-Security-Policy", content_security_policy())
        answer.headers.setdefault("Cache-Control", "no-store" if request.path.startswith("/w/") else "no-cache")
        return answer

    def _enter(self, request: HttpRequest) -> HttpResponse:
        found = _WORKSPACE_ADDRESS.match(request.path_info)
        if found is None:
            return self._get_response(request)
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        viewer = access_viewer(request.user.pk, found.group(1))
        request.viewer = viewer  # type: ignore[attr-defined]
        with translation.override(viewer.locale):
            return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django asks this when a view raised; other errors keep their way to the 500 page."""
        return render_refusal(request, exception) if isinstance(exception, CarelineError) else None


def _language(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return str(user.locale)
    return translation.get_language_from_request(request)


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if is_fetch(request):
        return render_refusal(
            request,
            SignInRequired("signed_out", translation.gettext("You are signed out. Open the page again to sign in.")),
        )
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={quote(request.get_full_path())}")
