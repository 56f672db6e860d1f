"""Addresses of spikes."""

from __future__ import annotations

from django.urls import path

from careline.screens.spikes import views

urlpatterns = [
    path("spikes", views.show_spikes, name="spikes"),
    path("spikes/<int:spike>/dismissal", views.dismissal_of_spike, name="spike_dismissal"),
]
