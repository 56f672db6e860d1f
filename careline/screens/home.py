"""The front doors: of the house, to the only workspace or a choice between several; of a workspace, to its inbox."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from careline.workspaces.queries import workspaces_of


def show_home(request: HttpRequest) -> HttpResponse:
    """`/`. Nobody signed in: the sign-in page."""
    if not request.user.is_authenticated:
        return redirect(settings.LOGIN_URL)
    found = workspaces_of(request.user.pk)
    if len(found) == 1:
        return redirect("inbox", workspace=found[0].slug)
    return render(request, "chooser.html", {"workspaces": found})


def show_workspace(request: HttpRequest, workspace: str) -> HttpResponse:
    """`/w/<workspace>/`, as it is printed and bookmarked. The middleware has asked who it is."""
    return redirect("inbox", workspace=workspace)
