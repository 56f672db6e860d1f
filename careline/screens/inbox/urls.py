"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from careline.screens.inbox import views

urlpatterns = [
    path("inbox", views.show_soon, name="inbox"),
    path("search", views.show_soon, name="search"),
    path("lead", views.show_soon, name="lead"),
    path("notices", views.show_soon, name="notices"),
    path("keyboard", views.show_soon, name="keyboard"),
]
