"""Addresses of the agents' page, below /w/<workspace>/."""

from __future__ import annotations

from django.urls import path

from careline.screens.intake_form import views

urlpatterns = [
    path("log", views.show_log, name="log"),
    path("log/partner-links", views.partner_links, name="partner_links"),
]
