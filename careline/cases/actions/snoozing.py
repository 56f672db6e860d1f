"""Set a case aside: until a moment, or until the customer or a department comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.applying import reopen
from careline.cases.changing import CaseChange, changing_case
from careline.cases.clocks import owe_nothing
from careline.errors import InputRefused
from careline.workspaces.sight import Viewer

LONGEST_SNOOZE: Final = timedelta(days=366)
REASONS: Final = ("customer", "department")


def snooze_case(viewer: Viewer, number: int, until: datetime, why: str = "") -> int:
    """Waiting until a moment (aware UTC, in the future, within a year): then it opens by itself. What is owed stays
    owed. Returns the act's id.
    """
    with changing_case(viewer, number, "manage_case") as change:
        if not change.now < until <= change.now + LONGEST_SNOOZE:
            raise InputRefused(
                "snooze_time_wrong", _("Choose a time in the future, at most a year away."), field="until"
            )
        _wait(change, "until", until)
        return change.save("snoozed", why=why)


def wait_for(viewer: Viewer, number: int, reason: str, why: str = "") -> int:
    """Waiting for the customer (nothing is owed any more) or for a department (the customer's clock runs on). Returns
    the act's id.
    """
    if reason not in REASONS:
        raise InputRefused("reason_unknown", _("Choose what this case waits for."), field="reason")
    with changing_case(viewer, number, "manage_case") as change:
        wait_change(change, reason)
        return change.save("waiting", why=why)


def wait_change(change: CaseChange, reason: str) -> None:
    """Put a locked case into waiting, not saved."""
    _wait(change, reason, None)
    if reason == "customer":
        change.case.unanswered_count = 0
        owe_nothing(change.case)


def _wait(change: CaseChange, reason: str, until: datetime | None) -> None:
    if change.case.state == "done":
        reopen(change.case)
    change.case.state, change.case.waiting_reason, change.case.snoozed_until = "waiting", reason, until
