"""Addresses of all screens. Those of a workspace begin /w/<workspace>/."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from careline.screens.home import show_home, show_workspace

_OWN = [
    "careline.screens.inbox.urls",
    "careline.screens.lead.urls",
    "careline.screens.spikes.urls",
    "careline.screens.people.urls",
    "careline.screens.settings.urls",
    "careline.screens.triage.urls",
    "careline.screens.intake_form.urls",
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", show_home, name="home"),
    *(path("", include("careline.screens.accounts.urls")) for _ in (1,) if find_spec("careline.screens.accounts.urls")),
    path("w/<slug:workspace>/", show_workspace, name="workspace"),
    path("", include("careline.screens.intake_form.partner_urls")),
    path("accounts/", include("allauth.urls")),
    *(path("w/<slug:workspace>/", include(module)) for module in _OWN if find_spec(module)),
]

handler400 = "careline.screens.refusals.bad_request"
handler403 = "careline.screens.refusals.forbidden"
handler404 = "careline.screens.refusals.not_found"
handler500 = "careline.screens.refusals.server_error"
