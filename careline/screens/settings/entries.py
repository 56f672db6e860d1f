"""Forms of things kept in lists (teams, brands, calendars, tags, fields, snippets): each knows its row and its
actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from careline.cases.actions import defining
from careline.knowledge.actions import snippets
from careline.screens.settings.forms import split_codes, zone_field
from careline.screens.templating import language_name
from careline.workspaces import queries
from careline.workspaces.actions import branding, grouping, opening
from careline.workspaces.sight import Viewer

DAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
COLOR_WORDS = {
    "": _("none"),
    "action": _("teal"),
    "public": _("orange"),
    "late": _("red"),
    "soon": _("amber"),
    "solved": _("green"),
    "auto": _("violet"),
}


class EntryForm(forms.Form):
    """One entry of a list: filled from its row, saved by an action."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, row: Any = None) -> None:
        super().__init__(data, initial=self.initial_of(row) if row is not None else None)
        if row is None and "zone" in self.fields:
            self.initial["zone"] = queries.access_workspace(viewer.workspace_id).zone
        self.viewer = viewer
        self.row = row

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        """The form's values from a row."""
        return {name: getattr(row, name) for name in cls.columns}

    def add(self) -> Model:
        """Save as a new entry."""
        raise NotImplementedError

    def change(self) -> None:
        """Save over the row."""
        raise NotImplementedError


class TeamForm(EntryForm):
    """A team's name and members."""

    columns = ("name",)
    name = forms.CharField(label=_("Name"), max_length=80)
    agent_ids = forms.TypedMultipleChoiceField(
        label=_("Members"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, row: Any = None) -> None:
        super().__init__(data, viewer=viewer, row=row)
        agents = [agent for agent in queries.list_agents(viewer.workspace_id) if agent.is_active]
        self.fields["agent_ids"].choices = [(agent.id, agent.name) for agent in agents]  # type: ignore[attr-defined] # a ChoiceField

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        return {"name": row.name, "agent_ids": queries.team_member_ids(row)}

    def add(self) -> Model:
        return grouping.add_team(self.viewer, self.cleaned_data["name"], self.cleaned_data["agent_ids"])

    def change(self) -> None:
        grouping.change_team(self.viewer, self.row.id, **self.cleaned_data)


class BrandForm(EntryForm):
    """A brand's name and voice."""

    columns = ("name", "sign_off", "formality", "zone", "mail_signature")
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Customers see it."))
    sign_off = forms.CharField(
        label=_("Sign-off"),
        max_length=80,
        required=False,
        help_text=_("Ends e-mails where neither the agent nor the brand has a signature. For example: the Air team."),
    )
    languages = forms.CharField(
        label=_("Languages"), required=False, help_text=_("Codes, the first is the usual one: es, en.")
    )
    formality = forms.ChoiceField(
        label=_("Spanish addresses the customer as"), choices=[("usted", "usted"), ("tu", "tú")], initial="usted"
    )
    zone = zone_field(hint=_("Times told to customers are in it."))
    mail_signature = forms.CharField(
        label=_("Signature of e-mails"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        return {**super().initial_of(row), "languages": ", ".join(row.languages)}

    def _words(self) -> branding.BrandWords:
        said = self.cleaned_data
        return branding.BrandWords(**{**said, "languages": split_codes(said["languages"])})

    def add(self) -> Model:
        return branding.add_brand(self.viewer, self._words())

    def change(self) -> None:
        branding.change_brand(self.viewer, self.row.id, self._words())


class CalendarForm(EntryForm):
    """Open hours by weekday, public holidays, closed days."""

    columns = ("name", "zone", "holidays_country")
    name = forms.CharField(label=_("Name"), max_length=80)
    zone = zone_field(hint=_("The hours below are in it."))
    holidays_country = forms.CharField(
        label=_("Public holidays of"),
        required=False,
        max_length=12,
        help_text=_("A country such as ES, or one with its region such as ES-MD. Empty knows no holidays."),
    )
    closed_days = forms.CharField(
        label=_("Other closed days"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "ltr"}),
        help_text=_("One a line, such as 2027-12-24."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, row: Any = None) -> None:
        super().__init__(data, viewer=viewer, row=row)
        for day, label in enumerate(DAYS):
            widget = forms.TextInput(attrs={"dir": "ltr", "placeholder": _now("closed")})
            self.fields[f"hours_{day}"] = forms.CharField(label=label, required=False, widget=widget)
        self.order_fields(["name", "zone", *(f"hours_{day}" for day in range(7)), "holidays_country", "closed_days"])

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        hours = {f"hours_{day}": opening.render_spans(row.hours.get(str(day), [])) for day in range(7)}
        return {**super().initial_of(row), **hours, "closed_days": "\n".join(row.closed_days)}

    def clean(self) -> dict[str, Any]:
        for day in range(7):
            try:
                self.cleaned_data[f"hours_{day}"] = opening.parse_spans(self.cleaned_data.get(f"hours_{day}", ""))
            except ValueError:
                words = _now("Write hours as 09:00-14:00, 16:00-19:30; each end after its start.")
                self.add_error(f"hours_{day}", words)
        return self.cleaned_data

    def _opening(self) -> opening.Opening:
        said = self.cleaned_data
        hours = {day: said[f"hours_{day}"] for day in range(7) if said[f"hours_{day}"]}
        days = tuple(said["closed_days"].split())
        return opening.Opening(said["name"], said["zone"], hours, said["holidays_country"], days)

    def add(self) -> Model:
        return opening.add_calendar(self.viewer, self._opening())

    def change(self) -> None:
        opening.change_calendar(self.viewer, self.row.id, self._opening())


class TagForm(EntryForm):
    """A tag's word and colour."""

    columns = ("name", "color")
    name = forms.CharField(label=_("Tag"), max_length=40, help_text=_("Small letters; a word or two."))
    color = forms.ChoiceField(label=_("Colour"), choices=list(COLOR_WORDS.items()), required=False)

    def add(self) -> Model:
        return defining.add_tag(self.viewer, **self.cleaned_data)

    def change(self) -> None:
        defining.change_tag(self.viewer, self.row.id, **self.cleaned_data)


class CaseFieldForm(EntryForm):
    """A field shown on every case."""

    columns = ("label", "pattern", "position")
    label = forms.CharField(label=_("Label"), max_length=80, help_text=_("For example Booking reference."))
    pattern = forms.CharField(
        label=_("What a value looks like"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"dir": "ltr", "spellcheck": "false"}),
        help_text=_("A regular expression such as [A-Z0-9]{6}. Empty takes anything."),
    )
    position = forms.IntegerField(label=_("Position"), required=False, min_value=0, max_value=99, initial=99)

    def add(self) -> Model:
        return defining.add_field(self.viewer, label=self.cleaned_data["label"], pattern=self.cleaned_data["pattern"])

    def change(self) -> None:
        said = self.cleaned_data
        defining.change_field(self.viewer, self.row.id, **{**said, "position": said["position"] or 0})


class SnippetForm(EntryForm):
    """A snippet with a text per language of the workspace's brands."""

    columns = ("shortcut", "name")
    shortcut = forms.CharField(
        label=_("Shortcut"),
        max_length=41,
        help_text=_("Typed as /claim-delay in the composer."),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
    )
    name = forms.CharField(label=_("Name"), max_length=120)

    def __init__(self, data: Mapping[str, Any] | None = None, *, viewer: Viewer, row: Any = None) -> None:
        super().__init__(data, viewer=viewer, row=row)
        for code in _languages(viewer, row):
            widget = forms.Textarea(attrs={"rows": 5, "lang": code, "dir": "auto"})
            label = language_name(code)
            self.fields[f"text_{code}"] = forms.CharField(label=label, required=False, max_length=8000, widget=widget)

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        return {**super().initial_of(row), **{f"text_{code}": text for code, text in row.texts.items()}}

    def _words(self) -> dict[str, Any]:
        said = self.cleaned_data
        texts = {key.removeprefix("text_"): text for key, text in said.items() if key.startswith("text_")}
        return {"shortcut": said["shortcut"], "name": said["name"], "texts": texts}

    def add(self) -> Model:
        return snippets.add_snippet(self.viewer, **self._words())

    def change(self) -> None:
        snippets.change_snippet(self.viewer, self.row.id, **self._words())


def _languages(viewer: Viewer, row: Any) -> list[str]:
    spoken = [code for brand in queries.list_brands(viewer.workspace_id) for code in brand.languages]
    kept = list(row.texts) if row is not None else []
    return list(dict.fromkeys([*spoken, *kept, "es", "en"]))
