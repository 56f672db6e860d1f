"""The page that names a language model for second opinions, tries it, and says what it has cost today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from careline.kit import clock
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.pages import attempt, done, render_settings, status_of
from careline.triage.actions.choosing_model import ModelChoice, choose_model, try_model
from careline.triage.endpoints import spent_today
from careline.triage.models import TriageSettings
from careline.triage.queries import settings_of
from careline.workspaces.roles import check_may

MOST_CALLS = 1_000_000
MOST_TOKENS = 1_000_000_000


class ModelForm(forms.Form):
    """Where it is, what it is called, what it may cost."""

    base_url = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=300,
        help_text=gettext_lazy(
            "Any OpenAI-compatible server, one of your own too: http://127.0.0.1:11434/v1. Empty: nobody is asked."
        ),
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "url", "autocomplete": "off"}),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"), required=False, max_length=120, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    api_key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Left empty, the one that is kept stays. It is sealed and never shown."),
        widget=forms.PasswordInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    below = forms.FloatField(
        label=gettext_lazy("Asked below this confidence, percent"),
        min_value=1,
        max_value=100,
        widget=forms.NumberInput(attrs={"step": "1", "dir": "ltr"}),
    )
    daily_calls = forms.IntegerField(label=gettext_lazy("Questions a day, at most"), min_value=0, max_value=MOST_CALLS)
    daily_tokens = forms.IntegerField(label=gettext_lazy("Tokens a day, at most"), min_value=0, max_value=MOST_TOKENS)

    def __init__(self, data: Mapping[str, Any] | None = None, *, settings: TriageSettings) -> None:
        chosen = settings.llm
        initial = {
            "base_url": chosen.get("base_url", ""),
            "model": chosen.get("model", ""),
            "below": f"{float(chosen.get('below', 0.6)) * 100:g}",
            "daily_calls": chosen.get("daily_calls", 1000),
            "daily_tokens": chosen.get("daily_tokens", 1_000_000),
        }
        super().__init__(data, initial=initial)

    def choice(self) -> ModelChoice:
        """The cleaned choice; an empty key keeps the sealed one."""
        said = self.cleaned_data
        return ModelChoice(
            base_url=said["base_url"].strip(),
            model=said["model"].strip(),
            api_key=said["api_key"] or None,
            below=said["below"] / 100,
            daily_calls=said["daily_calls"],
            daily_tokens=said["daily_tokens"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
def show_model(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The page; `try` asks the model about one sentence of ours before anything is kept."""
    viewer = request.viewer
    check_may(viewer.role, "manage_workspace")
    settings = settings_of(viewer.workspace_id)
    form = ModelForm(request.POST if request.method == "POST" else None, settings=settings)
    problem: str | None = None
    if request.method == "POST" and "try" in request.POST:
        told: list[str] = []
        if attempt(form, lambda: told.append(try_model(viewer, form.choice()))):
            problem = told[0]
    elif request.method == "POST" and attempt(form, lambda: choose_model(viewer, form.choice())):
        return done(request, _("Saved."), "triage_model", workspace=workspace)
    facts = {
        "form": form,
        "problem": problem,
        "spent": spent_today(settings, clock.now()),
        "has_key": bool(settings.llm_secret),
        "is_asked": bool(settings.llm.get("base_url")),
    }
    return render_settings(request, "triage/model.html", "triage", facts, status=status_of(form))
