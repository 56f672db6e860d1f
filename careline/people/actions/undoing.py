"""Take back what was done to a person."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.errors import Conflict, NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people.actions import blocking, joining, linking, renaming  # noqa: F401 - their reverses register
from careline.people.acts import REVERSERS
from careline.people.following import check_sees
from careline.people.models import PersonAct
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def undo_person_act(viewer: Viewer, act_id: int) -> int:
    """Reverse an act. Returns the person's id. Raises NotFound, Conflict('already_undone') or ('changed_since')."""
    check_may(viewer.role, "join_persons")
    with unit_of_work() as work:
        act = PersonAct.objects.select_for_update().filter(id=act_id, workspace_id=viewer.workspace_id).first()
        if act is None or act.verb not in REVERSERS:
            raise NotFound("act_not_found", _("There is nothing here to undo."))
        check_sees(viewer, act.person_id)
        if act.undone_at is not None:
            raise Conflict("already_undone", _("This was undone already."))
        REVERSERS[act.verb](work, act, viewer.agent_id)
        PersonAct.objects.filter(id=act.id).update(undone_at=clock.now(), undone_by_id=viewer.agent_id)
        return act.person_id
