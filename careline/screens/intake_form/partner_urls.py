"""Addresses of the partners' page: no account, a signed link."""

from __future__ import annotations

from django.urls import path

from careline.screens.intake_form import views

urlpatterns = [path("partner/<int:channel>/<str:ticket>", views.show_partner, name="partner")]
