"""The log page: who, what was said, and a few things that may be known besides. What was typed survives every refusal."""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from careline.channels.intake_form.forms import FormInput, FormRefused, form_input
from careline.errors import InputRefused
from careline.intake import form_door
from careline.kit import ids
from careline.screens.intake_form.wording import problems_of
from careline.screens.middleware import WorkspaceRequest
from careline.workspaces.roles import check_may, may

NOTE_ID_BYTES = 15


def show_log(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET log`: the form; `POST log`: keep it, then show an empty one with a link to the case."""
    check_may(request.viewer.role, "note")
    desks = form_door.desks(request.viewer)
    if request.method == "POST":
        return _keep(request, desks)
    kept = request.GET.get("kept", "")[:200]
    number = form_door.case_of_note(request.viewer, kept) if kept else 0
    return _log_page(request, desks, _fresh(), kept=bool(kept), number=number)


def _keep(request: WorkspaceRequest, desks: list[form_door.Desk]) -> HttpResponse:
    form = form_input(request.POST.dict())
    chosen = request.POST.get("desk", "")
    channel_id = int(chosen) if chosen.isascii() and chosen.isdigit() else (desks[0].id if desks else 0)
    try:
        key = form_door.log_note(request.viewer, channel_id, form)
    except FormRefused as refused:
        return _log_page(request, desks, form, problems=problems_of(refused), desk=channel_id)
    address = reverse("log", kwargs={"workspace": request.viewer.workspace_slug})
    return HttpResponseRedirect(f"{address}?kept={key}")


def _fresh() -> FormInput:
    return FormInput(id=ids.new_token(NOTE_ID_BYTES))


def _log_page(request: WorkspaceRequest, desks: list[form_door.Desk], form: FormInput, **facts: object) -> HttpResponse:
    shown = {
        "form": msgspec.structs.asdict(form),
        "problems": problems_of(),
        "desks": desks,
        "desk": 0,
        "kept": False,
        "number": 0,
        "zone": form_door.zone_of(request.viewer),
        "may_connect": may(request.viewer.role, "manage_channels"),
        "link": "",
        "link_problem": "",
        **facts,
    }
    return render(request, "intake_form/log.html", shown, status=422 if "problems" in facts else 200)


def partner_links(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`POST log/partner-links`: make a link (shown once), or with `end` let all links so far end."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    desks = form_door.desks(request.viewer)
    chosen, days = request.POST.get("desk", ""), request.POST.get("days", "")
    channel_id = int(chosen) if chosen.isascii() and chosen.isdigit() else 0
    if request.POST.get("end"):
        form_door.end_partner_links(request.viewer, channel_id)
        return _log_page(request, desks, _fresh(), link_problem=_("All links made so far have ended."))
    try:
        days_typed = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0
        path = form_door.make_partner_link(request.viewer, channel_id, request.POST.get("partner", ""), days_typed)
    except InputRefused as refused:
        return _log_page(request, desks, _fresh(), link_problem=refused.message)
    return _log_page(request, desks, _fresh(), link=f"{settings.BASE_URL}{path}")


def show_partner(request: HttpRequest, channel: int, ticket: str) -> HttpResponse:
    """`GET` and `POST partner/<channel>/<ticket>`: two fields for a partner; nothing of the desk is shown."""
    partner = form_door.access_partner(channel, ticket)
    form, problems = _fresh(), problems_of()
    if request.method == "POST":
        form = form_input(request.POST.dict())
        try:
            form_door.log_partner_note(partner, form)
            return HttpResponseRedirect(f"{request.path}?kept=1")
        except FormRefused as refused:
            problems = problems_of(refused)
    shown = {
        "partner": partner,
        "form": msgspec.structs.asdict(form),
        "problems": problems_of(),
        "kept": "kept" in request.GET,
    }
    answer = render(request, "intake_form/partner.html", shown, status=422 if any(problems.values()) else 200)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
