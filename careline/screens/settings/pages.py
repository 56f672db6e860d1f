"""What every settings page does: render in the frame, run an action and put its refusal beside the field, say what was
done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from careline.channels.queries import troubled_channels
from careline.errors import Conflict, InputRefused
from careline.screens.accounts.mailing import is_configured
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.sections import lines_for
from careline.workspaces.queries import is_installation_held
from careline.workspaces.roles import may


def render_settings(
    request: WorkspaceRequest, template: str, section: str, facts: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    """A page in the settings' frame, with its side list, what was just done, and the banner of troubled channels. A template of
    another folder is named with it.
    """
    viewer = request.viewer
    sees_channels = may(viewer.role, "see_channels")
    frame = {
        "section": section,
        "lines": lines_for(viewer),
        "said": list(messages.get_messages(request)),
        "troubled": troubled_channels(viewer.workspace_id) if sees_channels else [],
        "mail_is_configured": is_configured(),
        "is_held": sees_channels and is_installation_held(),
    }
    named = template if "/" in template else f"settings/{template}"
    return render(request, named, {**frame, **facts}, status=status)


def attempt(form: forms.Form, act: Callable[[], object]) -> bool:
    """Run an action for a valid form. A refusal lands on the field it names; what was typed stays."""
    if not form.is_valid():
        return False
    try:
        act()
    except InputRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        return False
    except Conflict as refused:
        form.add_error(None, refused.message)
        return False
    return True


def status_of(*shown: forms.Form) -> int:
    """422 when a form came back with errors, so that scripts and tests can tell."""
    return 422 if any(form.is_bound and form.errors for form in shown) else 200


def done(request: HttpRequest, words: str, name: str, **parts: object) -> HttpResponseRedirect:
    """Say what was done on the page that is shown next."""
    messages.success(request, words or _("Saved."))
    return HttpResponseRedirect(reverse(name, kwargs=parts))


def refused(request: HttpRequest, words: str, name: str, **parts: object) -> HttpResponseRedirect:
    """Say why something could not be done, on the page that is shown next."""
    messages.error(request, words)
    return HttpResponseRedirect(reverse(name, kwargs=parts))
