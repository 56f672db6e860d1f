"""Lets the journal follow persons that are erased."""

from __future__ import annotations

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Found by Django in INSTALLED_APPS."""

    name = "careline.intake"

    def ready(self) -> None:
        from careline.intake.forgetting import JournalFollower
        from careline.people.following import register_follower

        register_follower(JournalFollower())
