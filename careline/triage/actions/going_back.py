"""Back to an earlier version of a head, or to the shipped one, and forward again: one click, nothing is fitted."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from careline.errors import Conflict, NotFound
from careline.events.recording import unit_of_work
from careline.triage.learning import NAMES, newest_row
from careline.triage.models import FittedHead
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

SHIPPED: Final = 0


def go_back(viewer: Viewer, name: str, version: int) -> None:
    """Use this version; 0 is the head that was shipped (none, for topics). Learning goes on after five new corrections.

    Raises NotFound, Conflict('head_in_use'), Conflict('head_refused') for one that was worse, or whose words are gone.
    """
    check_may(viewer.role, "manage_triage")
    if name not in NAMES:
        raise NotFound("head_not_found", _("There is no such version."))
    with unit_of_work() as work:
        versions = FittedHead.objects.filter(workspace_id=viewer.workspace_id, name=name)
        states = dict(versions.select_for_update().order_by("id").values_list("version", "state"))
        _check_usable(states, version)
        versions.filter(state="active").update(state="earlier")
        versions.filter(version=version).update(state="active")
        versions.filter(version=max(states)).update(counted_to=newest_row(viewer.workspace_id, name))
        facts = {"name": name, "version": version, "state": "active"}
        work.record_event(viewer.workspace_id, "triage.learned", agent_id=viewer.agent_id, facts=facts)
        record_audit(
            work,
            "head_gone_back",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"head:{name}",
            facts={"version": version},
        )


def _check_usable(states: dict[int, str], version: int) -> None:
    if not states or (version != SHIPPED and version not in states):
        raise NotFound("head_not_found", _("There is no such version."))
    is_used = "active" not in states.values() if version == SHIPPED else states[version] == "active"
    if is_used:
        raise Conflict("head_in_use", _("This version is in use already."))
    if version != SHIPPED and states[version] == "refused":
        raise Conflict(
            "head_refused", _("This version is never used: it was worse, or words it learned from are gone.")
        )
