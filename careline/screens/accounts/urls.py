"""Addresses of the first run, invitations and allauth's scripts; those of allauth follow them in screens/urls.py."""

from __future__ import annotations

from django.urls import path, re_path

from careline.screens.accounts.scripts import show_script
from careline.screens.accounts.views import show_join, show_setup
from careline.screens.refusals import not_found

urlpatterns = [
    path("setup/<str:token>", show_setup, name="setup"),
    path("join/<str:token>", show_join, name="join"),
    path("accounts/scripts/<str:name>", show_script, name="account_script"),
    # Addresses are who somebody is here: they are not changed from a page, and nobody signs up.
    re_path(r"^accounts/(?:email|confirm-email|signup)/", not_found),
]
