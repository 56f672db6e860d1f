"""The banner and the page of spikes, and a lead's word that one is none."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from careline.cases.queries.spiking import list_spikes, open_spikes
from careline.screens.inbox.desk import number
from careline.screens.inbox.resources import Done, resource, said
from careline.screens.middleware import WorkspaceRequest
from careline.screens.spikes.wording import words
from careline.triage.actions.dismissing import dismiss_spike, restore_spike


def show_spikes(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET spikes?before=`: what goes on, then what was. For a script the banner or the lists alone, as `X-Fragment` says."""
    wanted = request.headers.get("X-Fragment", "")
    if wanted == "banner":
        return render(request, "spikes/banner.html", {"spikes": open_spikes(request.viewer), "words": words})
    page = list_spikes(request.viewer, number(request.GET.get("before")))
    template = "spikes/list.html" if wanted == "list" else "spikes/page.html"
    return render(request, template, {"page": page, "words": words})


def dismiss(request: WorkspaceRequest, spike: int) -> HttpResponse:
    """`POST spikes/<id>/dismissal`."""
    dismiss_spike(request.viewer, spike)
    return said(Done(words=_("Dismissed")))


def restore(request: WorkspaceRequest, spike: int) -> HttpResponse:
    """`DELETE spikes/<id>/dismissal`."""
    restore_spike(request.viewer, spike)
    return said(Done(words=_("Taken back")))


dismissal_of_spike = resource(POST=dismiss, DELETE=restore)
