"""The workspace itself: its name, language and zone, and for how many days each kind of thing is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.events.recording import unit_of_work
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import check_locale, check_name, check_zone, record_settings_change
from careline.workspaces.models import Workspace
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

LONGEST_DAYS = 3650
# Below a day of raw deliveries and events, neither a replay nor a returning stream would find what it needs.
SHORTEST_DAYS = 1


@dataclass(frozen=True)
class Retention:
    """Days each thing is kept. `keep_messages_days` None keeps messages and files until a policy says otherwise."""

    keep_raw_days: int
    keep_events_days: int
    keep_sending_logs_days: int
    keep_messages_days: int | None


def change_workspace(viewer: Viewer, *, name: str, locale: str, zone: str) -> None:
    """Name, language of system texts and zone of figures. Raises InputRefused with the field's name."""
    check_may(viewer.role, "manage_workspace")
    wanted = check_name(name, "name", 120)
    check_locale(locale)
    check_zone(zone)
    with unit_of_work() as work:
        Workspace.objects.filter(id=viewer.workspace_id).update(name=wanted, locale=locale, zone=zone)
        record_audit(
            work,
            "workspace_changed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"workspace:{viewer.workspace_id}",
        )
        record_settings_change(work, viewer.workspace_id, "workspace")


def change_retention(viewer: Viewer, retention: Retention) -> None:
    """How long things are kept, days.

    The purge follows at its next round. Raises InputRefused with the field's name.
    """
    check_may(viewer.role, "manage_workspace")
    days = asdict(retention)
    for field, value in days.items():
        if value is not None and not SHORTEST_DAYS <= value <= LONGEST_DAYS:
            raise InputRefused(
                "days_wrong", _("Enter between 1 and %(limit)d days.") % {"limit": LONGEST_DAYS}, field=field
            )
    with unit_of_work() as work:
        Workspace.objects.filter(id=viewer.workspace_id).update(**days)
        record_audit(work, "retention_changed", workspace_id=viewer.workspace_id, agent_id=viewer.agent_id, facts=days)
        record_settings_change(work, viewer.workspace_id, "retention")
