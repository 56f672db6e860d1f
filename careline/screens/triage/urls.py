"""Addresses of triage and topics, below /w/<workspace>/."""

from __future__ import annotations

from django.urls import path

from careline.screens.triage import learning_views, model_views, topic_views

_TOPIC = "topics/<int:topic>"

urlpatterns = [
    path("settings/triage", learning_views.show_triage, name="triage"),
    path("settings/triage/heads/<slug:head>/<int:version>/use", learning_views.use_version, name="head_use"),
    path("settings/triage/model", model_views.show_model, name="triage_model"),
    path("topics/", topic_views.show_topics, name="topics"),
    path("topics/new", topic_views.show_new, name="topic_new"),
    path("topics/proposals", topic_views.show_proposals, name="topic_proposals"),
    path(f"{_TOPIC}/", topic_views.show_topic, name="topic"),
    path(f"{_TOPIC}/name", topic_views.rename, name="topic_name"),
    path(f"{_TOPIC}/examples", topic_views.add, name="topic_examples"),
    path(f"{_TOPIC}/examples/<int:example>/removal", topic_views.remove, name="topic_example_removal"),
    path(f"{_TOPIC}/thumbs/<int:message>", topic_views.judge, name="topic_thumb"),
    path(f"{_TOPIC}/<slug:act>", topic_views.act_on_topic, name="topic_act"),
]
