"""Close a case with an outcome; open it again."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from careline.cases.applying import close, reopen
from careline.cases.changing import CaseChange, changing_case
from careline.cases.counting import count, counted
from careline.errors import InputRefused
from careline.workspaces.sight import Viewer

OUTCOMES: Final = ("solved", "heard", "no_answer_needed", "spam")


def close_case(viewer: Viewer, number: int, outcome: str = "solved", why: str = "") -> int:
    """Done, with an outcome: solved, heard, no_answer_needed or spam. Returns the act's id; closing a done case again
    only changes the outcome.
    """
    check_outcome(outcome)
    with changing_case(viewer, number, "manage_case") as change:
        act_id = close_change(change, outcome, why)
        count([counted(change.case, "closed", change.now, viewer.agent_id)])
        return act_id


def check_outcome(outcome: str) -> None:
    """Refuse an outcome nobody defined."""
    if outcome not in OUTCOMES:
        raise InputRefused("outcome_unknown", _("Choose how this case ended."), field="outcome")


def close_change(change: CaseChange, outcome: str, why: str = "", batch: int | None = None) -> int:
    """Close a locked case. Returns the act's id."""
    close(change.case, outcome, change.now)
    return change.save("closed", why=why, batch=batch)


def reopen_case(viewer: Viewer, number: int, why: str = "") -> int:
    """Open a waiting or done case by hand. Returns the act's id, 0 when it was open."""
    with changing_case(viewer, number, "manage_case") as change:
        if change.case.state == "open":
            return 0
        reopen(change.case)
        return change.save("reopened", why=why)
