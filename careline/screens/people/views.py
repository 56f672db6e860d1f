"""A person's page, and what is done to persons and their links as resources."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from careline.cases.queries.person_timeline import person_timeline
from careline.cases.queries.persons import open_person
from careline.cases.rows import ListFilters
from careline.errors import InputRefused
from careline.people.actions import blocking, erasing, exporting, joining, linking, renaming, undoing
from careline.screens.inbox.desk import Desk
from careline.screens.inbox.resources import Done, one_id, read_body, resource, said
from careline.screens.middleware import WorkspaceRequest

PAGE = 100


def show_person(request: WorkspaceRequest, workspace: str, person: int) -> HttpResponse:
    """`GET persons/<id>`: who they are, how we know, and everything said on every channel."""
    card = open_person(request.viewer, person)
    before = request.GET.get("before", "")
    lines, has_earlier = person_timeline(request.viewer, person, limit=PAGE, before_id=one_id(before))
    desk = Desk(request.viewer, ListFilters())
    shown = {"person": card, "lines": lines, "earlier": str(lines[-1].id) if has_earlier else "", "desk": desk}
    return render(request, "people/page.html", shown)


def _done(words: str, act_id: int) -> HttpResponse:
    return said(Done(words=words, undo=f"person-acts/{act_id}/undo" if act_id else ""))


def accept(request: WorkspaceRequest, link: int) -> HttpResponse:
    """`POST links/<id>/acceptance`."""
    return _done(_("Linked: the same person"), linking.accept_suggestion(request.viewer, link))


def refuse(request: WorkspaceRequest, link: int) -> HttpResponse:
    """`POST links/<id>/refusal`."""
    return _done(_("Not the same person; it is not suggested again"), linking.refuse_suggestion(request.viewer, link))


def take_apart(request: WorkspaceRequest, link: int) -> HttpResponse:
    """`POST links/<id>/undo`."""
    return _done(_("That identity is somebody else again"), linking.undo_link(request.viewer, link))


class Other(msgspec.Struct, frozen=True):
    other: str
    why: str = ""


def join(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`POST persons/<id>/join`: `other` becomes part of this person."""
    wanted = read_body(request, Other)
    return _done(
        _("Joined: one person now"), joining.join_persons(request.viewer, person, one_id(wanted.other), wanted.why)
    )


class Name(msgspec.Struct, frozen=True):
    name: str


def rename(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`POST persons/<id>/name`."""
    return _done(_("Renamed"), renaming.rename_person(request.viewer, person, read_body(request, Name).name))


def block(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`POST persons/<id>/block`."""
    return _done(
        _("Blocked: nothing more from this person reaches anybody"), blocking.block_person(request.viewer, person)
    )


def unblock(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`DELETE persons/<id>/block`."""
    blocking.unblock_person(request.viewer, person)
    return said(Done(words=_("This person can be heard again")))


def export(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`GET persons/<id>/export`: everything we hold, as JSON to keep. Audited."""
    content = msgspec.json.format(msgspec.json.encode(exporting.export_person(request.viewer, person)), indent=2)
    answer = HttpResponse(content, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="person-{person}.json"'
    return answer


class Erasure(msgspec.Struct, frozen=True):
    """The one act without a way back: the person's name is typed to say that it is meant."""

    name: str = ""


def erase(request: WorkspaceRequest, person: int) -> HttpResponse:
    """`POST persons/<id>/erasure`."""
    wanted = read_body(request, Erasure)
    card = open_person(request.viewer, person)
    if wanted.name.strip().casefold() != card.name.strip().casefold():
        raise InputRefused("name_differs", _("Type the person's name exactly as it stands here."), field="name")
    count = erasing.erase_person(request.viewer, person)
    return said(Done(words=_("Erased: %(count)d messages and every identity") % {"count": count}))


def undo(request: WorkspaceRequest, act: int) -> HttpResponse:
    """`POST person-acts/<id>/undo`."""
    undoing.undo_person_act(request.viewer, act)
    return said(Done(words=_("Taken back")))


acceptance_of_link = resource(POST=accept)
refusal_of_link = resource(POST=refuse)
undo_of_link = resource(POST=take_apart)
join_of_person = resource(POST=join)
name_of_person = resource(POST=rename)
block_of_person = resource(POST=block, DELETE=unblock)
export_of_person = resource(GET=export)
erasure_of_person = resource(POST=erase)
undo_of_act = resource(POST=undo)
