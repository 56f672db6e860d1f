"""The lists of the settings, described: what a list shows, which form edits an entry, who may, and what to say when it
is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from careline.cases.actions import defining
from careline.cases.queries.defining import access_field, access_tag, list_fields, list_tag_rows
from careline.knowledge.actions import snippets
from careline.knowledge.queries import access_snippet, list_snippets
from careline.screens.settings import entries
from careline.workspaces import queries
from careline.workspaces.actions import branding, grouping, opening
from careline.workspaces.roles import Verb
from careline.workspaces.sight import Viewer

Words = str | Promise


@dataclass(frozen=True)
class Shelf:
    """One list. `cells` gives a row's texts in the order of `columns`; the first one is the link."""

    name: str
    verb: Verb
    icon: str
    title: Words
    lead: Words
    add_label: Words
    empty: Words
    columns: tuple[Words, ...]
    form: type[entries.EntryForm]
    rows: Callable[[int], Iterable[Any]]
    access: Callable[[int, int], Any]
    cells: Callable[[Any], tuple[str, ...]]
    remove: Callable[[Viewer, int], None]


def _brand_cells(row: Any) -> tuple[str, ...]:
    return (row.name, ", ".join(row.languages), row.get_formality_display(), row.zone)


def _calendar_cells(row: Any) -> tuple[str, ...]:
    spans = [f"{entries.DAYS[int(day)][:2]} {opening.render_spans(hours)}" for day, hours in sorted(row.hours.items())]
    return (row.name, row.zone, " · ".join(spans) or _now("around the clock"), row.holidays_country)


def _snippet_cells(row: Any) -> tuple[str, ...]:
    return (f"/{row.shortcut}", row.name, ", ".join(row.texts), str(row.used_count))


SHELVES: Final = {
    "teams": Shelf(
        name="teams",
        verb="manage_workspace",
        icon="users",
        title=_("Teams"),
        lead=_("A team shares a queue. A channel's cases go to its team; an agent sees the cases of their teams."),
        add_label=_("Add a team"),
        empty=_("Add the first team, then put agents into it."),
        columns=(_("Name"), _("Agents")),
        form=entries.TeamForm,
        rows=queries.list_teams,
        access=queries.access_team,
        cells=lambda row: (row.name, str(row.size)),
        remove=grouping.remove_team,
    ),
    "brands": Shelf(
        name="brands",
        verb="manage_workspace",
        icon="store",
        title=_("Brands"),
        lead=_("A brand is a voice and a name. Every channel speaks with one."),
        add_label=_("Add a brand"),
        empty=_("Add the name your customers know you by."),
        columns=(_("Name"), _("Languages"), _("Spanish"), _("Time zone")),
        form=entries.BrandForm,
        rows=queries.list_brands,
        access=queries.access_brand,
        cells=_brand_cells,
        remove=branding.remove_brand,
    ),
    "calendars": Shelf(
        name="calendars",
        verb="manage_workspace",
        icon="calendar",
        title=_("Calendars"),
        lead=_("Clocks count only while a channel's calendar is open. No hours at all means around the clock."),
        add_label=_("Add a calendar"),
        empty=_("Add your opening hours; until then clocks count around the clock."),
        columns=(_("Name"), _("Time zone"), _("Hours"), _("Holidays")),
        form=entries.CalendarForm,
        rows=queries.list_calendars,
        access=queries.access_calendar,
        cells=_calendar_cells,
        remove=opening.remove_calendar,
    ),
    "tags": Shelf(
        name="tags",
        verb="manage_workspace",
        icon="tag",
        title=_("Tags"),
        lead=_("Words to sort cases by. Renaming one renames it on every case that carries it."),
        add_label=_("Add a tag"),
        empty=_("Begin with the three things customers ask about most."),
        columns=(_("Tag"), _("Colour")),
        form=entries.TagForm,
        rows=list_tag_rows,
        access=access_tag,
        cells=lambda row: (row.name, str(entries.COLOR_WORDS.get(row.color, row.color))),
        remove=defining.remove_tag,
    ),
    "fields": Shelf(
        name="fields",
        verb="manage_workspace",
        icon="hash",
        title=_("Case fields"),
        lead=_("Facts of your trade on every case, such as a booking reference. They can be searched."),
        add_label=_("Add a field"),
        empty=_("Add the number agents always ask for first."),
        columns=(_("Label"), pgettext_lazy("of a field", "Key"), _("Looks like")),
        form=entries.CaseFieldForm,
        rows=list_fields,
        access=access_field,
        cells=lambda row: (row.label, row.key, row.pattern),
        remove=defining.remove_field,
    ),
    "snippets": Shelf(
        name="snippets",
        verb="manage_snippets",
        icon="quote",
        title=_("Snippets"),
        lead=_("Texts inserted with / in the composer, in the customer's language, with variables filled in."),
        add_label=_("Add a snippet"),
        empty=_("Write down the answer you gave three times today."),
        columns=(_("Shortcut"), _("Name"), _("Languages"), _("Used")),
        form=entries.SnippetForm,
        rows=list_snippets,
        access=access_snippet,
        cells=_snippet_cells,
        remove=snippets.remove_snippet,
    ),
}
