"""Channels: a card each, connecting a new one step by step with a live check, changing one."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from careline.channels import registry
from careline.channels.access import open_secrets, seal_secrets
from careline.channels.actions.checking import check_values, introduce_channel, introduce_values
from careline.channels.actions.connecting import Connected, change_channel, connect_channel, keep_introduction
from careline.channels.base import ChannelView, Health, Introduced, Network
from careline.channels.models import Channel
from careline.channels.queries import access_channel, list_channels, network_choices, token_end
from careline.errors import ChannelError
from careline.intake.deadletters import count_dead
from careline.kit import ids
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.channel_forms import ChannelForm, ConnectForm, is_made_here
from careline.screens.settings.pages import attempt, done, render_settings, status_of
from careline.screens.settings.phrases import health_words, proof_words, state_words, window_words
from careline.workspaces.queries import access_workspace, list_brands
from careline.workspaces.roles import check_may, may

_SHOWN_ONCE = "careline.shown_once"


@dataclass(frozen=True)
class Card:
    """A channel as its card shows it, codes already in words."""

    row: Channel
    network: str
    tone: str
    icon: str
    state: str
    proof: str
    windows: tuple[str, ...]
    token_ends_at: str
    dead: int
    cost: str = ""


def card_of(row: Channel, dead: int = 0) -> Card:
    """A card; a channel whose network is no longer installed says so instead of failing."""
    tone, icon, words = state_words(row)
    network = registry.networks().get(row.network)
    if network is None:
        return Card(row, row.network, "late", "plug", _("This network is no longer installed."), "", (), "", dead)
    # As this account has it: plan, server or a granted feature may decide. No secret is needed for that.
    view = ChannelView(row.id, row.workspace_id, row.network, row.account_key, row.name, row.handle, row.settings, {})
    capabilities = network.effective(view)
    rules, cost = tuple(window_words(capabilities)), _(capabilities.cost_note) if capabilities.cost_note else ""
    proof = proof_words(capabilities.proof)
    return Card(row, _(network.name), tone, icon, words, proof, rules, token_end(row), dead, cost)


@require_safe
def show_channels(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """All channels, troubled ones first."""
    viewer = request.viewer
    check_may(viewer.role, "see_channels")
    dead = count_dead(viewer.workspace_id)
    cards = [card_of(row, dead.get(row.id, 0)) for row in list_channels(viewer.workspace_id)]
    facts = {"cards": cards, "may_manage": may(viewer.role, "manage_channels")}
    return render_settings(request, "channels.html", "channels", facts)


@require_safe
def choose_network(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Which network?"""
    check_may(request.viewer.role, "manage_channels")
    offered = [
        (slug, _(name), proof_words(registry.network(slug).capabilities.proof)) for slug, name in network_choices()
    ]
    return render_settings(request, "networks.html", "channels", {"networks": offered})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: WorkspaceRequest, workspace: str, network: str) -> HttpResponse:
    """The guided page.

    `check` only asks the platform; `connect` asks, then connects when it answers (or anyway, if told so).
    """
    viewer = request.viewer
    check_may(viewer.role, "manage_channels")
    chosen = registry.network(network)
    form = ConnectForm(request.POST if request.method == "POST" else None, viewer=viewer, network=chosen)
    made: list[Connected] = []
    health: list[Health] = []
    if request.method == "POST":
        is_checked = attempt(form, lambda: health.append(_check(request, form)))
        wants = request.POST.get("act") == "connect"
        is_fine = is_checked and (health[0].ok or form.cleaned_data["anyway"])
        if wants and is_fine and attempt(form, lambda: _connect(request, form, health, made)) and made:
            _remember_secrets(request, chosen, form, made[0])
            return done(request, _("Connected."), "channel", workspace=workspace, channel=made[0].channel_id)
    facts = {
        **_words_of(chosen),
        "form": form,
        "health": health[0] if health else None,
        "health_words": health_words(health[0]) if health else "",
        "has_brands": bool(list_brands(viewer.workspace_id)),
        "row": None,
    }
    return render_settings(request, "connect.html", "channels", facts, status=status_of(form))


def _check(request: WorkspaceRequest, form: ConnectForm) -> Health:
    return check_values(request.viewer, form.network.slug, form.values(), account_key=form.account())


def _connect(request: WorkspaceRequest, form: ConnectForm, health: list[Health], made: list[Connected]) -> None:
    """Introduces the account first: a refusal by the platform is shown as its health, unless "anyway" was chosen."""
    token = ids.new_token()
    introduced = Introduced()
    knocks = form.network.capabilities.inbound.handshake != "none"
    try:
        introduced = introduce_values(
            request.viewer,
            form.network.slug,
            form.values(),
            hook_token="" if knocks else token,
            account_key=form.account(),
        )
    except ChannelError as refused:
        health[:] = [Health(ok=False, code=refused.code, detail=refused.message)]
        if not form.cleaned_data["anyway"]:
            return
    made.append(
        connect_channel(
            request.viewer,
            network_slug=form.network.slug,
            arrangement=form.arrangement(),
            values=form.values(),
            import_from=form.starts_at(access_workspace(request.viewer.workspace_id).zone),
            account_key=form.account(),
            introduced=introduced,
            hook_token=token,
        )
    )
    if knocks:
        _introduce_again(request, made[0].channel_id)


def _introduce_again(request: WorkspaceRequest, channel_id: int) -> None:
    """With its address; what the platform refuses of that is said by the card's live check."""
    with suppress(ChannelError):
        keep_introduction(request.viewer, channel_id, introduce_channel(request.viewer, channel_id))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: WorkspaceRequest, workspace: str, channel: int) -> HttpResponse:
    """Change a channel; secrets left empty stay."""
    viewer = request.viewer
    check_may(viewer.role, "manage_channels")
    row = access_channel(viewer.workspace_id, channel)
    network = registry.network(row.network)
    form = ChannelForm(request.POST if request.method == "POST" else None, viewer=viewer, network=network, row=row)
    health: list[Health] = []
    if request.method == "POST" and request.POST.get("act") == "check":
        attempt(form, lambda: health.append(check_values(viewer, row.network, form.values(), channel_id=row.id)))
    elif request.method == "POST" and attempt(form, lambda: _change(request, row, form)):
        return done(request, _("Saved."), "channel", workspace=workspace, channel=row.id)
    facts = {
        **_words_of(network),
        "form": form,
        "health": health[0] if health else None,
        "health_words": health_words(health[0]) if health else "",
        "has_brands": True,
        "row": row,
    }
    return render_settings(request, "connect.html", "channels", facts, status=status_of(form))


def _change(request: WorkspaceRequest, row: Channel, form: ChannelForm) -> None:
    change_channel(request.viewer, row.id, arrangement=form.arrangement(), values=form.values())
    _introduce_again(request, row.id)


def _words_of(network: Network) -> dict[str, object]:
    return {
        "network": network,
        "proof": proof_words(network.capabilities.proof),
        "windows": window_words(network.capabilities),
        "cost": _(network.capabilities.cost_note) if network.capabilities.cost_note else "",
        "made_here": [f"set_{field.name}" for field in network.fields if is_made_here(network, field)],
    }


def _remember_secrets(request: WorkspaceRequest, network: Network, form: ChannelForm, made: Connected) -> None:
    """Secrets we proposed are shown once more on the next page; until then they lie sealed in the session."""
    values = form.values()
    shared = {field.label: values[field.name] for field in network.fields if is_made_here(network, field)}
    sealed = base64.b64encode(seal_secrets({label: value for label, value in shared.items() if value})).decode()
    request.session[_SHOWN_ONCE] = {"channel": made.channel_id, "sealed": sealed}


def take_secrets(request: WorkspaceRequest, channel_id: int) -> dict[str, str]:
    """What `_remember_secrets` kept for this channel, once."""
    kept = request.session.get(_SHOWN_ONCE)
    if not isinstance(kept, dict) or kept.get("channel") != channel_id:
        return {}
    del request.session[_SHOWN_ONCE]
    return open_secrets(base64.b64decode(str(kept["sealed"])))


def hook_address(row: Channel) -> str:
    """Where the platform posts to, whole; empty for networks that are only fetched."""
    network = registry.networks().get(row.network)
    if network is None or "webhook" not in network.capabilities.inbound.modes:
        return ""
    return f"{settings.BASE_URL}/hooks/{row.network}/{row.connection.hook_token}"


def page_tag(row: Channel) -> str:
    """The one script tag for the administrator's own pages; empty for networks without one."""
    network = registry.networks().get(row.network)
    return network.page_tag(settings.BASE_URL, row.connection.hook_token) if network is not None else ""
