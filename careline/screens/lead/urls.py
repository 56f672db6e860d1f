"""Addresses of the lead's page."""

from __future__ import annotations

from django.urls import path

from careline.screens.inbox import views

urlpatterns = [path("lead", views.show_inbox, name="lead")]
