"""Acts on one message as resources: hide, like, react, delete ours; their undo, retry and what an agent found out."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _

from careline.cases.actions import moderating
from careline.channels.base import ModerationVerb
from careline.kit import clock
from careline.outbox.models import Moderation
from careline.screens.inbox.resources import Done, read_body, resource, said
from careline.screens.inbox.wording import moderation_words
from careline.screens.middleware import WorkspaceRequest


class Act(msgspec.Struct, frozen=True):
    verb: ModerationVerb
    emoji: str = ""
    text: str = ""


def moderate(request: WorkspaceRequest, number: int, message: int) -> HttpResponse:
    """`POST cases/<n>/messages/<id>/moderations`."""
    wanted = read_body(request, Act)
    row = moderating.moderate_message(
        request.viewer, number, message, wanted.verb, emoji=wanted.emoji, text=wanted.text
    )
    return _told(row, status=201)


def _told(row: Moderation, status: int = 200) -> HttpResponse:
    undo_s = max(0, round((row.not_before - clock.now()).total_seconds())) if row.state == "held" else 0
    words = moderation_words(row.verb, row.state)
    return said(Done(words=words, undo=f"moderations/{row.id}/undo", undo_s=undo_s), status)


def undo(request: WorkspaceRequest, moderation: int) -> HttpResponse:
    """`POST moderations/<id>/undo`: it never happens, or its inverse follows."""
    row = moderating.undo_moderation(request.viewer, moderation)
    taken_back = _("Taken back before it left")
    return said(Done(words=taken_back if row.state == "cancelled" else moderation_words(row.verb, row.state)))


def try_again(request: WorkspaceRequest, moderation: int) -> HttpResponse:
    """`POST moderations/<id>/attempts`: a failed one, now."""
    moderating.retry_moderation(request.viewer, moderation)
    return said(Done(words=_("It is tried again")))


class Fate(msgspec.Struct, frozen=True):
    was_done: bool


def settle(request: WorkspaceRequest, moderation: int) -> HttpResponse:
    """`POST moderations/<id>/outcome`: an agent looked on the platform."""
    wanted = read_body(request, Fate)
    moderating.resolve_moderation(request.viewer, moderation, was_done=wanted.was_done)
    return said(Done(words=_("Noted as done") if wanted.was_done else _("It is done again")))


moderations_of_message = resource(POST=moderate)
undo_of_moderation = resource(POST=undo)
attempts_of_moderation = resource(POST=try_again)
outcome_of_moderation = resource(POST=settle)
