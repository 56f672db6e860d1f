"""Checks what was typed into the form, field by field, and makes the journal's part of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec

from careline.channels.base import InputRefused, Part
from careline.channels.intake_form.who import Who, parse_who
from careline.channels.intake_form.wire import Kind, Note
from careline.kit import clock

LONGEST_TEXT, LONGEST_WHO, LONGEST_REFERENCE = 20_000, 300, 80
OLDEST, FURTHEST = timedelta(days=366), timedelta(days=60)
# A clock that runs a little fast must not stop anyone from writing down a call.
CLOCK_SLACK = timedelta(minutes=5)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class FormInput(msgspec.Struct, frozen=True):
    """What was typed, as text. Times read `2026-11-21T10:30` in the writer's zone; an empty `at` means now."""

    id: str = ""
    who: str = ""
    text: str = ""
    kind: str = "phone"
    at: str = ""
    is_verified: bool = False
    booking_reference: str = ""
    call_back_at: str = ""


class FieldProblem(msgspec.Struct, frozen=True):
    """A field and what is wrong with it, as a code.

    missing, too_long, phone_invalid, unknown, malformed, too_old, in_future, in_past, too_far.
    """

    field: str
    code: str


class FormRefused(InputRefused):
    """Something in the form cannot be used; `problems` names every field, `field` the first."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("form_refused", "Some fields need another look.", field=problems[0].field)
        self.problems = problems


def check_form(form: FormInput, *, region: str, zone: str, logged_by: str, agent_id: int = 0) -> Note:
    """A note ready for the journal. Raises FormRefused with all problems at once."""
    problems: list[FieldProblem] = []
    now = clock.now()
    who = _who(form.who, region, problems)
    at = _at(form.at, zone, now, problems)
    call_back_at = _call_back_at(form.call_back_at, zone, now, problems)
    kind = _kind(form.kind, problems)
    _check_text("text", form.text, LONGEST_TEXT, problems, required=True)
    _check_text("booking_reference", form.booking_reference, LONGEST_REFERENCE, problems)
    if not _CLIENT_ID.fullmatch(form.id):
        problems.append(FieldProblem("id", "malformed"))
    if problems:
        raise FormRefused(tuple(problems))
    return Note(
        id=form.id,
        kind=kind,
        text=_storable(form.text).strip(),
        at=at,
        name=who.name[:160],
        phone=who.phone,
        email=who.email,
        handle=who.handle,
        is_verified=form.is_verified and bool(who.phone),
        booking_reference=_storable(form.booking_reference).strip(),
        call_back_at=call_back_at,
        logged_by=logged_by,
        logged_by_agent_id=agent_id,
    )


def part_from_form(note: Note, account_key: str) -> Part:
    """The journal's part: the same note is the same event however often it is sent."""
    return Part(account_key, f"note:{note.id}", f"note:{note.id}", msgspec.json.encode(note))


def _who(text: str, region: str, problems: list[FieldProblem]) -> Who:
    plain = _storable(text).strip()
    if not plain:
        problems.append(FieldProblem("who", "missing"))
    elif len(plain) > LONGEST_WHO:
        problems.append(FieldProblem("who", "too_long"))
    else:
        who = parse_who(plain, region)
        if who.problem or not any(who[:4]):
            problems.append(FieldProblem("who", who.problem or "missing"))
        return who
    return Who()


def _check_text(field: str, text: str, longest: int, problems: list[FieldProblem], *, required: bool = False) -> None:
    if required and not _storable(text).strip():
        problems.append(FieldProblem(field, "missing"))
    elif len(text) > longest:
        problems.append(FieldProblem(field, "too_long"))


def _kind(text: str, problems: list[FieldProblem]) -> Kind:
    for kind in get_args(Kind):
        if kind == text:
            return kind  # type: ignore[no-any-return] # get_args is untyped; the values are those of Kind
    problems.append(FieldProblem("kind", "unknown"))
    return "phone"


def _at(text: str, zone: str, now: datetime, problems: list[FieldProblem]) -> datetime:
    at = _moment("at", text, zone, problems) or now
    if at > now + CLOCK_SLACK:
        problems.append(FieldProblem("at", "in_future"))
    elif at < now - OLDEST:
        problems.append(FieldProblem("at", "too_old"))
    return min(at, now)


def _call_back_at(text: str, zone: str, now: datetime, problems: list[FieldProblem]) -> datetime | None:
    at = _moment("call_back_at", text, zone, problems)
    if at is not None and at < now - CLOCK_SLACK:
        problems.append(FieldProblem("call_back_at", "in_past"))
    elif at is not None and at > now + FURTHEST:
        problems.append(FieldProblem("call_back_at", "too_far"))
    return at


def _moment(field: str, text: str, zone: str, problems: list[FieldProblem]) -> datetime | None:
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        problems.append(FieldProblem(field, "malformed"))
        return None


def _storable(text: str) -> str:
    # PostgreSQL takes no NUL in text.
    return text.replace("\0", "")


def form_input(fields: Mapping[str, str]) -> FormInput:
    """From posted fields, each optional; unknown ones are ignored."""
    texts = {name: fields.get(name, "") for name in ("id", "who", "text", "at", "booking_reference", "call_back_at")}
    return FormInput(**texts, kind=fields.get("kind", "") or "phone", is_verified=bool(fields.get("is_verified")))
