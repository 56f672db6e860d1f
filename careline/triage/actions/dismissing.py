"""A lead says that a spike is none, or takes that back. What was dismissed counts as usual from then on; nothing else follows from it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.triage.models import Spike
from careline.triage.watching.living import tell_change
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def dismiss_spike(viewer: Viewer, spike_id: int) -> None:
    """It leaves the banner, and the same unit fires nothing new until it was quiet for an hour. Twice changes nothing. Raises NotFound."""
    _judge(viewer, spike_id, is_dismissed=True)


def restore_spike(viewer: Viewer, spike_id: int) -> None:
    """As if it had not been dismissed. Raises NotFound."""
    _judge(viewer, spike_id, is_dismissed=False)


def _judge(viewer: Viewer, spike_id: int, *, is_dismissed: bool) -> None:
    check_may(viewer.role, "see_lead")
    check_may(viewer.role, "manage_case")
    with unit_of_work() as work:
        row = Spike.objects.select_for_update().filter(workspace_id=viewer.workspace_id, id=spike_id).first()
        if row is None:
            raise NotFound("spike_not_found", _("There is no such spike."))
        if (row.state == "dismissed") == is_dismissed:
            return
        row.state = "dismissed" if is_dismissed else "quiet" if row.ended_at else "open"
        row.judged_by_id = viewer.agent_id if is_dismissed else None
        row.judged_at = clock.now() if is_dismissed else None
        row.save(update_fields=["state", "judged_by_id", "judged_at"])
        tell_change(work, row, "dismissed" if is_dismissed else "restored", agent_id=viewer.agent_id)
