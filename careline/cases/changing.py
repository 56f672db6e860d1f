"""How every verb changes a case: lock, mutate, save. `CaseChange.save` bumps the version, ranks, arms clocks, writes
the act and the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from careline.cases.applying import APPLIED_COLUMNS
from careline.cases.clocks import BREACH_KIND, SNOOZE_KIND, STEP_KIND, case_clocks
from careline.cases.models import Case, CaseAct, CaseReader, Notice
from careline.cases.queries.visible import access_cases, audience_columns, audience_names, case_not_found, readers_of
from careline.cases.queue import rank
from careline.cases.snapshots import TRACKED, difference, take_snapshot
from careline.channels.models import Channel
from careline.clocks import setting
from careline.errors import Conflict
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.workspaces.calendars import ALWAYS, OpenHours, open_hours
from careline.workspaces.models import Calendar
from careline.workspaces.roles import Verb, check_may
from careline.workspaces.sight import Viewer

SAVED_COLUMNS = tuple(dict.fromkeys((*APPLIED_COLUMNS, *TRACKED, "sentiment_first", "signs")))


@dataclass
class CaseChange:
    """A locked case and what it was when it was locked."""

    work: UnitOfWork
    case: Case
    agent_id: int | None
    reader_ids: list[int] = field(default_factory=list)
    before: dict[str, object] = field(default_factory=dict)
    audience_before: list[str] = field(default_factory=list)
    now: datetime = field(default_factory=clock.now)

    def __post_init__(self) -> None:
        self.before = take_snapshot(self.case)
        self.audience_before = audience_names(self.case.team_id, self.case.assignee_id, self.reader_ids)

    @property
    def audiences(self) -> list[str]:
        """Everyone who saw the case before or sees it now, so that it also leaves the screens it left."""
        return audience_columns(
            [*audience_names(self.case.team_id, self.case.assignee_id, self.reader_ids), *self.audience_before]
        )

    def save(
        self,
        what: str,
        *,
        why: str = "",
        batch: int | None = None,
        extra: Mapping[str, object] | None = None,
        undoable: bool = True,
    ) -> int:
        """Write the case with its version, rank, clocks, act and event. Returns the act's id, 0 without one. Four
        statements, six with clocks.
        """
        rank(self.case, self.now)
        self.case.version += 1
        self.case.save(update_fields=SAVED_COLUMNS)
        after = take_snapshot(self.case)
        self._arm(after)
        act_id = self._act(what, why, batch, after, extra or {}) if undoable else 0
        self.record("case.changed", what=what)
        return act_id

    def _arm(self, after: Mapping[str, object]) -> None:
        if self.before["snoozed_until"] != after["snoozed_until"]:
            self._arm_alarm()
        if all(self.before[column] == after[column] for column in ("due_at", "state", "clock_percent")):
            return
        clocks = case_clocks(self.case, hours_of_channel(self.case.channel_id)) if self.case.due_at else []
        if clocks:
            setting.set_clocks(clocks)
        elif self.before["due_at"] is not None:
            stop_case_clocks([self.case.id])

    def _arm_alarm(self) -> None:
        until = self.case.snoozed_until
        if until is None:
            setting.stop_clocks(SNOOZE_KIND, [self.case.id])
        else:
            setting.set_clocks([setting.due(self.case.workspace_id, SNOOZE_KIND, self.case.id, until)])

    def _act(
        self, what: str, why: str, batch: int | None, after: dict[str, object], extra: Mapping[str, object]
    ) -> int:
        undone = difference(self.before, after)
        act = CaseAct.objects.create(
            workspace_id=self.case.workspace_id,
            case_id=self.case.id,
            verb=what,
            agent_id=self.agent_id,
            why=why[:200],
            before=undone,
            after={column: after[column] for column in undone} | dict(extra),
            batch=batch,
            at=self.now,
        )
        return act.id

    def record(
        self, kind: str, *, message_id: int | None = None, thread_id: int | None = None, **facts: object
    ) -> None:
        """An event of this case to everyone concerned."""
        for audience in self.audiences:
            self.work.record_event(
                self.case.workspace_id,
                kind,
                audience=audience,
                facts=facts,
                case_id=self.case.id,
                person_id=self.case.person_id,
                message_id=message_id,
                thread_id=thread_id,
                agent_id=self.agent_id,
                version=self.case.version,
            )
        if kind == "message.written" and thread_id is not None:
            self.work.record_event(self.case.workspace_id, "thread.changed", thread_id=thread_id)

    def let_read(self, agent_ids: Iterable[int]) -> None:
        """Ask agents into the case. One statement."""
        fresh = [agent_id for agent_id in dict.fromkeys(agent_ids) if agent_id not in self.reader_ids]
        rows = [
            CaseReader(workspace_id=self.case.workspace_id, case_id=self.case.id, agent_id=agent_id, at=self.now)
            for agent_id in fresh
        ]
        if rows:
            CaseReader.objects.bulk_create(rows, ignore_conflicts=True)
            self.reader_ids.extend(fresh)

    def notify(self, agent_ids: Iterable[int], what: str) -> None:
        """Tell agents, but never the one who acts. One statement."""
        notify(self.work, self.case, [one for one in agent_ids if one != self.agent_id], what, self.agent_id)


@contextmanager
def changing_case(viewer: Viewer, number: int, verb: Verb, *, also_merged: bool = False) -> Iterator[CaseChange]:
    """A unit of work around one locked case. Raises Forbidden, NotFound, or Conflict('case_merged')."""
    with changing_cases(viewer, [number], verb, also_merged=also_merged) as changes:
        yield changes[0]


@contextmanager
def changing_cases(
    viewer: Viewer, numbers: Sequence[int], verb: Verb, *, also_merged: bool = False
) -> Iterator[list[CaseChange]]:
    """A unit of work around several cases, locked in id order. Two statements."""
    check_may(viewer.role, verb)
    if not numbers:
        raise case_not_found()
    with unit_of_work() as work:
        cases = access_cases(viewer, numbers, lock=True)
        if not also_merged:
            check_not_merged(cases)
        yield changes_of(work, cases, viewer.agent_id)


def changes_of(work: UnitOfWork, cases: Sequence[Case], agent_id: int | None) -> list[CaseChange]:
    """Changes of cases already locked. One statement."""
    readers = readers_of([case.id for case in cases])
    return [CaseChange(work, case, agent_id, readers.get(case.id, [])) for case in cases]


def check_not_merged(cases: Iterable[Case]) -> None:
    """Raise Conflict for a case that lives on in another."""
    if any(case.merged_into_id is not None for case in cases):
        raise Conflict("case_merged", _("This case was merged into another. Open that one, or undo the merge."))


def notify(work: UnitOfWork, case: Case, agent_ids: Iterable[int], what: str, actor_id: int | None) -> None:
    """Notices of a case, each with its event for that agent alone. One statement."""
    told = [agent_id for agent_id in dict.fromkeys(agent_ids) if agent_id]
    Notice.objects.bulk_create(
        [
            Notice(
                workspace_id=case.workspace_id,
                agent_id=agent_id,
                case_id=case.id,
                what=what,
                actor_id=actor_id,
                at=clock.now(),
            )
            for agent_id in told
        ]
    )
    for agent_id in told:
        work.record_event(
            case.workspace_id,
            "agent.notified",
            audience=f"only:agent:{agent_id}",
            facts={"what": what},
            case_id=case.id,
            agent_id=agent_id,
        )


def hours_of_channel(channel_id: int) -> OpenHours:
    """The calendar a channel's clocks count in; around the clock without one. One statement."""
    channel = Channel.objects.select_related("calendar").filter(id=channel_id).first()
    return hours_of_calendar(channel.calendar) if channel else ALWAYS


def hours_of_calendar(calendar: Calendar | None) -> OpenHours:
    """An OpenHours from its row; a malformed one counts around the clock."""
    if calendar is None:
        return ALWAYS
    try:
        return open_hours(calendar.zone, calendar.hours, calendar.holidays_country, calendar.closed_days)
    except ValueError:
        return ALWAYS


def stop_case_clocks(case_ids: Sequence[int]) -> None:
    """Nothing is owed on these cases any more. Two statements."""
    setting.stop_clocks(STEP_KIND, case_ids)
    setting.stop_clocks(BREACH_KIND, case_ids)
