"""What the screens connect when Django is ready: sign-in auditing and the mail route of channel alerts."""

from __future__ import annotations

from django.apps import AppConfig


class ScreensConfig(AppConfig):
    """The screens as a Django app."""

    name = "careline.screens"

    def ready(self) -> None:
        from careline.screens.accounts import alerts, auditing

        auditing.listen()
        alerts.listen()
