"""Addresses of the desk: resources, not verbs."""

from __future__ import annotations

from django.urls import path

from careline.screens.inbox import acting, case_views, moderating, noticing, searching, signs, snippets, views, writing

urlpatterns = [
    path("inbox", views.show_inbox, name="inbox"),
    path("list", views.list_more, name="list"),
    path("rows", views.show_rows, name="rows"),
    path("counts", views.show_counts, name="counts"),
    path("choices", views.show_choices, name="choices"),
    path("tickets", views.show_tickets, name="tickets"),
    path("search", searching.show_search, name="search"),
    path("keyboard", views.show_keyboard, name="keyboard"),
    path("notices", noticing.show_notices, name="notices"),
    path("notices/seen", noticing.seen_notices, name="notices_seen"),
    path("snippets", snippets.show_snippets, name="snippets_offered"),
    path("messages/<int:message>/html", case_views.show_message_html, name="message_html"),
    path("cases/<int:number>", case_views.show_case, name="case"),
    path("cases/<int:number>/replies", writing.replies_of_case, name="case_replies"),
    path("cases/<int:number>/templates", writing.templates_of_case, name="case_templates"),
    path("cases/<int:number>/parts", writing.parts_of_case, name="case_parts"),
    path(
        "cases/<int:number>/messages/<int:message>/moderations",
        moderating.moderations_of_message,
        name="message_moderations",
    ),
    path("moderations/<int:moderation>/undo", moderating.undo_of_moderation, name="moderation_undo"),
    path("moderations/<int:moderation>/attempts", moderating.attempts_of_moderation, name="moderation_attempts"),
    path("moderations/<int:moderation>/outcome", moderating.outcome_of_moderation, name="moderation_outcome"),
    path("cases/<int:number>/notes", writing.notes_of_case, name="case_notes"),
    path("cases/<int:number>/drafts", writing.drafts_of_case, name="case_drafts"),
    path("cases/<int:number>/closing", acting.closing_of_case, name="case_closing"),
    path("cases/<int:number>/assignment", acting.assignment_of_case, name="case_assignment"),
    path("cases/<int:number>/snooze", acting.snooze_of_case, name="case_snooze"),
    path("cases/<int:number>/tags", acting.tags_of_case, name="case_tags"),
    path("cases/<int:number>/merge", acting.merge_of_case, name="case_merge"),
    path("cases/<int:number>/join", acting.join_of_case, name="case_join"),
    path("cases/<int:number>/split", acting.split_of_case, name="case_split"),
    path("cases/<int:number>/block", acting.block_of_case, name="case_block"),
    path("cases/<int:number>/fields", acting.fields_of_case, name="case_fields"),
    path("cases/<int:number>/messages/<int:message>/words", signs.words_of_message, name="message_words"),
    path("cases/<int:number>/alike", signs.show_alike, name="case_alike"),
    path("cases/<int:number>/signs", signs.signs_of_case, name="case_signs"),
    path("acts/undo", acting.undo_of_last_act, name="undo_last"),
    path("acts/<int:act>/undo", acting.undo_of_act, name="undo"),
    path("bulk", acting.bulk_acts, name="bulk"),
    path("letters", writing.letters, name="letters"),
    path("deliveries/<int:delivery>", writing.one_delivery, name="delivery"),
    path("deliveries/<int:delivery>/attempts", writing.attempts_of_delivery, name="delivery_attempts"),
    path("deliveries/<int:delivery>/outcome", writing.outcome_of_delivery, name="delivery_outcome"),
]
