"""Handlers of the clocks of cases: the steps of a promise, its breach, the end of a snooze. Registered when cases are
loaded.
"""

from __future__ import annotations

from careline.cases.applying import reopen
from careline.cases.changing import CaseChange, changes_of, hours_of_channel
from careline.cases.clocks import BREACH_KIND, SNOOZE_KIND, STEP_KIND, case_clocks, percent_passed
from careline.cases.models import Case
from careline.clocks.firing import on
from careline.clocks.models import Clock
from careline.clocks.setting import set_clocks
from careline.events.recording import UnitOfWork
from careline.workspaces.models import Agent

LATE_PERCENT = 100


@on(STEP_KIND)
def pass_step(work: UnitOfWork, fired: Clock) -> None:
    """25, 50, 80 or 100 % of a clock have passed: score again, move up the queue; at 100 % tell the assignee, or the
    leads.
    """
    change = _locked(work, fired)
    if change is None or change.case.due_at is None:
        return
    hours = hours_of_channel(change.case.channel_id)
    percent = percent_passed(change.case, hours, change.now)
    if percent <= change.case.clock_percent:
        # The clock was moved (a new calendar, a restored case): wait for its next step.
        set_clocks(case_clocks(change.case, hours))
        return
    change.case.clock_percent = percent
    if percent == LATE_PERCENT:
        change.notify([change.case.assignee_id] if change.case.assignee_id else leads_of(change.case), "late")
    change.save("clock", undoable=False)
    change.record("clock.fired", what=f"step_{percent}")


@on(BREACH_KIND)
def pass_breach(work: UnitOfWork, fired: Clock) -> None:
    """The answer is past its last limit: the leads are told, whoever holds the case."""
    change = _locked(work, fired)
    if change is None or change.case.breach_at is None or change.case.breach_at > change.now:
        return
    change.notify(leads_of(change.case), "late")
    change.record("clock.fired", what="breach")


@on(SNOOZE_KIND)
def wake_case(work: UnitOfWork, fired: Clock) -> None:
    """The moment a case was set aside for has come: it is open again."""
    change = _locked(work, fired)
    if change is None or change.case.snoozed_until is None or change.case.snoozed_until > change.now:
        return
    reopen(change.case)
    change.save("woke", undoable=False)


def _locked(work: UnitOfWork, fired: Clock) -> CaseChange | None:
    case = Case.objects.select_for_update().filter(id=fired.subject_id, workspace_id=fired.workspace_id).first()
    if case is None or case.state == "done":
        return None
    return changes_of(work, [case], None)[0]


def leads_of(case: Case) -> list[int]:
    """Active leads of the case's team, else every lead, else owners and admins. Two statements at most."""
    staff = Agent.objects.filter(workspace_id=case.workspace_id, is_active=True)
    leads = list(staff.filter(role="lead").order_by("id").values_list("id", "teams__id"))
    own = {agent_id for agent_id, team_id in leads if case.team_id is not None and team_id == case.team_id}
    everyone = own or {agent_id for agent_id, _team_id in leads}
    return (
        sorted(everyone)
        if everyone
        else list(staff.filter(role__in=["owner", "admin"]).order_by("id").values_list("id", flat=True))
    )
