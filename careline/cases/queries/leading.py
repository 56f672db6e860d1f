"""The lead's page: who waits, how long, what is late, per agent and per channel; and every case as a row for a
spreadsheet.

Simulated cases are counted apart, so that practice never hides a customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec
from django.db.models import Count, Min, Q, QuerySet

from careline.cases.models import Case
from careline.cases.queries.visible import visible_cases
from careline.channels.models import Channel
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Agent, Team
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

EXPORT_HEADER: Final = (
    "number", "state", "waiting_reason", "outcome", "person", "channel", "network", "surface", "public", "simulated",
    "language", "team", "assignee", "priority", "tags", "messages", "unanswered", "opened_at", "waiting_since",
    "due_at", "first_answered_at", "first_answer_s", "first_answer_in_time", "done_at", "last_at", "title",
)  # fmt: skip
_CHUNK: Final = 2000
# A cell that begins with one of these is a formula to a spreadsheet (OWASP, "CSV Injection", read 2026-11-21).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


class Standing(msgspec.Struct, frozen=True):
    """Open work: how many cases, how many wait for our answer and since when the longest, how many are late or
    nobody's.
    """

    open: int
    waiting: int
    late: int
    unassigned: int
    oldest_since: datetime | None


class AgentStanding(msgspec.Struct, frozen=True):
    """One agent's open work; id 0 is nobody."""

    agent_id: int
    name: str
    is_away: bool
    standing: Standing


class ChannelStanding(msgspec.Struct, frozen=True):
    """One channel's open work."""

    channel_id: int
    name: str
    network: str
    is_simulated: bool
    standing: Standing


class LeadPage(msgspec.Struct, frozen=True):
    """The figures of now. `agents` and `simulated_agents` count the same people's real and simulated work."""

    at: datetime
    real: Standing
    simulated: Standing
    agents: tuple[AgentStanding, ...]
    simulated_agents: tuple[AgentStanding, ...]
    channels: tuple[ChannelStanding, ...]


def lead_page(viewer: Viewer) -> LeadPage:
    """Raises Forbidden without the verb see_lead. Five statements."""
    check_may(viewer.role, "see_lead")
    now = clock.now()
    cases = visible_cases(viewer).filter(state="open", merged_into_id__isnull=True)
    totals = _grouped(cases, now, "is_simulated")
    by_agent = _grouped(cases, now, "is_simulated", "assignee_id")
    by_channel = _grouped(cases, now, "channel_id")
    agents = list(Agent.objects.filter(workspace_id=viewer.workspace_id).order_by("name", "id"))
    channels = Channel.objects.filter(workspace_id=viewer.workspace_id).order_by("name", "id")
    return LeadPage(
        at=now,
        real=totals.get((0,), _NONE),
        simulated=totals.get((1,), _NONE),
        agents=_agents(agents, {agent_id: one for (simulated, agent_id), one in by_agent.items() if not simulated}),
        simulated_agents=_agents(
            agents, {agent_id: one for (simulated, agent_id), one in by_agent.items() if simulated}
        ),
        channels=tuple(
            ChannelStanding(one.id, one.name, one.network, one.is_simulated, by_channel.get((one.id,), _NONE))
            for one in channels
            if one.state != "off" or (one.id,) in by_channel
        ),
    )


_NONE: Final = Standing(0, 0, 0, 0, None)


def _grouped(cases: QuerySet[Case], now: datetime, *by: str) -> dict[tuple[int, ...], Standing]:
    """Standings by the values of these columns, nobody and false as 0. One statement."""
    rows = (
        cases.order_by()
        .values(*by)
        .annotate(
            open=Count("id"),
            waiting=Count("id", filter=Q(waiting_since__isnull=False)),
            late=Count("id", filter=Q(due_at__lt=now)),
            unassigned=Count("id", filter=Q(assignee_id__isnull=True)),
            oldest_since=Min("waiting_since"),
        )
    )
    return {tuple(int(row[column] or 0) for column in by): _standing(row) for row in rows}


def _standing(row: Mapping[str, object]) -> Standing:
    return msgspec.convert({name: row[name] for name in Standing.__struct_fields__}, Standing)


def _agents(agents: list[Agent], standing: dict[int, Standing]) -> tuple[AgentStanding, ...]:
    """Active agents and whoever still holds something; nobody's work first."""
    rows = [
        AgentStanding(one.id, one.name, one.is_away, standing.get(one.id, _NONE))
        for one in agents
        if one.is_active or one.id in standing
    ]
    return (AgentStanding(0, "", False, standing[0]), *rows) if 0 in standing else tuple(rows)


def export_rows(viewer: Viewer) -> Iterator[tuple[str, ...]]:
    """The header, then one row a case, oldest number first, safe to open in a spreadsheet; read in chunks. The export
    is audited before the first row.

    Raises Forbidden without the verb export_cases. Times are ISO 8601 in UTC.
    """
    check_may(viewer.role, "export_cases")
    with unit_of_work() as work:
        record_audit(
            work,
            "cases_exported",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            account_id=viewer.account_id,
        )
    return _export(viewer)


def _export(viewer: Viewer) -> Iterator[tuple[str, ...]]:
    agents = dict(Agent.objects.filter(workspace_id=viewer.workspace_id).values_list("id", "name"))
    teams = dict(Team.objects.filter(workspace_id=viewer.workspace_id).values_list("id", "name"))
    channels = dict(Channel.objects.filter(workspace_id=viewer.workspace_id).values_list("id", "name"))
    yield EXPORT_HEADER
    last = 0
    while True:
        chunk = list(
            visible_cases(viewer).filter(merged_into_id__isnull=True, number__gt=last).order_by("number")[:_CHUNK]
        )
        for case in chunk:
            yield tuple(safe_cell(value) for value in _cells(case, agents, teams, channels))
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1].number


def _cells(case: Case, agents: dict[int, str], teams: dict[int, str], channels: dict[int, str]) -> tuple[object, ...]:
    channel = channels.get(case.channel_id, "")
    team, assignee = teams.get(case.team_id or 0, ""), agents.get(case.assignee_id or 0, "")
    return (
        case.number, case.state, case.waiting_reason, case.outcome, case.person_name, channel, case.network,
        case.surface, case.is_public, case.is_simulated, case.language, team, assignee, case.priority,
        " ".join(case.tags), case.message_count, case.unanswered_count, case.opened_at, case.waiting_since, case.due_at,
        case.first_answered_at, case.first_answer_s, case.first_answer_in_time, case.done_at, case.last_at, case.title,
    )  # fmt: skip


def safe_cell(value: object) -> str:
    """A value as a spreadsheet may read it: text that would be a formula is quoted by an apostrophe. Pure."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) or text.startswith(("\t", "\r", "\n")) else text
