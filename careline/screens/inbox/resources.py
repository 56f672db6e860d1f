"""How the desk's resources are written: one typed body in, one typed answer out, by method. No case is known here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from django.http import HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.screens.inbox.desk import number
from careline.screens.middleware import WorkspaceRequest

Body = TypeVar("Body")
View = Callable[..., HttpResponse]


class Done(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was done, said to the agent: `words`, and what takes it back: a case's `act`, or the address `undo`."""

    words: str = ""
    act: str = ""
    undo: str = ""
    number: int = 0
    cases: tuple[int, ...] = ()
    message: str = ""
    delivery: str = ""
    undo_s: int = 0
    text: str = ""


def resource(**handlers: View) -> View:
    """A view that answers each method by its own handler and refuses the others."""

    def answer(request: WorkspaceRequest, workspace: str, **parts: object) -> HttpResponse:
        handler = handlers.get(request.method or "")
        return handler(request, **parts) if handler else HttpResponseNotAllowed(sorted(handlers))

    return answer


def read_body(request: WorkspaceRequest, kind: type[Body]) -> Body:
    """The JSON body as a typed struct. Raises InputRefused naming the first field that is wrong."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except msgspec.ValidationError as wrong:
        raise InputRefused(
            "body_wrong", _("Something in the form cannot be used. Open the page again."), field=_field(wrong)
        ) from wrong
    except msgspec.DecodeError as wrong:
        raise InputRefused(
            "body_wrong", _("This is not what the page should have sent. Open it again."), status=400
        ) from wrong


def _field(wrong: msgspec.ValidationError) -> str:
    return str(wrong).rpartition("`$.")[2].strip("`") if "`$." in str(wrong) else ""


def said(done: object, status: int = 200) -> HttpResponse:
    """A struct as JSON."""
    return HttpResponse(msgspec.json.encode(done), content_type="application/json", status=status)


def done(words: str, act_id: int, case_number: int = 0) -> HttpResponse:
    """The usual answer to an act; an act of 0 changed nothing and cannot be taken back."""
    return said(Done(words=words if act_id else _("Nothing to change"), act=str(act_id or ""), number=case_number))


def one_id(text: str) -> int:
    """An id from a body, where ids are text. 0 when it is none: no row has it."""
    return number(text)


def ids(texts: tuple[str, ...]) -> tuple[int, ...]:
    """Ids from a body."""
    return tuple(found for found in map(number, texts) if found)
