"""The first-owner page `/setup/<token>` and the invitation page `/join/<token>`."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from careline.errors import InputRefused, NotFound
from careline.screens.accounts.forms import OwnerForm, PersonForm
from careline.workspaces.actions.founding import access_owner_invitation, create_owner
from careline.workspaces.actions.inviting import accept_as_account, accept_invitation, access_invitation, has_account
from careline.workspaces.models import Agent, Invitation


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def show_setup(request: HttpRequest, token: str) -> HttpResponse:
    """The first owner: a form, then straight into the empty workspace."""
    access_owner_invitation(token)
    form = OwnerForm(request.POST or None, initial={"locale": _spoken(), "zone": "Europe/Madrid"})
    if request.method == "POST" and form.is_valid():
        try:
            return _sign_in(request, create_owner(token, **form.answers()))
        except InputRefused as refused:
            form.add_error(_field(form, refused), refused.message)
    return _unlogged(render(request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def show_join(request: HttpRequest, token: str) -> HttpResponse:
    """An invitation: a form for newcomers, one button for whoever is signed in, a sign-in for other accounts."""
    invitation = access_invitation(token)
    if has_account(invitation):
        return _join_with_account(request, token, invitation)
    zone = invitation.workspace.zone if invitation.workspace else "UTC"
    form = PersonForm(request.POST or None, initial={"locale": _spoken(), "zone": zone})
    if request.method == "POST" and form.is_valid():
        try:
            return _sign_in(request, accept_invitation(token, **form.cleaned_data))
        except InputRefused as refused:
            form.add_error(_field(form, refused), refused.message)
    facts = {"form": form, "invitation": invitation, "workspace": invitation.workspace}
    return _unlogged(render(request, "accounts/join.html", facts, status=422 if form.errors else 200))


def _join_with_account(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    is_theirs = request.user.is_authenticated and request.user.email == invitation.email
    if request.method == "POST":
        if not (is_theirs and request.user.pk):
            raise NotFound("link_over")
        joined = accept_as_account(token, request.user.pk)
        return HttpResponseRedirect(_desk(joined))
    facts = {"invitation": invitation, "workspace": invitation.workspace, "is_theirs": is_theirs, "here": request.path}
    return render(request, "accounts/join_account.html", facts)


def _sign_in(request: HttpRequest, agent: Agent) -> HttpResponse:
    """With a fresh session and every hook of a usual sign-in."""
    request.session.flush()
    login = Login(user=agent.account, redirect_url=_desk(agent))
    return perform_password_login(request, {"email": agent.account.email}, login)


def _unlogged(answer: HttpResponse) -> HttpResponse:
    """Django logs the address of every 4xx; these addresses hold a link that still works."""
    answer._has_been_logged = True  # type: ignore[attr-defined] # django.utils.log.log_response reads it
    return answer


def _desk(agent: Agent) -> str:
    return reverse("inbox", kwargs={"workspace": agent.workspace.slug})


def _field(form: PersonForm, refused: InputRefused) -> str | None:
    return refused.field if refused.field in form.fields else None


def _spoken() -> str:
    return "es" if (translation.get_language() or "").startswith("es") else "en"
