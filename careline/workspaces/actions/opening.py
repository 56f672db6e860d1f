"""Calendars: the open hours, public holidays and closed days that clocks count with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import holidays
from django.utils.translation import gettext as _

from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.workspaces.calendars import open_hours
from careline.workspaces.checking import check_name, check_zone, record_settings_change
from careline.workspaces.models import Calendar
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

MAX_CLOSED_DAYS = 400
MAX_SPANS = 4


@dataclass(frozen=True)
class Opening:
    """A calendar as it was filled in.

    `hours`: weekday 0-6 -> spans ("09:00", "17:30"), local time; none on any day means around the clock.
    """

    name: str
    zone: str
    hours: dict[int, tuple[tuple[str, str], ...]]
    holidays_country: str
    closed_days: tuple[str, ...]


def add_calendar(viewer: Viewer, opening: Opening) -> Calendar:
    """A new calendar. Raises InputRefused with the field's name (`hours_3` is Thursday)."""
    check_may(viewer.role, "manage_workspace")
    columns = _check_opening(opening)
    with unit_of_work() as work:
        made = Calendar.objects.create(workspace_id=viewer.workspace_id, **columns)
        record_settings_change(work, viewer.workspace_id, "calendars")
    return made


def change_calendar(viewer: Viewer, calendar_id: int, opening: Opening) -> None:
    """Change a calendar: clocks started from now on count with it. Raises NotFound for a foreign one."""
    check_may(viewer.role, "manage_workspace")
    columns = _check_opening(opening)
    with unit_of_work() as work:
        if not Calendar.objects.filter(id=calendar_id, workspace_id=viewer.workspace_id).update(**columns):
            raise NotFound("calendar_not_found", _("There is no such calendar here."))
        record_settings_change(work, viewer.workspace_id, "calendars")


def remove_calendar(viewer: Viewer, calendar_id: int) -> None:
    """Remove a calendar; its channels count around the clock. Raises Conflict for the last one."""
    check_may(viewer.role, "manage_workspace")
    with unit_of_work() as work:
        calendar = Calendar.objects.filter(id=calendar_id, workspace_id=viewer.workspace_id).first()
        if calendar is None:
            raise NotFound("calendar_not_found", _("There is no such calendar here."))
        if Calendar.objects.filter(workspace_id=viewer.workspace_id).count() == 1:
            raise Conflict("last_calendar", _("A workspace keeps at least one calendar."))
        calendar.delete()
        record_settings_change(work, viewer.workspace_id, "calendars")


def parse_spans(text: str) -> tuple[tuple[str, str], ...]:
    """`09:00-14:00, 16:00-19:30` to pairs. Raises ValueError for anything else."""
    pairs = []
    for part in filter(None, (piece.strip() for piece in text.replace(";", ",").split(","))):
        start, dash, end = part.replace("–", "-").partition("-")
        if not dash:
            raise ValueError(part)
        pairs.append((_padded(start), _padded(end)))
    return tuple(pairs)


def render_spans(spans: Sequence[Sequence[str]]) -> str:
    """The reverse of `parse_spans`, as the form shows it."""
    return ", ".join(f"{start}-{end}" for start, end in spans)


def _padded(text: str) -> str:
    hours, colon, minutes = text.strip().partition(":")
    if not (hours.isascii() and hours.isdigit() and (not colon or (minutes.isascii() and minutes.isdigit()))):
        raise ValueError(text)
    value = int(hours), int(minutes or 0)
    if not (value[0] < 24 and value[1] < 60) and value != (24, 0):
        raise ValueError(text)
    return f"{value[0]:02d}:{value[1]:02d}"


def _check_opening(opening: Opening) -> dict[str, object]:
    name = check_name(opening.name, "name")
    check_zone(opening.zone)
    for day, spans in opening.hours.items():
        _check_day(day, spans)
    return {
        "name": name,
        "zone": opening.zone,
        "hours": {str(day): [list(span) for span in spans] for day, spans in sorted(opening.hours.items()) if spans},
        "holidays_country": _check_country(opening.holidays_country),
        "closed_days": _check_days(opening.closed_days),
    }


def _check_day(day: int, spans: tuple[tuple[str, str], ...]) -> None:
    field = f"hours_{day}"
    if len(spans) > MAX_SPANS:
        raise InputRefused("hours_many", _("Use at most four spans a day."), field=field)
    try:
        open_hours("UTC", {str(day): [list(span) for span in spans]})
    except ValueError as wrong:
        raise InputRefused(
            "hours_wrong", _("Write hours as 09:00-14:00, 16:00-19:30; each end after its start."), field=field
        ) from wrong
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise InputRefused("hours_overlap", _("These hours overlap or are out of order."), field=field)


def _check_country(text: str) -> str:
    wanted = text.strip().upper()
    if not wanted:
        return ""
    nation, _dash, region = wanted.partition("-")
    known = holidays.list_supported_countries(include_aliases=True)
    if nation not in known or (region and region not in known[nation]):
        raise InputRefused(
            "country_unknown",
            _("Use a country such as ES, or one with its region such as ES-MD."),
            field="holidays_country",
        )
    return wanted


def _check_days(days: Sequence[str]) -> list[str]:
    try:
        found = sorted({date.fromisoformat(day.strip()).isoformat() for day in days if day.strip()})
    except ValueError as wrong:
        raise InputRefused("day_wrong", _("Write each day as 2027-12-24, one a line."), field="closed_days") from wrong
    if len(found) > MAX_CLOSED_DAYS:
        raise InputRefused(
            "days_many", _("Use at most %(limit)d days.") % {"limit": MAX_CLOSED_DAYS}, field="closed_days"
        )
    return found
