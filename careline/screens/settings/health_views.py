"""One channel's health: its card at full length, dead letters, the live check, hold and resume, replay."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from careline.channels.actions import holding
from careline.channels.actions.checking import check_channel
from careline.channels.queries import access_channel
from careline.errors import NotFound
from careline.intake.deadletters import PAGE, count_dead, list_dead, replay, reveal
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.channel_forms import ReplayForm
from careline.screens.settings.channel_views import card_of, hook_address, page_tag, take_secrets
from careline.screens.settings.pages import done, refused, render_settings, status_of
from careline.screens.settings.phrases import health_words, reason_words
from careline.workspaces.queries import access_workspace
from careline.workspaces.roles import check_may, may

_ACTS = {
    "hold": holding.hold_channel,
    "resume": holding.resume_channel,
    "off": holding.switch_off,
    "on": holding.switch_on,
}


@require_safe
def show_channel(request: WorkspaceRequest, workspace: str, channel: int) -> HttpResponse:
    """Everything about one channel."""
    check_may(request.viewer.role, "see_channels")
    return _page(request, channel, ReplayForm())


def _page(request: WorkspaceRequest, channel_id: int, form: ReplayForm) -> HttpResponse:
    viewer = request.viewer
    row = access_channel(viewer.workspace_id, channel_id)
    before = request.GET.get("before", "")
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    letters = list_dead(viewer.workspace_id, row.id, before_id=before_id)
    may_manage = may(viewer.role, "manage_channels")
    facts = {
        "card": card_of(row, count_dead(viewer.workspace_id).get(row.id, 0)),
        "letters": [(letter, reason_words(letter.reason)) for letter in letters],
        "next_id": letters[-1].id if len(letters) == PAGE else None,
        "form": form,
        "may_manage": may_manage,
        "may_replay": may(viewer.role, "replay"),
        "hook_address": hook_address(row) if may_manage else "",
        "page_tag": page_tag(row) if may_manage else "",
        "shown_once": take_secrets(request, row.id) if may_manage else {},
    }
    return render_settings(request, "channel.html", "channels", facts, status=status_of(form))


@require_POST
def act_on_channel(request: WorkspaceRequest, workspace: str, channel: int, act: str) -> HttpResponse:
    """Hold, resume, off, on."""
    if act not in _ACTS:
        raise NotFound("page_not_found")
    if act == "hold":
        holding.hold_channel(request.viewer, channel, request.POST.get("reason", ""))
    else:
        _ACTS[act](request.viewer, channel)
    words = {
        "hold": _("Held. What platforms send is kept; nothing is fetched or sent."),
        "resume": _("Resumed. What waited goes out now."),
        "off": _("Switched off."),
        "on": _("Switched on."),
    }
    return done(request, words[act], "channel", workspace=workspace, channel=channel)


@require_POST
def check(request: WorkspaceRequest, workspace: str, channel: int) -> HttpResponse:
    """The live check with the stored secrets."""
    found = check_channel(request.viewer, channel)
    say = done if found.ok else refused
    detail = f" ({found.detail})" if found.detail and not found.ok else ""
    return say(request, health_words(found) + detail, "channel", workspace=workspace, channel=channel)


@require_POST
def replay_letters(request: WorkspaceRequest, workspace: str, channel: int) -> HttpResponse:
    """Chosen letters, or a range by time; the form comes back when the range makes no sense."""
    viewer = request.viewer
    check_may(viewer.role, "replay")
    access_channel(viewer.workspace_id, channel)
    chosen = [int(one) for one in request.POST.getlist("letter") if one.isascii() and one.isdigit() and len(one) < 19]
    form = ReplayForm(request.POST)
    if not chosen and not form.is_valid():
        return _page(request, channel, form)
    zone = access_workspace(viewer.workspace_id).zone
    try:
        count = replay(viewer, chosen or form.range_of(channel, zone))
    except NotFound as nothing:
        return refused(request, nothing.message, "channel", workspace=workspace, channel=channel)
    words = ngettext("%(n)d delivery is being digested again.", "%(n)d deliveries are being digested again.", count)
    return done(request, words % {"n": count}, "channel", workspace=workspace, channel=channel)


@require_safe
def download_letter(request: WorkspaceRequest, workspace: str, letter: int) -> HttpResponse:
    """The raw bytes, as a file that no browser renders; every look is audited."""
    raw = reveal(request.viewer, letter)
    answer = HttpResponse(raw, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="dead-letter-{letter}.bin"'
    return answer
