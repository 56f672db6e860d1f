"""Spam by one key: the case is closed and whoever wrote it is blocked. Undoable with everything else."""

from __future__ import annotations

from collections.abc import Mapping

from careline.cases.applying import close
from careline.cases.changing import CaseChange, changes_of, check_not_merged
from careline.cases.counting import count, counted
from careline.cases.models import CaseAct
from careline.cases.queries.visible import access_case
from careline.cases.reversing import reverses
from careline.events.recording import unit_of_work
from careline.people.blocking import block, unblock
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def block_case(viewer: Viewer, number: int, why: str = "") -> int:
    """Close a case as spam and block its person with all identities: their words are kept but reach nobody. Returns
    the act's id.
    """
    check_may(viewer.role, "block_person")
    check_may(viewer.role, "manage_case")
    with unit_of_work() as work:
        person_id = access_case(viewer, number).person_id
        identity_ids = block(work, viewer.workspace_id, person_id)
        case = access_case(viewer, number, lock=True)
        check_not_merged([case])
        change = changes_of(work, [case], viewer.agent_id)[0]
        close(case, "spam", change.now)
        act_id = change.save("blocked", why=why, extra={"blocked_person_id": person_id, "identity_ids": identity_ids})
        count([counted(case, "closed", change.now, viewer.agent_id)])
        return act_id


@reverses("blocked")
def unblock_case(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """The person may be heard again."""
    change = changes[act.case_id]
    unblock(change.work, change.case.workspace_id, int(act.after["blocked_person_id"]), list(act.after["identity_ids"]))
