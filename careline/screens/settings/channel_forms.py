"""The guided form of a channel: what every channel has, then the network's own fields."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from careline.channels.actions.connecting import LONGEST_UNDO_S, Arrangement, own_key_field
from careline.channels.actions.filling import FIELD_PREFIX
from careline.channels.base import Network, SettingField
from careline.channels.models import Channel
from careline.intake.deadletters import DeadRange
from careline.workspaces import queries
from careline.workspaces.sight import Viewer

# Secrets proposed where the network signs after Standard Webhooks: nobody should have to invent 24 random bytes.
_MADE_HERE = {"secret", "hook_secret", "signing_secret"}
# Not required, because there are other ways in; still what most people look for first.
_SIGN_IN = {"user", "password", "token"}
USUAL_UNDO_S = 8


class ChannelForm(forms.Form):
    """Name, brand, team, calendar, undo; then `set_<name>` for each field of the network."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("As your agents will see it, for example @air or Service mailbox.")
    )
    brand = forms.TypedChoiceField(label=_("Brand"), coerce=int, help_text=_("The voice it speaks with."))
    team = forms.TypedChoiceField(
        label=_("Team"), coerce=int, required=False, empty_value=None, help_text=_("New cases go to it.")
    )
    calendar = forms.TypedChoiceField(
        label=_("Calendar"), coerce=int, required=False, empty_value=None, help_text=_("Clocks count while it is open.")
    )
    undo_s = forms.IntegerField(
        label=_("Undo for (seconds)"), min_value=0, max_value=LONGEST_UNDO_S, initial=USUAL_UNDO_S,
        help_text=_("A sent message waits this long. 0 on chats, where every second counts."),
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, network: Network, row: Channel | None = None
    ) -> None:
        super().__init__(data, initial=_initial_of(row) if row else _fresh(network))
        self.is_new = row is None
        self.network = network
        self.row = row
        self._offer(viewer)
        for field in network.fields:
            self.fields[f"{FIELD_PREFIX}{field.name}"] = _field_of(field, is_change=row is not None)

    def _offer(self, viewer: Viewer) -> None:
        brands = [(one.id, one.name) for one in queries.list_brands(viewer.workspace_id)]
        teams = [(one.id, one.name) for one in queries.list_teams(viewer.workspace_id)]
        own_hours = sorted(queries.list_calendars(viewer.workspace_id), key=lambda one: not one.hours)
        calendars = [(one.id, one.name) for one in own_hours]
        if self.is_new:
            self.initial.update(team=teams[0][0] if teams else "", calendar=calendars[0][0] if calendars else "")
        self.fields["brand"].choices = brands  # type: ignore[attr-defined] # a ChoiceField
        self.fields["team"].choices = [*teams, ("", _now("nobody's team"))]  # type: ignore[attr-defined] # the same
        self.fields["calendar"].choices = [*calendars, ("", _now("around the clock"))]  # type: ignore[attr-defined] # the same

    def arrangement(self) -> Arrangement:
        """Where the channel belongs."""
        said = self.cleaned_data
        return Arrangement(said["name"], said["brand"], said["team"], said["calendar"], said["undo_s"])

    def values(self) -> dict[str, str]:
        """The network's fields as text."""
        return {
            field.name: _as_text(self.cleaned_data.get(f"{FIELD_PREFIX}{field.name}")) for field in self.network.fields
        }

    def first_fields(self) -> list[forms.BoundField]:
        """The network's fields nobody can do without, for the page."""
        return [self[f"{FIELD_PREFIX}{field.name}"] for field in self.network.fields if _comes_first(field)]

    def more_fields(self) -> list[forms.BoundField]:
        """The others, folded away until one of them is wrong."""
        return [self[f"{FIELD_PREFIX}{field.name}"] for field in self.network.fields if not _comes_first(field)]


class ConnectForm(ChannelForm):
    """For a new channel: also from when to import, and the account's key where no field of the network says it."""

    account_key = forms.CharField(
        label=_("Account"), max_length=200, required=False, widget=forms.TextInput(attrs={"dir": "ltr"}),
        help_text=_("How the platform names this account in its deliveries. Empty when there is only one."),
    )  # fmt: skip
    import_from = forms.DateTimeField(
        label=_("Work on messages from"), required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty means from now on. What is older becomes history: done, no clock, nothing is sent."),
    )  # fmt: skip
    anyway = forms.BooleanField(label=_("Connect although the live check fails"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, network: Network) -> None:
        super().__init__(data, viewer=viewer, network=network)
        if own_key_field(network):
            del self.fields["account_key"]

    def account(self) -> str:
        """The account's key as typed; empty where the network says it."""
        return str(self.cleaned_data.get("account_key", ""))

    def starts_at(self, zone: str) -> datetime | None:
        """When work begins, aware; the field is read in the workspace's zone."""
        typed = self.cleaned_data.get("import_from")
        return typed.replace(tzinfo=ZoneInfo(zone)) if isinstance(typed, datetime) else None


class ReplayForm(forms.Form):
    """A range of dead letters, by time received."""

    first_at = forms.DateTimeField(
        label=_("Received from"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    last_at = forms.DateTimeField(
        label=_("until"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first_at"), self.cleaned_data.get("last_at")
        if first and last and last < first:
            self.add_error("last_at", _now("The end lies before the beginning."))
        return self.cleaned_data

    def range_of(self, channel_id: int, zone: str) -> DeadRange:
        """The range; its times are read in the workspace's zone."""
        at = {name: value.replace(tzinfo=ZoneInfo(zone)) for name, value in self.cleaned_data.items() if value}
        return DeadRange(channel_id, at.get("first_at"), at.get("last_at"))


def _comes_first(field: SettingField) -> bool:
    return field.required or field.name in _SIGN_IN


def _initial_of(row: Channel) -> dict[str, Any]:
    own = {f"{FIELD_PREFIX}{name}": value for name, value in row.settings.items()}
    common = {"name": row.name, "brand": row.brand_id, "undo_s": row.undo_s}
    return {**common, "team": row.team_id or "", "calendar": row.calendar_id or "", **own}


def _fresh(network: Network) -> dict[str, Any]:
    is_chat = any(surface.clock == "webchat" for surface in network.capabilities.surfaces)
    made = {
        f"{FIELD_PREFIX}{field.name}": f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
        for field in network.fields
        if is_made_here(network, field)
    }
    return {"name": _now(network.name), "undo_s": 0 if is_chat else USUAL_UNDO_S, **made}


def is_made_here(network: Network, field: SettingField) -> bool:
    """Whether Careline proposes this secret: both sides only have to share it."""
    return (
        field.kind == "secret"
        and field.name in _MADE_HERE
        and network.capabilities.inbound.verify == "standard_webhooks"
    )


def _field_of(field: SettingField, *, is_change: bool) -> forms.Field:
    label, hint = _now(field.label), _now(field.hint) if field.hint else ""
    common: dict[str, Any] = {"label": label, "help_text": hint, "initial": field.default, "required": False}
    if field.kind == "flag":
        return forms.BooleanField(**{**common, "initial": field.default in {"1", "true", "on", "yes"}})
    if field.kind == "choice":
        return forms.ChoiceField(**common, choices=[(value, _now(words)) for value, words in field.choices])
    if field.kind == "secret":
        kept = _now("Empty keeps the one we have.") if is_change else ""
        widget = forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password", "dir": "ltr"})
        return forms.CharField(**{**common, "help_text": f"{hint} {kept}".strip()}, widget=widget, strip=False)
    kind = "number" if field.kind == "number" else "text"
    attrs = {"type": kind, "dir": "auto", "autocomplete": "off"}
    return forms.CharField(**{**common, "required": False}, widget=forms.TextInput(attrs=attrs))


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)
