"""Calendars, brands and retention as people type them."""

from __future__ import annotations

import pytest

from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.workspaces.actions.branding import BrandWords, add_brand, change_brand, remove_brand
from careline.workspaces.actions.keeping import Retention, change_retention, change_workspace
from careline.workspaces.actions.opening import (
    Opening,
    add_calendar,
    change_calendar,
    parse_spans,
    remove_calendar,
    render_spans,
)
from careline.workspaces.models import Audit, Brand, Calendar, Workspace
from careline.workspaces.tests.cast import Cast

WORDS = BrandWords("Air Vip", "^Air", ("es", "en"), "tu", "Europe/Madrid", "Air\nMadrid")


def opening(**changes: object) -> Opening:
    base: dict[str, object] = {
        "name": "Shop",
        "zone": "Europe/Madrid",
        "hours": {0: (("09:00", "14:00"), ("16:00", "19:30"))},
        "holidays_country": "es-md",
        "closed_days": ("2027-12-24", "2027-12-24", " 2027-01-02 "),
    }
    return Opening(**{**base, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9-14, 16:00-19:30", (("09:00", "14:00"), ("16:00", "19:30"))),
        ("", ()),
        ("00:00-24:00", (("00:00", "24:00"),)),
        ("9:30–12", (("09:30", "12:00"),)),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, spans: tuple[tuple[str, str], ...]) -> None:
    assert parse_spans(text) == spans
    assert parse_spans(render_spans(spans)) == spans


@pytest.mark.parametrize("text", ["nine to five", "9", "25:00-26:00", "9:70-10", "-", "9-", "24:30-24:40", "٩-١٠"])
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_spans(text)


def test_a_calendar_is_kept_in_order(cast: Cast) -> None:
    made = add_calendar(cast.viewer(cast.olga), opening())
    row = Calendar.objects.get(id=made.id)
    assert row.hours == {"0": [["09:00", "14:00"], ["16:00", "19:30"]]}
    assert (row.holidays_country, row.closed_days) == ("ES-MD", ["2027-01-02", "2027-12-24"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": {3: (("14:00", "09:00"),)}}, "hours_3"),
        ({"hours": {3: (("09:00", "14:00"), ("13:00", "15:00"))}}, "hours_3"),
        ({"holidays_country": "XX"}, "holidays_country"),
        ({"holidays_country": "ES-ZZ"}, "holidays_country"),
        ({"closed_days": ("tomorrow",)}, "closed_days"),
        ({"zone": "Nowhere"}, "zone"),
        ({"name": ""}, "name"),
    ],
)
def test_a_refused_calendar_names_its_field(cast: Cast, changes: dict[str, object], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        add_calendar(cast.viewer(cast.olga), opening(**changes))
    assert refused.value.field == field


def test_the_last_calendar_stays(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    with pytest.raises(Conflict):
        remove_calendar(olga, cast.calendar.id)
    second = add_calendar(olga, opening())
    remove_calendar(olga, second.id)
    assert not Calendar.objects.filter(id=second.id).exists()


def test_brands_come_and_go_unless_a_channel_speaks_with_them(cast: Cast) -> None:
    olga = cast.viewer(cast.olga)
    made = add_brand(olga, WORDS)
    change_brand(olga, made.id, WORDS)
    remove_brand(olga, made.id)
    assert list(Brand.objects.filter(workspace=cast.workspace)) == [cast.brand]


def test_foreign_brands_and_calendars_are_not_found(cast: Cast) -> None:
    cleo = cast.viewer(cast.cleo)
    for act in (
        lambda: change_brand(cleo, cast.brand.id, WORDS),
        lambda: remove_brand(cleo, cast.brand.id),
        lambda: change_calendar(cleo, cast.calendar.id, opening()),
        lambda: remove_calendar(cleo, cast.calendar.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_leads_change_neither_brands_nor_calendars_nor_retention(cast: Cast) -> None:
    ben = cast.viewer(cast.ben)
    for act in (
        lambda: add_brand(ben, WORDS),
        lambda: add_calendar(ben, opening()),
        lambda: change_retention(ben, Retention(1, 1, 1, None)),
        lambda: change_workspace(ben, name="X", locale="en", zone="UTC"),
    ):
        with pytest.raises(Forbidden):
            act()


def test_retention_is_kept_and_audited(cast: Cast) -> None:
    change_retention(cast.viewer(cast.adam), Retention(7, 3, 30, 365))
    row = Workspace.objects.get(id=cast.workspace.id)
    assert (row.keep_raw_days, row.keep_events_days, row.keep_sending_logs_days, row.keep_messages_days) == (
        7,
        3,
        30,
        365,
    )
    assert Audit.objects.get(verb="retention_changed").facts["keep_messages_days"] == 365


def test_zero_days_are_refused_by_name(cast: Cast) -> None:
    with pytest.raises(InputRefused) as refused:
        change_retention(cast.viewer(cast.olga), Retention(30, 0, 90, None))
    assert refused.value.field == "keep_events_days"
