"""The clocks of a case, fired: steps, lateness, breach."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.closing import close_case
from careline.cases.models import Case, Notice
from careline.cases.timers import leads_of
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import make_case
from careline.events.models import Event
from careline.kit import clock
from careline.workspaces.models import Agent

pytestmark = pytest.mark.django_db


def _late(minutes):
    with clock.travel(timedelta(minutes=minutes)):
        fire_due()


def test_each_step_scores_again_and_moves_the_case_up(air, marta_case):
    keys, scores = [], []
    for minutes in (4, 8, 12.1, 15.1):
        _late(minutes)
        case = Case.objects.get(id=marta_case.id)
        keys.append(case.queue_key)
        scores.append((case.clock_percent, case.priority))
    assert scores == [(25, 8), (50, 15), (80, 24), (100, 30)]
    assert keys == sorted(keys, reverse=True)
    said = [event.facts["what"] for event in Event.objects.filter(kind="clock.fired").order_by("n")]
    assert said == ["step_25", "step_50", "step_80", "step_100"]


def test_a_sleeping_timer_catches_up_in_one_step(air, marta_case):
    _late(14)
    assert Case.objects.get(id=marta_case.id).clock_percent == 80
    assert Event.objects.filter(kind="clock.fired").count() == 1


def test_lateness_is_told_to_the_assignee_and_the_breach_to_the_leads(air, marta_case):
    assign_agent(air.ben, marta_case.number, air.ana.agent_id)
    Notice.objects.all().delete()
    _late(16)
    assert list(Notice.objects.values_list("agent_id", "what")) == [(air.ana.agent_id, "late")]
    _late(61)
    assert set(Notice.objects.values_list("agent_id", flat=True)) == {air.ana.agent_id, air.ben.agent_id}
    _late(120)
    assert Notice.objects.count() == 2


def test_nobodys_late_case_is_told_to_the_leads_of_its_team(air, marta_case):
    _late(16)
    assert list(Notice.objects.values_list("agent_id", flat=True)) == [air.ben.agent_id]


def test_without_a_lead_the_owners_are_told(air, marta_case):
    Agent.objects.filter(id=air.ben.agent_id).update(is_active=False)
    assert leads_of(marta_case) == [air.owner.agent_id]


def test_a_done_case_is_never_late(air, marta_case):
    close_case(air.ana, marta_case.number)
    _late(500)
    assert not Notice.objects.exists()
    assert not Event.objects.filter(kind="clock.fired").exists()


def test_each_case_holds_one_armed_clock(air):
    cases = [make_case(air.channel, air.marta_identity) for _ in range(3)]
    _late(8)
    armed = Clock.objects.filter(fired_at__isnull=True, kind__startswith="case.").values_list("subject_id", flat=True)
    assert sorted(armed) == sorted(case.id for case in cases)
