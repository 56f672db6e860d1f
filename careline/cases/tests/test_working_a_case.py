"""Notes, closing, assigning, setting aside, tags, fields, notices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.assigning import assign_agent, assign_team, take_case
from careline.cases.actions.closing import close_case, reopen_case
from careline.cases.actions.fields import set_fields, set_harm, set_language, set_title
from careline.cases.actions.noticing import count_unseen, list_notices, mark_seen
from careline.cases.actions.noting import names_after_at, write_note
from careline.cases.actions.snoozing import snooze_case, wait_for
from careline.cases.actions.tagging import tag_case
from careline.cases.models import Case, CaseAct, CaseField, CaseReader, Notice, RollupHour, Tag
from careline.cases.queries.opening import open_case
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import hear
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.models import Event
from careline.kit import clock
from careline.threads.models import Message
from careline.workspaces.models import Agent

pytestmark = pytest.mark.django_db


def _case(case):
    return Case.objects.get(id=case.id)


def test_a_note_asks_the_named_into_the_case_and_tells_them(air, marta_case):
    note = write_note(air.ana, marta_case.number, text="@Carl can you see this? @loyalty too, not me@Ben.test")
    assert (note.direction, note.case_id) == ("note", marta_case.id)
    told = set(Notice.objects.filter(what="mention").values_list("agent_id", flat=True))
    assert told == {air.carl.agent_id, air.dora.agent_id}
    assert set(CaseReader.objects.values_list("agent_id", flat=True)) == told
    assert open_case(air.carl, marta_case.number).messages[-1].text.startswith("@Carl")
    audiences = set(Event.objects.filter(kind="agent.notified").values_list("audience", flat=True))
    assert audiences == {f"only:agent:{agent_id}" for agent_id in told}


def test_a_note_leaves_clock_and_counts_alone(air, marta_case):
    before = _case(marta_case)
    write_note(air.ana, marta_case.number, text="thinking")
    after = _case(marta_case)
    assert (after.due_at, after.message_count, after.last_text) == (
        before.due_at,
        before.message_count,
        before.last_text,
    )
    assert after.version > before.version


def test_the_longest_name_is_meant():
    named = {("ana", ("agent", 1)), ("ana maría", ("agent", 2)), ("care", ("team", 3))}
    assert names_after_at("hola @Ana María, y @care.", named) == {("agent", 2), ("team", 3)}
    assert names_after_at("@anab nobody, mail@ana.test", named) == set()


def test_an_empty_note_is_refused(air, marta_case):
    with pytest.raises(InputRefused):
        write_note(air.ana, marta_case.number, text=" \n ")


def test_closing_stops_the_clock_and_says_how_it_ended(air, marta_case):
    act_id = close_case(air.ana, marta_case.number, "heard", why="no refund by law")
    case = _case(marta_case)
    assert (case.state, case.outcome, case.due_at, case.unanswered_count) == ("done", "heard", None, 0)
    assert case.done_at is not None
    act = CaseAct.objects.get(id=act_id)
    assert (act.verb, act.agent_id, act.why, act.before["state"]) == (
        "closed",
        air.ana.agent_id,
        "no refund by law",
        "open",
    )
    assert not Clock.objects.filter(kind="case.step", subject_id=case.id, fired_at__isnull=True).exists()
    assert RollupHour.objects.get(agent_id=air.ana.agent_id).closed == 1
    with pytest.raises(InputRefused):
        close_case(air.ana, marta_case.number, "bored")


def test_reopening_by_hand_is_open_again(air, marta_case):
    close_case(air.ana, marta_case.number)
    assert reopen_case(air.ana, marta_case.number)
    assert (_case(marta_case).state, _case(marta_case).outcome, _case(marta_case).done_at) == ("open", "", None)
    assert reopen_case(air.ana, marta_case.number) == 0


def test_taking_is_atomic_and_says_who_was_first(air, marta_case):
    assert take_case(air.ana, marta_case.number)
    assert take_case(air.ana, marta_case.number) == 0
    with pytest.raises(Conflict) as refused:
        take_case(air.ben, marta_case.number)
    assert refused.value.code == "taken"
    assert _case(marta_case).assignee_id == air.ana.agent_id


def test_assigning_tells_the_assignee_but_never_oneself(air, marta_case):
    assign_agent(air.ben, marta_case.number, air.ana.agent_id)
    assert Notice.objects.get().agent_id == air.ana.agent_id
    assign_agent(air.ben, marta_case.number, air.ben.agent_id)
    assert Notice.objects.count() == 1
    assign_agent(air.ben, marta_case.number, None)
    case = _case(marta_case)
    assert (case.assignee_id, case.last_agent_id) == (None, air.ben.agent_id)


def test_only_those_who_work_on_cases_can_be_assigned(air, cleo, marta_case):
    for wrong in (air.iris.agent_id, air.carl.agent_id, cleo.agent_id, 0):
        with pytest.raises(NotFound):
            assign_agent(air.ben, marta_case.number, wrong)
    Agent.objects.filter(id=air.ana.agent_id).update(is_active=False)
    with pytest.raises(NotFound):
        assign_agent(air.ben, marta_case.number, air.ana.agent_id)


def test_a_case_moved_to_another_team_leaves_its_assignee_and_tells_both_sides(air, marta_case):
    take_case(air.ana, marta_case.number)
    assign_team(air.ana, marta_case.number, air.loyalty.id)
    case = _case(marta_case)
    assert (case.team_id, case.assignee_id, case.last_agent_id) == (air.loyalty.id, None, air.ana.agent_id)
    newest = Event.objects.filter(kind="case.changed").order_by("-n").first()
    assert {f"team:{air.care.id}", f"team:{air.loyalty.id}"} <= set(newest.audience.split(","))
    with pytest.raises(NotFound):
        open_case(air.ana, marta_case.number)


def test_a_snoozed_case_wakes_by_itself_within_its_second(air, marta_case):
    until = clock.now() + timedelta(hours=2)
    snooze_case(air.ana, marta_case.number, until)
    case = _case(marta_case)
    assert (case.state, case.waiting_reason, case.snoozed_until) == ("waiting", "until", until)
    assert case.due_at is not None  # what is owed stays owed
    with clock.travel(timedelta(hours=2, seconds=1)):
        fire_due()
        assert (_case(marta_case).state, _case(marta_case).snoozed_until) == ("open", None)


def test_a_snooze_is_over_when_the_customer_writes(air, marta_case):
    snooze_case(air.ana, marta_case.number, clock.now() + timedelta(hours=2))
    hear(marta_case, air.channel, air.marta_identity, "and?")
    version = _case(marta_case).version
    assert _case(marta_case).state == "open"
    with clock.travel(timedelta(hours=2, seconds=1)):
        Clock.objects.exclude(kind="case.snooze").delete()
        fire_due()
    assert _case(marta_case).version == version


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(hours=-1), timedelta(days=400)])
def test_a_snooze_ends_in_the_future_within_a_year(air, marta_case, offset):
    with pytest.raises(InputRefused):
        snooze_case(air.ana, marta_case.number, clock.now() + offset)


def test_waiting_for_the_customer_owes_nothing_waiting_for_a_department_does(air, marta_case):
    wait_for(air.ana, marta_case.number, "department")
    assert _case(marta_case).due_at is not None
    wait_for(air.ana, marta_case.number, "customer")
    assert _case(marta_case).due_at is None
    with pytest.raises(InputRefused):
        wait_for(air.ana, marta_case.number, "godot")


def test_tags_are_kept_small_once_and_known(air, marta_case):
    tag_case(air.ana, marta_case.number, add=["  Lost   Miles ", "lost miles", "Ángel"])
    assert _case(marta_case).tags == ["lost miles", "ángel"]
    assert set(Tag.objects.values_list("name", flat=True)) == {"lost miles", "ángel"}
    assert tag_case(air.ana, marta_case.number, add=["ángel"]) == 0
    tag_case(air.ana, marta_case.number, remove=["lost miles"])
    assert _case(marta_case).tags == ["ángel"]
    for wrong in ("", "x" * 41, "a,b", 'say "x"', "new\u202eline"):
        with pytest.raises(InputRefused):
            tag_case(air.ana, marta_case.number, add=[wrong])


def test_fields_follow_their_pattern_and_name_what_is_wrong(air, marta_case):
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking", pattern="[A-Z0-9]{6}")
    CaseField.objects.create(workspace_id=air.workspace.id, key="endless", label="Endless", pattern="(a|aa)+[bc]")
    set_fields(air.ana, marta_case.number, {"booking": " X7YQ2Z "})
    assert _case(marta_case).fields == {"booking": "X7YQ2Z"}
    with pytest.raises(InputRefused) as refused:
        set_fields(air.ana, marta_case.number, {"booking": "no"})
    assert (refused.value.code, refused.value.field) == ("field_pattern", "booking")
    with pytest.raises(NotFound):
        set_fields(air.ana, marta_case.number, {"unknown": "x"})
    set_fields(air.ana, marta_case.number, {"endless": "a" * 60})  # a pattern that cannot end stops nobody
    set_fields(air.ana, marta_case.number, {"booking": ""})
    assert "booking" not in _case(marta_case).fields


def test_title_language_and_harm_are_corrected(air, marta_case):
    set_title(air.ana, marta_case.number, "  Missing   miles ")
    set_language(air.ana, marta_case.number, "es")
    set_harm(air.ana, marta_case.number, True)
    case = _case(marta_case)
    assert (case.title, case.language, case.is_harm, case.due_span_s) == ("Missing miles", "es", True, 300)
    assert case.queue_key < 10**15
    with pytest.raises(InputRefused):
        set_language(air.ana, marta_case.number, "spanish")


def test_notices_are_the_agents_own_and_only_of_cases_they_see(air, cleo, marta_case):
    assign_agent(air.ben, marta_case.number, air.ana.agent_id)
    [notice] = list_notices(air.ana)
    assert (notice.what, notice.case_number, notice.actor_name, notice.seen_at) == (
        "assigned",
        marta_case.number,
        "Ben",
        None,
    )
    assert list_notices(air.ben) == list_notices(cleo) == ()
    assert mark_seen(cleo, [notice.id]) == mark_seen(air.ben) == 0
    assert count_unseen(air.ana) == 1
    assert mark_seen(air.ana, case_number=marta_case.number) == 1
    assert count_unseen(air.ana) == 0
    assign_team(air.ben, marta_case.number, air.loyalty.id)
    assert list_notices(air.ana) == ()


def test_no_event_of_a_case_carries_words(air, marta_case):
    write_note(air.ana, marta_case.number, text="secret words")
    set_title(air.ana, marta_case.number, "secret words")
    tag_case(air.ana, marta_case.number, add=["secret"])
    assert not [event for event in Event.objects.all() if "secret" in str(event.facts)]
    assert Message.objects.filter(text="secret words").exists()
