"""Block a person from their pane, or let them be heard again."""

from __future__ import annotations

from careline.events.recording import UnitOfWork, unit_of_work
from careline.people.acts import record_act, reverses
from careline.people.blocking import block, unblock
from careline.people.following import check_sees
from careline.people.models import PersonAct
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def block_person(viewer: Viewer, person_id: int, why: str = "") -> int:
    """Their words are kept and reach nobody. Returns the act's id."""
    check_may(viewer.role, "block_person")
    check_sees(viewer, person_id)
    with unit_of_work() as work:
        identity_ids = block(work, viewer.workspace_id, person_id)
        return record_act(
            viewer.workspace_id, person_id, "blocked", viewer.agent_id, why, {"identity_ids": identity_ids}
        )


def unblock_person(viewer: Viewer, person_id: int) -> None:
    """Let them be heard again, by every identity."""
    check_may(viewer.role, "block_person")
    check_sees(viewer, person_id)
    with unit_of_work() as work:
        unblock(work, viewer.workspace_id, person_id)


@reverses("blocked")
def heard_again(work: UnitOfWork, act: PersonAct, actor_id: int) -> None:
    """Those identities speak again that this act had blocked."""
    unblock(work, act.workspace_id, act.person_id, list(act.facts["identity_ids"]))
