"""Addresses of persons and their links."""

from __future__ import annotations

from django.urls import path

from careline.screens.people import views

urlpatterns = [
    path("persons/<int:person>", views.show_person, name="person"),
    path("persons/<int:person>/join", views.join_of_person, name="person_join"),
    path("persons/<int:person>/name", views.name_of_person, name="person_name"),
    path("persons/<int:person>/block", views.block_of_person, name="person_block"),
    path("persons/<int:person>/export", views.export_of_person, name="person_export"),
    path("persons/<int:person>/erasure", views.erasure_of_person, name="person_erasure"),
    path("person-acts/<int:act>/undo", views.undo_of_act, name="person_undo"),
    path("links/<int:link>/acceptance", views.acceptance_of_link, name="link_acceptance"),
    path("links/<int:link>/refusal", views.refusal_of_link, name="link_refusal"),
    path("links/<int:link>/undo", views.undo_of_link, name="link_undo"),
]
