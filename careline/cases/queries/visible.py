"""Which cases a viewer may see: the one rule behind lists, counts, search, stream, files, exports and API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from careline.cases.models import Case, CaseReader
from careline.errors import NotFound
from careline.workspaces.roles import may
from careline.workspaces.sight import Viewer

AUDIENCE_CHARS: Final = 200


def visible_cases(viewer: Viewer) -> QuerySet[Case]:
    """Cases of the viewer's workspace they may open, merged ones included (lists leave those out). No statement of its
    own.

    Owners, admins, leads and analysts see all; agents and trainees their teams', nobody's teams', their own and those
    they were asked into; colleagues only their own and those they were asked into.
    """
    cases = Case.objects.filter(workspace_id=viewer.workspace_id)
    if not may(viewer.role, "read_cases"):
        return cases.none()
    if viewer.sees_all:
        return cases
    asked_into = CaseReader.objects.filter(agent_id=viewer.agent_id, workspace_id=viewer.workspace_id).values("case_id")
    seen = Q(assignee_id=viewer.agent_id) | Q(id__in=asked_into)
    if viewer.role != "colleague":
        seen |= Q(team_id__isnull=True) | Q(team_id__in=viewer.team_ids)
    return cases.filter(seen)


def access_case(viewer: Viewer, number: int, *, lock: bool = False) -> Case:
    """One case by its number. Raises NotFound for one the viewer may not see. One statement."""
    return _one(visible_cases(viewer).filter(number=number), lock)


def access_case_by_id(viewer: Viewer, case_id: int, *, lock: bool = False) -> Case:
    """One case by its id. Raises NotFound for one the viewer may not see. One statement."""
    return _one(visible_cases(viewer).filter(id=case_id), lock)


def access_cases(viewer: Viewer, numbers: Sequence[int], *, lock: bool = False) -> list[Case]:
    """Several cases in id order (the order of locks). Raises NotFound when one may not be seen. One statement."""
    found = visible_cases(viewer).filter(number__in=set(numbers)).order_by("id")
    rows = list(found.select_for_update(of=("self",)) if lock else found)
    if len(rows) != len(set(numbers)):
        raise case_not_found()
    return rows


def _one(found: QuerySet[Case], lock: bool) -> Case:
    case = (found.select_for_update(of=("self",)) if lock else found).first()
    if case is None:
        raise case_not_found()
    return case


def case_not_found() -> NotFound:
    """The same words for a case that is not there and one that may not be seen."""
    return NotFound("case_not_found", _("This case does not exist, or you may not see it."))


def readers_of(case_ids: Iterable[int]) -> dict[int, list[int]]:
    """Agents asked into each case. One statement."""
    readers: dict[int, list[int]] = defaultdict(list)
    for case_id, agent_id in (
        CaseReader.objects.filter(case_id__in=list(case_ids)).order_by("agent_id").values_list("case_id", "agent_id")
    ):
        readers[case_id].append(agent_id)
    return readers


def audience_of(case: Case, reader_ids: Iterable[int] | None = None) -> str:
    """Who may be told of a case, as names matched by events.feed.is_for. Without `reader_ids` they are looked up: one
    statement.
    """
    if reader_ids is None:
        reader_ids = readers_of([case.id]).get(case.id, [])
    return ",".join(audience_names(case.team_id, case.assignee_id, reader_ids))


def audience_names(team_id: int | None, assignee_id: int | None, reader_ids: Iterable[int]) -> list[str]:
    """`team:<id or 0>`, then the assignee and the readers as `agent:<id>`, each once."""
    agents = [agent_id for agent_id in (assignee_id, *reader_ids) if agent_id]
    return list(dict.fromkeys([f"team:{team_id or 0}", *(f"agent:{agent_id}" for agent_id in agents)]))


def audience_columns(names: Iterable[str]) -> list[str]:
    """Names joined into as few audiences as fit Event.audience: an event to many readers is recorded more than once."""
    joined: list[str] = []
    for name in dict.fromkeys(names):
        if joined and len(joined[-1]) + 1 + len(name) <= AUDIENCE_CHARS:
            joined[-1] += f",{name}"
        else:
            joined.append(name)
    return joined
