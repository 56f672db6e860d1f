"""The first-owner and invitation forms."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from careline.workspaces.models import LOCALES

PASSWORD_HINT = _("At least 10 characters. A sentence is easier to remember and harder to guess than a word.")


class PersonForm(forms.Form):
    """What anybody says when they join: name, password, language, zone."""

    name = forms.CharField(label=_("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=PASSWORD_HINT,
        widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"}),
    )
    locale = forms.ChoiceField(label=_("Language"), choices=LOCALES)
    zone = forms.CharField(
        label=_("Time zone"),
        help_text=_("For example Europe/Madrid or America/Bogota."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )

    @property
    def zones(self) -> list[str]:
        """Every zone with a place in its name, for the suggestions."""
        return sorted(
            zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
        )


class OwnerForm(PersonForm):
    """The first owner also names the workspace."""

    workspace_name = forms.CharField(
        label=_("Name of your organisation"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    field_order = ("workspace_name", "name", "email", "password", "locale", "zone")

    def answers(self) -> dict[str, Any]:
        """The cleaned values by the names `create_owner` takes."""
        return dict(self.cleaned_data)
