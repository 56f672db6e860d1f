"""An agent's notifications: the page, the count beside the bell, and marking them seen."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from careline.cases.actions.noticing import count_unseen, list_notices, mark_seen
from careline.cases.rows import NoticeView
from careline.screens.inbox.desk import number
from careline.screens.inbox.resources import ids, read_body, resource
from careline.screens.middleware import WorkspaceRequest

PAGE = 50


def show_notices(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET notices`: newest first. As JSON for a script: the count and the newest few in words."""
    if request.headers.get("Accept", "").startswith("application/json"):
        newest = [
            {"id": str(one.id), "words": words_of(one), "number": one.case_number}
            for one in list_notices(request.viewer, limit=5)
        ]
        return JsonResponse({"unseen": count_unseen(request.viewer), "newest": newest})
    notices = list_notices(request.viewer, limit=PAGE, before_id=number(request.GET.get("before")))
    shown = [(one, words_of(one)) for one in notices]
    older = str(notices[-1].id) if len(notices) == PAGE else ""
    return render(request, "inbox/notices.html", {"notices": shown, "older": older})


def words_of(notice: NoticeView) -> str:
    """A notification as one sentence."""
    facts = {"who": notice.actor_name or "Careline", "name": notice.person_name, "number": notice.case_number}
    known = {
        "assigned": _("%(who)s gave you case %(number)s of %(name)s"),
        "mention": _("%(who)s asks you in case %(number)s of %(name)s"),
        "reply": _("%(name)s answered in case %(number)s"),
        "late": _("The answer in case %(number)s of %(name)s is late"),
    }
    return known.get(notice.what, _("Something changed in case %(number)s of %(name)s")) % facts


class Seen(msgspec.Struct, frozen=True):
    """Which ones: these ids, those of a case, or all."""

    notices: tuple[str, ...] | None = None
    number: int = 0


def see(request: WorkspaceRequest) -> HttpResponse:
    """`POST notices/seen`."""
    wanted = read_body(request, Seen)
    mark_seen(request.viewer, ids(wanted.notices) if wanted.notices is not None else None, case_number=wanted.number)
    return JsonResponse({"unseen": count_unseen(request.viewer)})


seen_notices = resource(POST=see)
