"""What an agent writes, as resources: replies, notes, letters, drafts; and what becomes of a delivery."""

from __future__ import annotations

from typing import Literal

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _

from careline.cases.actions import composing, drafting, noting, replying, unsending
from careline.cases.queries.dividing import parts_of_text
from careline.cases.queries.templates import templates_for
from careline.cases.queries.timeline import deliveries_of
from careline.cases.queries.visible import access_case_by_id
from careline.channels.capabilities import AttachmentKind
from careline.channels.templates import media_of
from careline.kit import clock
from careline.screens.inbox.resources import Done, ids, one_id, read_body, resource, said
from careline.screens.middleware import WorkspaceRequest
from careline.threads.models import Message
from careline.workspaces.sight import Viewer


class Reply(msgspec.Struct, frozen=True):
    """The composer's fields. Ids are text. `seen` is the version of the case that was on screen."""

    thread: str
    text: str
    mode: Literal["public", "private"]
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    reply_to: str = ""
    subject: str = ""
    to: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    client_key: str = ""
    seen: int = 0
    snippet: str = ""
    override: bool = False
    then: Literal["stay", "waiting", "done"] = "stay"
    parts: int = 1
    template: str = ""
    values: tuple[str, ...] = ()


def reply(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/replies`. 409 `changed_since_seen` when something new was said; `override` sends all the same."""
    wanted = read_body(request, Reply)
    message = replying.write_reply(
        request.viewer,
        number,
        thread_id=one_id(wanted.thread),
        text=wanted.text,
        mode=wanted.mode,
        file_ids=ids(wanted.files),
        file_names=wanted.names,
        file_alts=wanted.alts,
        reply_to_message_id=one_id(wanted.reply_to),
        subject=wanted.subject,
        to=wanted.to,
        copied=wanted.copied,
        client_key=wanted.client_key,
        seen_version=wanted.seen,
        snippet_id=one_id(wanted.snippet),
        override=wanted.override,
        then=wanted.then,
        parts=wanted.parts,
        template_id=one_id(wanted.template) if wanted.template else 0,
        values=wanted.values,
    )
    return _written(request.viewer, message)


class LongText(msgspec.Struct, frozen=True):
    thread: str
    text: str
    mode: Literal["public", "private"]


class Parts(msgspec.Struct, frozen=True):
    """The posts a long text would go out as."""

    parts: tuple[str, ...]


def divide(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/parts`: how the platform's own unit cuts a text; nothing is written."""
    wanted = read_body(request, LongText)
    found = parts_of_text(request.viewer, number, one_id(wanted.thread), wanted.text, is_public=wanted.mode == "public")
    return said(Parts(found))


class OfferedTemplate(msgspec.Struct, frozen=True):
    """An approved text: `body` holds each of `parameters` as `{{parameter}}`; `media` is the file it begins with."""

    id: str
    name: str
    language: str
    body: str
    parameters: tuple[str, ...]
    examples: tuple[str, ...]
    heading: str
    footer: str
    buttons: tuple[str, ...]
    media: AttachmentKind | None


def offer_templates(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`GET cases/<n>/templates?thread=<id>`: the approved texts of the account a conversation runs on."""
    found = templates_for(request.viewer, number, one_id(request.GET.get("thread", "")))
    return said(
        tuple(
            OfferedTemplate(
                str(one.id),
                one.name,
                one.language,
                one.body,
                tuple(one.parameters),
                tuple(one.examples),
                one.heading,
                one.footer,
                tuple(one.buttons),
                media_of(one),
            )
            for one in found
        )
    )


def _written(viewer: Viewer, message: Message, case_number: int = 0) -> HttpResponse:
    sent = deliveries_of(viewer.workspace_id, [message.id]).get(message.id, [])
    held = next((one for one in sent if one.state == "held"), None)
    undo_s = max(0, round((held.not_before - clock.now()).total_seconds())) if held else 0
    words = _("It goes out in a moment") if held else _("On its way")
    delivery = str(held.id) if held else ""
    return said(Done(words=words, message=str(message.id), delivery=delivery, undo_s=undo_s, number=case_number), 201)


class Note(msgspec.Struct, frozen=True):
    text: str
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def note(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/notes`."""
    wanted = read_body(request, Note)
    written = noting.write_note(
        request.viewer, number, text=wanted.text, file_ids=ids(wanted.files), file_names=wanted.names
    )
    return said(Done(words=_("Note kept"), message=str(written.id)), 201)


class Letter(msgspec.Struct, frozen=True):
    channel: str
    to: tuple[str, ...]
    text: str
    subject: str = ""
    copied: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    client_key: str = ""
    name: str = ""


def write_letter(request: WorkspaceRequest) -> HttpResponse:
    """`POST letters`: a new conversation with somebody who has not written."""
    wanted = read_body(request, Letter)
    message = composing.compose(
        request.viewer,
        one_id(wanted.channel),
        to=wanted.to,
        text=wanted.text,
        subject=wanted.subject,
        copied=wanted.copied,
        file_ids=ids(wanted.files),
        file_names=wanted.names,
        client_key=wanted.client_key,
        name=wanted.name,
    )
    assert message.case_id is not None
    return _written(request.viewer, message, access_case_by_id(request.viewer, message.case_id).number)


class DraftBody(msgspec.Struct, frozen=True):
    mode: str
    text: str
    facts: dict[str, str] = {}


def save_draft(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/drafts`: an empty text forgets it."""
    wanted = read_body(request, DraftBody)
    drafting.save_draft(request.viewer, number, mode=wanted.mode, text=wanted.text, facts=dict(wanted.facts))
    return HttpResponse(status=204)


def take_back(request: WorkspaceRequest, delivery: int) -> HttpResponse:
    """`DELETE deliveries/<id>`: while it is held; its words come back."""
    text = unsending.undo_send(request.viewer, delivery)
    return said(Done(words=_("Taken back, nothing was sent"), text=text))


def try_again(request: WorkspaceRequest, delivery: int) -> HttpResponse:
    """`POST deliveries/<id>/attempts`: a failed one, now."""
    unsending.retry_delivery(request.viewer, delivery)
    return said(Done(words=_("It is tried again")))


class Fate(msgspec.Struct, frozen=True):
    was_sent: bool


def settle(request: WorkspaceRequest, delivery: int) -> HttpResponse:
    """`POST deliveries/<id>/outcome`: an agent looked on the platform."""
    wanted = read_body(request, Fate)
    unsending.resolve_unknown(request.viewer, delivery, was_sent=wanted.was_sent)
    return said(Done(words=_("Noted as sent") if wanted.was_sent else _("It is sent again")))


templates_of_case = resource(GET=offer_templates)
parts_of_case = resource(POST=divide)
replies_of_case = resource(POST=reply)
notes_of_case = resource(POST=note)
letters = resource(POST=write_letter)
drafts_of_case = resource(POST=save_draft)
one_delivery = resource(DELETE=take_back)
attempts_of_delivery = resource(POST=try_again)
outcome_of_delivery = resource(POST=settle)
