"""Addresses of the lead's page."""

from __future__ import annotations

from django.urls import path

from careline.screens.lead import views

urlpatterns = [
    path("lead", views.show_lead, name="lead"),
    path("lead/cases.csv", views.export_cases, name="lead_csv"),
]
