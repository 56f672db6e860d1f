"""Addresses of all screens. Those of a workspace begin /w/<workspace>/."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
]
