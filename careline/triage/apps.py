"""Verdicts and vectors go when the words they were made of go; personal data is found by triage's detectors."""

from __future__ import annotations

from django.apps import AppConfig


class TriageConfig(AppConfig):
    """Found by Django in INSTALLED_APPS."""

    name = "careline.triage"

    def ready(self) -> None:
        from careline.triage import detecting, forgetting  # noqa: F401
        from careline.triage.watching import forgetting as forgetting_causes  # noqa: F401
