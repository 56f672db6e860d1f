"""What an agent does to a case, as resources: closing, assignment, snooze, tags, merge, split, block, fields, undo, and the same on many."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _

from careline.cases.actions import (
    assigning,
    blocking,
    bulk,
    closing,
    fields,
    joining,
    merging,
    snoozing,
    splitting,
    tagging,
    undoing,
)
from careline.errors import InputRefused
from careline.screens.inbox import wording
from careline.screens.inbox.resources import Done, done, ids, one_id, read_body, resource, said
from careline.screens.middleware import WorkspaceRequest


class Closing(msgspec.Struct, frozen=True):
    outcome: str = "solved"
    why: str = ""


def close(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/closing`."""
    wanted = read_body(request, Closing)
    act_id = closing.close_case(request.viewer, number, wanted.outcome, wanted.why)
    return done(
        _("Case %(number)s: %(outcome)s") % {"number": number, "outcome": wording.outcome_words(wanted.outcome)},
        act_id,
        number,
    )


def reopen(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`DELETE cases/<n>/closing`."""
    return done(
        _("Case %(number)s is open again") % {"number": number}, closing.reopen_case(request.viewer, number), number
    )


class Assignment(msgspec.Struct, frozen=True):
    """Exactly one of: take it, give it to an agent ('' is nobody), move it to a team ('' is nobody's)."""

    take: bool = False
    agent: str | None = None
    team: str | None = None


def assign(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/assignment`."""
    wanted = read_body(request, Assignment)
    if wanted.take:
        return done(
            _("Case %(number)s is yours") % {"number": number}, assigning.take_case(request.viewer, number), number
        )
    if wanted.agent is not None:
        act_id = assigning.assign_agent(request.viewer, number, one_id(wanted.agent) or None)
        return done(_("Case %(number)s assigned") % {"number": number}, act_id, number)
    if wanted.team is None:
        raise InputRefused("nobody_named", _("Choose an agent or a team."), field="agent")
    act_id = assigning.assign_team(request.viewer, number, one_id(wanted.team) or None)
    return done(_("Case %(number)s moved to another team") % {"number": number}, act_id, number)


class Snooze(msgspec.Struct, frozen=True):
    """Until a moment (ISO 8601 with a zone), or waiting for `customer` or `department`."""

    until: datetime | None = None
    reason: str = ""


def snooze(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/snooze`."""
    wanted = read_body(request, Snooze)
    if wanted.until is None:
        act_id = snoozing.wait_for(request.viewer, number, wanted.reason)
        return done(_("Case %(number)s waits") % {"number": number}, act_id, number)
    if wanted.until.tzinfo is None:
        raise InputRefused("until_wrong", _("Choose a day and a time."), field="until")
    return done(
        _("Case %(number)s snoozed") % {"number": number},
        snoozing.snooze_case(request.viewer, number, wanted.until),
        number,
    )


class Tags(msgspec.Struct, frozen=True):
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def tag(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/tags`."""
    wanted = read_body(request, Tags)
    act_id = tagging.tag_case(request.viewer, number, add=wanted.add, remove=wanted.remove)
    return done(_("Tags of case %(number)s changed") % {"number": number}, act_id, number)


class Merge(msgspec.Struct, frozen=True):
    into: int
    why: str = ""


def merge(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/merge`."""
    wanted = read_body(request, Merge)
    act_id = merging.merge_case(request.viewer, number, wanted.into, wanted.why)
    return done(
        _("Case %(number)s merged into %(into)s") % {"number": number, "into": wanted.into}, act_id, wanted.into
    )


class Join(msgspec.Struct, frozen=True):
    other: int


def join(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/join`: one problem of one person, under the number of the earlier case."""
    wanted = read_body(request, Join)
    act_id = joining.join_case(request.viewer, number, wanted.other)
    return done(
        _("Cases %(number)s and %(other)s are one now") % {"number": number, "other": wanted.other},
        act_id,
        min(number, wanted.other),
    )


class Split(msgspec.Struct, frozen=True):
    messages: tuple[str, ...]
    title: str = ""


def split(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/split`."""
    wanted = read_body(request, Split)
    case = splitting.split_case(request.viewer, number, ids(wanted.messages), wanted.title)
    return said(Done(words=_("Case %(number)s was split off") % {"number": case.number}, number=case.number), 201)


class Why(msgspec.Struct, frozen=True):
    why: str = ""


def block(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/block`: spam, and nothing more from whoever wrote it."""
    act_id = blocking.block_case(request.viewer, number, read_body(request, Why).why)
    return done(_("Case %(number)s is spam; its writer is blocked") % {"number": number}, act_id, number)


class Fields(msgspec.Struct, frozen=True):
    """Values by key; `title`, `language` and `is_harm` correct the case itself."""

    values: dict[str, str] = {}
    title: str | None = None
    language: str | None = None
    is_harm: bool | None = None


def change_fields(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/fields`."""
    wanted = read_body(request, Fields)
    viewer, act_id = request.viewer, 0
    if wanted.values or wanted == Fields():  # nothing said, of a case that must be there all the same
        act_id = fields.set_fields(viewer, number, wanted.values)
    if wanted.title is not None:
        act_id = fields.set_title(viewer, number, wanted.title)
    if wanted.language is not None:
        act_id = fields.set_language(viewer, number, wanted.language)
    if wanted.is_harm is not None:
        act_id = fields.set_harm(viewer, number, wanted.is_harm)
    return done(_("Case %(number)s changed") % {"number": number}, act_id, number)


def undo(request: WorkspaceRequest, act: int) -> HttpResponse:
    """`POST acts/<id>/undo`."""
    return said(Done(words=_("Taken back"), cases=tuple(undoing.undo_act(request.viewer, act))))


def undo_last(request: WorkspaceRequest) -> HttpResponse:
    """`POST acts/undo`: the viewer's own newest act."""
    return said(Done(words=_("Taken back"), cases=tuple(undoing.undo_last(request.viewer))))


class Bulk(msgspec.Struct, frozen=True):
    """One act on many cases. `verb` is close, tag, assign or move."""

    verb: str
    numbers: tuple[int, ...]
    outcome: str = "solved"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    agent: str = ""
    team: str = ""


def act_on_many(request: WorkspaceRequest) -> HttpResponse:
    """`POST bulk`: one stroke, one undo."""
    wanted = read_body(request, Bulk)
    viewer, numbers = request.viewer, wanted.numbers
    acts = {
        "close": lambda: bulk.close_many(viewer, numbers, wanted.outcome),
        "tag": lambda: bulk.tag_many(viewer, numbers, add=wanted.add, remove=wanted.remove),
        "assign": lambda: bulk.assign_many(viewer, numbers, one_id(wanted.agent) or None),
        "move": lambda: bulk.move_many(viewer, numbers, one_id(wanted.team) or None),
    }
    if wanted.verb not in acts:
        raise InputRefused("verb_unknown", _("Choose what to do with these cases."), field="verb")
    return done(wording.bulk_words(wanted.verb, len(numbers)), acts[wanted.verb]())


closing_of_case = resource(POST=close, DELETE=reopen)
assignment_of_case = resource(POST=assign)
snooze_of_case = resource(POST=snooze)
tags_of_case = resource(POST=tag)
merge_of_case = resource(POST=merge)
join_of_case = resource(POST=join)
split_of_case = resource(POST=split)
block_of_case = resource(POST=block)
fields_of_case = resource(POST=change_fields)
undo_of_act = resource(POST=undo)
undo_of_last_act = resource(POST=undo_last)
bulk_acts = resource(POST=act_on_many)
