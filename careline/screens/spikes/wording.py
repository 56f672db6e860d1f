"""Spikes in the reader's words. Pure; called while a page is rendered."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlencode

from babel.numbers import format_decimal
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careline.cases.queries.spiking import SpikeView
from careline.screens.templating import language_name

_LOUD, _CLEAR = 7, 4


def what(spike: SpikeView) -> str:
    """What is said more than usual: topic, place and language, the brand, or copies."""
    row = spike.row
    if row.rule == "cold_cluster":
        return _("The same words by many people")
    if spike.brand_name:
        return _("%(brand)s as a whole") % {"brand": spike.brand_name}
    parts = [spike.topic_name or (_("a topic that is gone") if row.topic else ""), spike.channel_name]
    return " · ".join(part for part in [*parts, language_name(row.language)] if part) or _("Something that is gone")


def tone(spike: SpikeView) -> str:
    """How loudly it is shown."""
    return "loud" if spike.row.severity >= _LOUD else "clear" if spike.row.severity >= _CLEAR else "calm"


def count(spike: SpikeView) -> str:
    """How many in which time."""
    facts = {"num": spike.row.count, "minutes": spike.row.window_s // 60}
    return (
        ngettext("%(num)s message in %(minutes)s min", "%(num)s messages in %(minutes)s min", spike.row.count) % facts
    )


def usual(spike: SpikeView) -> str:
    """What would have been usual."""
    if spike.row.rule == "cold_cluster":
        return _("never said before")
    return _("usually %(number)s") % {"number": figure(spike.row.expected)}


def figure(value: float) -> str:
    """A number as it is read: 2.3, 41."""
    rounded = value if value < 10 else round(value)
    return format_decimal(rounded, "0.#" if value < 10 else "#,##0", locale=translation.get_language() or "en")


def chance(spike: SpikeView) -> str:
    """How seldom chance would do it."""
    if spike.row.rule == "cold_cluster":
        return _("Five people or more said nearly the same within half an hour, and nobody had before.")
    seldom = figure(float(f"{min(1e9, 1 / max(spike.row.p, 1e-12)):.0e}"))
    return _("By chance this happens less than once in %(number)s times.") % {"number": seldom}


def basis(spike: SpikeView) -> str:
    """What is taken as usual."""
    facts = {"num": spike.row.samples}
    known = {
        "weeks": ngettext("the same weekday and hour of %(num)s earlier week", "the same weekday and hour of %(num)s earlier weeks", spike.row.samples),
        "days": ngettext("the same hour of %(num)s earlier day", "the same hour of %(num)s earlier days", spike.row.samples),
        "pooled": _("all that was heard before; there are no earlier days yet"),
    }  # fmt: skip
    return known.get(spike.row.basis, "") % facts


def parts(spike: SpikeView) -> list[tuple[str, float, float]]:
    """The points of severity: name, points, the most there are."""
    names = {
        "ratio": _("times the usual"),
        "p": _("how sure"),
        "count": _("messages"),
        "authors": _("people"),
        "negative_share": _("unhappy"),
        "reach": _("seen by"),
    }
    return [(names.get(str(name), str(name)), float(points), float(most)) for name, points, most in spike.row.parts]


def cases_query(spike: SpikeView) -> str:
    """The list of these cases as an address's query; '' where no filter can say it (copies, or a thing that is gone)."""
    if spike.row.rule == "cold_cluster" or (spike.row.topic and not spike.topic_id):
        return ""
    if not spike.brand_name and not spike.channel_id:
        return ""
    wanted = {"topic": spike.topic_id, "channel": spike.channel_id, "language": spike.row.language}
    return urlencode({"view": "all", **{name: str(value) for name, value in wanted.items() if value}})


words = SimpleNamespace(
    what=what, tone=tone, count=count, usual=usual, figure=figure, chance=chance, basis=basis, parts=parts, cases_query=cases_query
)  # fmt: skip
