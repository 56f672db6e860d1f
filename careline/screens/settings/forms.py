"""Plain forms for the workspace, agents, clocks and one's own profile; actions judge the words, forms read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from careline.cases.clocks import DEFAULTS, AnswerPolicy
from careline.workspaces.actions.keeping import Retention
from careline.workspaces.actions.presenting import Profile
from careline.workspaces.models import LOCALES, Agent, Team, Workspace

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROLE_WORDS = {
    "owner": _("Owner: everything, and makes owners"),
    "admin": _("Admin: settings, channels, agents"),
    "lead": _("Lead: sees all cases, approves, exports"),
    "agent": _("Agent: answers, in public too"),
    "trainee": _("Trainee: answers in private only"),
    "analyst": _("Analyst: reads and exports"),
    "colleague": _("Colleague: reads and notes where mentioned"),
}
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def zone_names() -> list[str]:
    """Every zone with a place in its name, for suggestions."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))


def zone_field(*, required: bool = True, hint: StrOrPromise = "") -> forms.CharField:
    """A time zone, typed with suggestions."""
    widget = forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false", "dir": "ltr"})
    return forms.CharField(
        label=_("Time zone"), required=required, help_text=hint or _("For example Europe/Madrid."), widget=widget
    )


def split_codes(text: str) -> tuple[str, ...]:
    """`es, en pt` to codes."""
    return tuple(text.replace(",", " ").split())


class WorkspaceForm(forms.Form):
    """The organisation's name, language and zone."""

    name = forms.CharField(label=_("Name"), max_length=120)
    locale = forms.ChoiceField(label=_("Language of system texts"), choices=LOCALES)
    zone = zone_field(hint=_("Figures and days are counted in it."))

    @classmethod
    def of(cls, workspace: Workspace) -> WorkspaceForm:
        """Filled with what is there."""
        return cls(initial={"name": workspace.name, "locale": workspace.locale, "zone": workspace.zone})


class RetentionForm(forms.Form):
    """Days each thing is kept."""

    keep_raw_days = forms.IntegerField(
        label=_("Raw deliveries of platforms"), help_text=_("Days. Dead letters can be replayed while they are kept.")
    )
    keep_events_days = forms.IntegerField(
        label=_("Events"), help_text=_("Days. A screen that was away longer loads afresh.")
    )
    keep_sending_logs_days = forms.IntegerField(label=_("Sending logs"), help_text=_("Days."))
    keep_messages_days = forms.IntegerField(
        label=_("Messages and files"),
        required=False,
        help_text=_("Days. Empty keeps them until a policy says otherwise."),
    )

    @classmethod
    def of(cls, workspace: Workspace) -> RetentionForm:
        """Filled with what is there."""
        return cls(initial={name: getattr(workspace, name) for name in cls.base_fields})

    def retention(self) -> Retention:
        """The cleaned days."""
        return Retention(**self.cleaned_data)


def _role_choices(own_role: str) -> list[tuple[str, object]]:
    return [(role, words) for role, words in ROLE_WORDS.items() if role != "owner" or own_role == "owner"]


class InviteForm(forms.Form):
    """Somebody new: address, role, teams."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label=_("Role"), initial="agent")
    team_ids = forms.TypedMultipleChoiceField(
        label=_("Teams"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, own_role: str, teams: list[Team]) -> None:
        super().__init__(data)
        self.fields["role"].choices = _role_choices(own_role)  # type: ignore[attr-defined] # a ChoiceField
        self.fields["team_ids"].choices = [(team.id, team.name) for team in teams]  # type: ignore[attr-defined] # the same


class AgentForm(forms.Form):
    """An agent's role and teams."""

    role = forms.ChoiceField(label=_("Role"))
    team_ids = forms.TypedMultipleChoiceField(
        label=_("Teams"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, own_role: str, agent: Agent, teams: list[Team]
    ) -> None:
        mine = [team.id for team in agent.teams.all()]
        super().__init__(data, initial={"role": agent.role, "team_ids": mine})
        choices = _role_choices(own_role)
        if agent.role == "owner" and own_role != "owner":
            choices = [("owner", ROLE_WORDS["owner"])]
        self.fields["role"].choices = choices  # type: ignore[attr-defined] # a ChoiceField
        self.fields["team_ids"].choices = [(team.id, team.name) for team in teams]  # type: ignore[attr-defined] # the same


class ProfileForm(forms.Form):
    """What an agent decides alone."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Customers see it where a reply is signed."))
    locale = forms.ChoiceField(label=_("Language of your screens"), choices=LOCALES)
    zone = zone_field(required=False, hint=_("Empty follows the workspace."))
    languages = forms.CharField(
        label=_("Languages you answer in"), required=False, help_text=_("Codes, for example es, en, pt.")
    )
    signature = forms.CharField(
        label=_("Signature of your e-mails"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    shortcuts_on = forms.BooleanField(label=_("Single keys act (j, k, r, e ...)"), required=False)
    compact_rows = forms.BooleanField(label=_("Compact rows in the list"), required=False)

    @classmethod
    def of(cls, agent: Agent) -> ProfileForm:
        """Filled with what is there."""
        names = ("name", "zone", "signature", "shortcuts_on", "compact_rows")
        return cls(
            initial={
                **{name: getattr(agent, name) for name in names},
                "locale": agent.account.locale,
                "languages": ", ".join(agent.languages),
            }
        )

    def profile(self) -> Profile:
        """The cleaned words."""
        said = self.cleaned_data
        return Profile(**{**said, "languages": split_codes(said["languages"])})


class DurationField(forms.CharField):
    """`15 min`, `4 h`, `40 s`, `2 d`; a bare number is minutes. Cleans to seconds."""

    def clean(self, value: Any) -> int:
        text = super().clean(value).lower().replace(",", ".").strip()
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz. ").strip()
        unit = text[len(number) :].strip(" .") or "min"
        factor = _UNITS.get(
            {"m": "min", "mins": "min", "sec": "s", "hours": "h", "hour": "h", "days": "d"}.get(unit, unit)
        )
        try:
            seconds = float(number) * (factor or 0)
        except ValueError:
            seconds = 0.0
        if not 1 <= seconds <= 10**9:
            raise forms.ValidationError(_now("Write a time such as 40 s, 15 min, 4 h or 2 d."))
        return round(seconds)


def write_duration(seconds: int) -> str:
    """The reverse, in the largest unit that leaves a whole number."""
    unit, factor = next(((name, size) for name, size in reversed(_UNITS.items()) if seconds % size == 0), ("s", 1))
    return f"{seconds // factor} {unit}"


CLOCK_WORDS = {
    "public": _("Public posts and comments"),
    "private": _("Private messages"),
    "webchat": _("Web chat"),
    "email": _("E-mail"),
    "log": _("Phone, counter, partner log"),
    "review": _("Reviews"),
    "question": _("Questions in public"),
    "compliment": _("Compliments in public"),
}
_COLUMNS = ("first_target_s", "first_breach_s", "next_s")


class ClocksForm(forms.Form):
    """A row per clock, three times each."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, policies: Mapping[str, AnswerPolicy]) -> None:
        super().__init__(data)
        for name, policy in policies.items():
            for column in _COLUMNS:
                words = CLOCK_WORDS.get(name, name)
                self.fields[f"{name}_{column}"] = DurationField(
                    label=words,
                    initial=write_duration(getattr(policy, column)),
                    widget=forms.TextInput(attrs={"size": 8, "dir": "ltr"}),
                )

    def rows(self) -> list[tuple[object, list[forms.BoundField], str]]:
        """Label, three fields and the default in words, per clock."""
        names = dict.fromkeys(key.split("_first_")[0] for key in self.fields if "_first_" in key)
        return [
            (CLOCK_WORDS.get(name, name), [self[f"{name}_{column}"] for column in _COLUMNS], _default_words(name))
            for name in names
        ]

    def policies(self) -> dict[str, AnswerPolicy]:
        """The cleaned times."""
        return {
            name: AnswerPolicy(*(self.cleaned_data[f"{name}_{column}"] for column in _COLUMNS)) for name in DEFAULTS
        }


def _default_words(name: str) -> str:
    usual = DEFAULTS[name]
    return " · ".join(write_duration(getattr(usual, column)) for column in _COLUMNS)
