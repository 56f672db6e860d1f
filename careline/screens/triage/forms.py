"""Forms of triage and topics; actions judge the words, forms read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from careline.screens.inbox.sign_wording import personal_words
from careline.threads.personal import SENSITIVE
from careline.triage.actions.choosing import Choices
from careline.triage.models import TriageSettings
from careline.triage.personal.masking import KINDS


class TriageForm(forms.Form):
    """The workspace's choices."""

    is_on = forms.BooleanField(
        label=_("Triage runs"),
        required=False,
        help_text=_(
            "On this machine alone: no key, no cloud. Off, messages stand without verdicts; learning rests too."
        ),
    )
    sets_aside = forms.BooleanField(
        label=_("What needs no answer leaves the queue"),
        required=False,
        help_text=_(
            "Only in public, untouched and without any risk. It is never discarded, and one key brings it back."
        ),
    )
    set_aside_from = forms.FloatField(
        label=_("From which confidence, percent"),
        min_value=50,
        max_value=100,
        widget=forms.NumberInput(attrs={"step": "1", "dir": "ltr"}),
    )
    audit_percent = forms.FloatField(
        label=_("Drawn for audit, percent"),
        min_value=0,
        max_value=100,
        help_text=_("So much of what is set aside is shown to a person, by chance."),
        widget=forms.NumberInput(attrs={"step": "0.5", "dir": "ltr"}),
    )
    masked = forms.MultipleChoiceField(
        label=_("Personal data hidden until somebody says why"),
        required=False,
        help_text=_(
            "None at all stands for the usual ones: cards, IBANs, identity and social security numbers, passports."
        ),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, settings: TriageSettings) -> None:
        initial = {
            "is_on": settings.is_on,
            "sets_aside": settings.sets_aside,
            "set_aside_from": _short(settings.set_aside_from * 100),
            "audit_percent": _short(settings.audit_percent),
            "masked": settings.masked or list(SENSITIVE),
        }
        super().__init__(data, initial=initial)
        self.fields["masked"].choices = [(kind, personal_words(kind)) for kind in KINDS]  # type: ignore[attr-defined] # a MultipleChoiceField

    def choices(self) -> Choices:
        """The cleaned choices; the usual kinds are kept as none, so that they follow when the usual ones change."""
        said = self.cleaned_data
        masked = tuple(said["masked"])
        return Choices(
            is_on=said["is_on"],
            sets_aside=said["sets_aside"],
            set_aside_from=said["set_aside_from"] / 100,
            audit_percent=said["audit_percent"],
            masked=() if set(masked) == set(SENSITIVE) else masked,
        )


def _short(percent: float) -> str:
    """90 and 2.5, as a number field wants it."""
    return f"{round(percent, 2):g}"


class _MessagesField(forms.TypedMultipleChoiceField):
    """Ids of messages; the action looks whether they are ours."""

    def valid_value(self, value: object) -> bool:
        return str(value).isascii() and str(value).isdigit() and len(str(value)) < 19


class _WithTexts(forms.Form):
    def lines(self) -> list[str]:
        """The examples that were typed."""
        return [line for line in self.cleaned_data["texts"].splitlines() if line.strip()]


def _texts_field() -> forms.CharField:
    return forms.CharField(
        label=_("Examples, one a line"),
        required=False,
        max_length=40_000,
        help_text=_("As a customer would write it, in any of your languages. Five make a topic; ten make a good one."),
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )


class TopicForm(_WithTexts):
    """A new topic."""

    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"dir": "auto"}))
    facet = forms.ChoiceField(
        label=_("What it is"),
        choices=[
            ("reason", _("A reason: what customers come with. It is learned from examples.")),
            ("root_cause", _("A root cause: why it happened. It is set on a case by hand.")),
        ],
        widget=forms.RadioSelect,
        initial="reason",
    )
    texts = _texts_field()
    messages = _MessagesField(required=False, coerce=int, widget=forms.CheckboxSelectMultiple)


class ExamplesForm(_WithTexts):
    """More examples of a topic."""

    texts = _texts_field()
    messages = _MessagesField(required=False, coerce=int, widget=forms.CheckboxSelectMultiple)
