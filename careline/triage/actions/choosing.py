"""A workspace's choices about triage: whether it runs, what is set aside and from when, what is drawn for audit, what is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.events.recording import unit_of_work
from careline.triage.models import TriageSettings
from careline.triage.personal.masking import KINDS
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import record_settings_change
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class Choices:
    """`set_aside_from`: 0.5 to 1. `audit_percent`: 0 to 100. `masked`: kinds of personal data; none at all stands for the usual ones."""

    is_on: bool
    sets_aside: bool
    set_aside_from: float
    audit_percent: float
    masked: tuple[str, ...]


def change_triage(viewer: Viewer, choices: Choices) -> None:
    """Judging follows at its next batch. Raises InputRefused with the field's name."""
    check_may(viewer.role, "manage_triage")
    _check_share(
        choices.set_aside_from, 0.5, 1.0, "set_aside_from", _("Enter a confidence between 50 and 100 percent.")
    )
    _check_share(choices.audit_percent, 0.0, 100.0, "audit_percent", _("Enter a percentage between 0 and 100."))
    _check_kinds(choices.masked)
    columns = {
        "is_on": choices.is_on,
        "sets_aside": choices.sets_aside,
        "set_aside_from": choices.set_aside_from,
        "audit_percent": choices.audit_percent,
        "masked": list(choices.masked),
    }
    with unit_of_work() as work:
        TriageSettings.objects.update_or_create(workspace_id=viewer.workspace_id, defaults=columns)
        facts = {**columns, "masked": " ".join(choices.masked)}
        record_audit(work, "triage_changed", workspace_id=viewer.workspace_id, agent_id=viewer.agent_id, facts=facts)  # type: ignore[arg-type] # plain values
        record_settings_change(work, viewer.workspace_id, "triage")


def _check_share(value: float, least: float, most: float, field: str, words: str) -> None:
    if not least <= value <= most:
        raise InputRefused("share_wrong", words, field=field)


def _check_kinds(masked: Sequence[str]) -> None:
    if set(masked) - set(KINDS):
        raise InputRefused("kind_unknown", _("Choose among the kinds offered."), field="masked")
