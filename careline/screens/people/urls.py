"""Addresses of persons and their links."""

from __future__ import annotations

from django.urls import path

from careline.screens.inbox import views

urlpatterns = [path("persons/<int:person>", views.show_inbox, name="person")]
