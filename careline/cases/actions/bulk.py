"""The same act on many cases in one stroke: one unit of work, one batch, one undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.actions.assigning import access_assignable, access_team, assign_change, move_change
from careline.cases.actions.closing import check_outcome, close_change
from careline.cases.actions.tagging import clean_tags, make_tags, tag_change
from careline.cases.cards import index_cards
from careline.cases.changing import CaseChange, changing_cases
from careline.cases.counting import count, counted
from careline.errors import InputRefused
from careline.kit import ids
from careline.workspaces.sight import Viewer

MOST_CASES: Final = 200


def close_many(viewer: Viewer, numbers: Sequence[int], outcome: str = "solved") -> int:
    """Close cases that are not done yet. Returns an act's id of the batch, 0 when nothing changed."""
    check_outcome(outcome)
    with changing_cases(viewer, _checked(numbers), "manage_case") as changes:
        open_ones = [change for change in changes if change.case.state != "done"]
        act_id = _each(open_ones, lambda change, batch: close_change(change, outcome, batch=batch))
        count(counted(change.case, "closed", change.now, viewer.agent_id) for change in open_ones)
        return act_id


def tag_many(viewer: Viewer, numbers: Sequence[int], *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> int:
    """Add and remove tags. Returns an act's id of the batch, 0 when nothing changed."""
    wanted, unwanted = clean_tags(add), clean_tags(remove)
    with changing_cases(viewer, _checked(numbers), "manage_case") as changes:
        make_tags(viewer.workspace_id, wanted)
        act_id = _each(changes, lambda change, batch: tag_change(change, wanted, unwanted, batch))
        index_cards([change.case for change in changes], is_new=False)
        return act_id


def assign_many(viewer: Viewer, numbers: Sequence[int], agent_id: int | None) -> int:
    """Give cases to an agent (None: back to their teams). Returns an act's id of the batch, 0 when nothing changed."""
    with changing_cases(viewer, _checked(numbers), "manage_case") as changes:
        if agent_id is not None:
            access_assignable(viewer.workspace_id, agent_id)
        return _each(changes, lambda change, batch: assign_change(change, agent_id, batch=batch))


def move_many(viewer: Viewer, numbers: Sequence[int], team_id: int | None) -> int:
    """Move cases to a team (None: nobody's). Returns an act's id of the batch, 0 when nothing changed."""
    with changing_cases(viewer, _checked(numbers), "manage_case") as changes:
        if team_id is not None:
            access_team(viewer.workspace_id, team_id)
        return _each(changes, lambda change, batch: move_change(change, team_id, batch=batch))


def _checked(numbers: Sequence[int]) -> Sequence[int]:
    if not numbers or len(set(numbers)) > MOST_CASES:
        raise InputRefused("case_count", _("Choose between 1 and 200 cases."), field="cases")
    return numbers


def _each(changes: Sequence[CaseChange], act: Callable[[CaseChange, int], int]) -> int:
    batch = ids.new_id()
    return max((act(change, batch) for change in changes), default=0)
