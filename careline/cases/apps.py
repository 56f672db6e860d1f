"""Registers what must be there whenever cases are: the handlers of their clocks and what follows a person."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Found by Django in INSTALLED_APPS."""

    name = "careline.cases"

    def ready(self) -> None:
        from careline.cases import following, forgetting, timers, triaging  # noqa: F401
        from careline.people import suggesting  # noqa: F401
