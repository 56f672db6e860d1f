"""A spike's row from its firing to its end: fired once, followed while it goes on, quiet after an hour without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from careline.events.recording import UnitOfWork
from careline.triage.models import Spike
from careline.triage.spikes.defaults import DEFAULTS

if TYPE_CHECKING:
    from careline.triage.spikes.judging import Spike as Found

_FIGURES: Final = (
    "window_s", "count", "expected", "ratio", "p", "authors", "negative_share", "reach", "severity", "parts", "basis",
    "samples", "level", "causes", "examples",
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A unit or cluster found above the usual now."""

    key: str
    found: Found
    is_simulated: bool


def going_on(workspace_id: int) -> dict[str, Spike]:
    """What has not ended, dismissed or not, by key. One statement."""
    return {one.key: one for one in Spike.objects.filter(workspace_id=workspace_id, ended_at__isnull=True)}


def live_on(work: UnitOfWork, workspace_id: int, judged: Sequence[Judged], now: datetime) -> list[Spike]:
    """Inside a unit of work: fire what is new, follow what goes on, end what was quiet for an hour. Returns the ended ones.

    Two statements, and one for each spike that fires, grows or ends.
    """
    locked = Spike.objects.select_for_update().filter(workspace_id=workspace_id, ended_at__isnull=True)
    known = {one.key: one for one in locked.order_by("id")}
    for one in judged:
        row = known.get(one.key)
        if row is None:
            _fire(work, workspace_id, one, now)
        else:
            _follow(work, row, one, now)
    seen = {one.key for one in judged}
    return [row for key, row in known.items() if key not in seen and _end(work, row, now)]


def _fire(work: UnitOfWork, workspace_id: int, judged: Judged, now: datetime) -> None:
    unit = judged.found.unit
    row = Spike(
        workspace_id=workspace_id,
        key=judged.key,
        rule=judged.found.rule,
        place=unit.place,
        topic=unit.topic,
        language=unit.language,
        cluster_id=judged.found.cluster,
        is_simulated=judged.is_simulated,
        first_at=now,
        last_at=now,
        **figures_of(judged.found),
    )
    row.save(force_insert=True)
    work.record_event(workspace_id, "spike.fired", facts={"spike": str(row.id), "severity": row.severity})


def _follow(work: UnitOfWork, row: Spike, judged: Judged, now: datetime) -> None:
    """The figures are of its height; the cause is of now, without the words of what was erased meanwhile."""
    before = row.severity
    higher = (judged.found.severity, judged.found.count) >= (row.severity, row.count)
    figures = figures_of(judged.found)
    taken = _FIGURES if higher else ("causes", "examples")
    for name in taken:
        setattr(row, name, figures[name])
    row.last_at = now
    row.save(update_fields=["last_at", *taken])
    if row.severity > before and row.state == "open":
        tell_change(work, row, "grew")


def _end(work: UnitOfWork, row: Spike, now: datetime) -> bool:
    if now - row.last_at < DEFAULTS.quiet:
        return False
    row.ended_at = now
    row.state = "quiet" if row.state == "open" else row.state
    row.save(update_fields=["ended_at", "state"])
    tell_change(work, row, "quiet")
    return True


def tell_change(work: UnitOfWork, row: Spike, what: str, agent_id: int | None = None) -> None:
    """Screens that show it draw it again."""
    facts = {"spike": str(row.id), "severity": row.severity, "what": what}
    work.record_event(row.workspace_id, "spike.changed", facts=facts, agent_id=agent_id)


def figures_of(found: Found) -> Mapping[str, object]:
    """What a row keeps of a judgement."""
    return {
        "window_s": int(found.window.total_seconds()),
        "count": found.count,
        "expected": found.expected,
        "ratio": found.ratio,
        "p": found.p,
        "authors": found.authors,
        "negative_share": found.negative_share,
        "reach": found.reach,
        "severity": found.severity,
        "parts": [list(part) for part in found.parts],
        "basis": found.basis,
        "samples": found.samples,
        "level": found.level,
        "causes": [list(cause) for cause in found.causes],
        "examples": list(found.examples),
    }
