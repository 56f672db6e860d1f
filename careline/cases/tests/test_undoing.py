"""Invariant 7, Undo: merges, splits, joins, closings, assignments, blocks, bulk: each is a row with who, when, why,
and its reverse.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.assigning import assign_agent, assign_team, take_case
from careline.cases.actions.blocking import block_case
from careline.cases.actions.bulk import assign_many, close_many, move_many, tag_many
from careline.cases.actions.closing import close_case
from careline.cases.actions.fields import set_fields, set_harm, set_title
from careline.cases.actions.joining import join_case
from careline.cases.actions.merging import merge_case
from careline.cases.actions.noting import write_note
from careline.cases.actions.snoozing import snooze_case, wait_for
from careline.cases.actions.splitting import split_case
from careline.cases.actions.tagging import tag_case
from careline.cases.actions.undoing import undo_act, undo_last
from careline.cases.models import Case, CaseAct, CaseField, RollupHour
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.rows import ListFilters
from careline.clocks.models import Clock
from careline.conftest import DM, hear, make_case, make_identity, make_thread, say
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.models import Event
from careline.kit import clock
from careline.people.models import Identity, Person
from careline.threads.models import Message, Thread

pytestmark = pytest.mark.django_db
VOLATILE = {"version", "priority_reasons", "queue_key"}


def _columns(case):
    row = Case.objects.filter(id=case.id).values().get()
    return {name: value for name, value in row.items() if name not in VOLATILE}


def _someone(air, name="Otro"):
    return make_identity(Person.objects.create(workspace_id=air.workspace.id, name=name), f"{name}-1", name=name)


@pytest.mark.parametrize(
    "act",
    [
        lambda air, number: close_case(air.ana, number, "heard"),
        lambda air, number: take_case(air.ana, number),
        lambda air, number: assign_agent(air.ana, number, air.ben.agent_id),
        lambda air, number: assign_team(air.ana, number, None),
        lambda air, number: snooze_case(air.ana, number, clock.now() + timedelta(hours=3)),
        lambda air, number: wait_for(air.ana, number, "customer"),
        lambda air, number: tag_case(air.ana, number, add=["one", "two"]),
        lambda air, number: set_title(air.ana, number, "Missing miles"),
        lambda air, number: set_fields(air.ana, number, {"booking": "ABC"}),
        lambda air, number: set_harm(air.ana, number, True),
        lambda air, number: block_case(air.ana, number),
    ],
    ids=["close", "take", "assign", "move", "snooze", "wait", "tag", "title", "fields", "harm", "block"],
)
def test_every_act_is_written_down_and_taken_back_whole(air, marta_case, act):
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking")
    before = _columns(marta_case)
    clocks = set(Clock.objects.filter(fired_at__isnull=True, subject_id=marta_case.id).values_list("kind", "due_at"))
    act_id = act(air, marta_case.number)
    assert _columns(marta_case) != before
    assert undo_act(air.ana, act_id) == [marta_case.number]
    assert _columns(marta_case) == before
    assert (
        set(Clock.objects.filter(fired_at__isnull=True, subject_id=marta_case.id).values_list("kind", "due_at"))
        == clocks
    )
    row = CaseAct.objects.get(id=act_id)
    assert (row.agent_id, row.undone_by_id) == (air.ana.agent_id, air.ana.agent_id)
    assert row.undone_at is not None
    assert Event.objects.filter(kind="case.undone", case_id=marta_case.id).exists()
    with pytest.raises(Conflict) as again:
        undo_act(air.ana, act_id)
    assert again.value.code == "already_undone"


def test_an_act_is_not_undone_over_a_later_decision(air, marta_case):
    act_id = assign_agent(air.ana, marta_case.number, air.ana.agent_id)
    assign_agent(air.ben, marta_case.number, air.ben.agent_id)
    with pytest.raises(Conflict) as refused:
        undo_act(air.ana, act_id)
    assert refused.value.code == "changed_since"
    assert Case.objects.get(id=marta_case.id).assignee_id == air.ben.agent_id


def test_a_closing_is_not_undone_when_the_customer_reopened_it(air, marta_case):
    act_id = close_case(air.ana, marta_case.number)
    hear(marta_case, air.channel, air.marta_identity, "not solved!")
    with pytest.raises(Conflict):
        undo_act(air.ana, act_id)


def test_undo_takes_the_viewers_own_newest_act(air, marta_case):
    tag_case(air.ana, marta_case.number, add=["first"])
    tag_case(air.ben, marta_case.number, add=["bens"])
    undo_last(air.ben)
    assert Case.objects.get(id=marta_case.id).tags == ["first"]
    undo_last(air.ana)
    assert Case.objects.get(id=marta_case.id).tags == []
    with pytest.raises(NotFound):
        undo_last(air.ana)


def test_closing_and_undoing_counts_to_nothing(air, marta_case):
    undo_act(air.ana, close_case(air.ana, marta_case.number))
    assert RollupHour.objects.get(agent_id=air.ana.agent_id).closed == 0


def test_a_merge_moves_everything_and_gives_it_back(air):
    source = make_case(air.channel, air.marta_identity, "first half", surface=DM, at=clock.now() - timedelta(minutes=9))
    target = make_case(air.channel, _someone(air), "second half")
    tag_case(air.ana, source.number, add=["lost"])
    write_note(air.ana, source.number, text="@Carl look")
    before = {case.id: _columns(case) for case in (source, target)}
    act_id = merge_case(air.ana, source.number, target.number, why="same bag")
    merged, gone = Case.objects.get(id=target.id), Case.objects.get(id=source.id)
    assert (gone.merged_into_id, gone.state, gone.due_at) == (target.id, "done", None)
    assert (merged.message_count, merged.unanswered_count, merged.tags) == (2, 2, ["lost"])
    assert merged.waiting_since == before[source.id]["waiting_since"]
    assert Message.objects.filter(case_id=source.id).count() == 0
    assert open_case(air.ana, source.number).merged_into_number == target.number
    assert open_case(air.carl, target.number).row.id == target.id  # whoever was asked in may follow
    with pytest.raises(Conflict):
        tag_case(air.ana, source.number, add=["x"])
    assert sorted(undo_act(air.ana, act_id)) == sorted([source.number, target.number])
    assert {case.id: _columns(case) for case in (source, target)} == before
    assert [one.text for one in open_case(air.ana, source.number).messages] == ["first half", "@Carl look"]
    assert [row.number for row in list_page(air.ana, ListFilters(view="all", query="first")).rows] == [source.number]


def test_a_merge_takes_the_bound_private_thread_along(air):
    thread = make_thread(air.channel, DM)
    source = make_case(air.channel, air.marta_identity, surface=DM, thread=thread)
    Thread.objects.filter(id=thread.id).update(bound_case_id=source.id)
    target = make_case(air.channel, air.marta_identity)
    act_id = merge_case(air.ana, source.number, target.number)
    assert Thread.objects.get(id=thread.id).bound_case_id == target.id
    undo_act(air.ana, act_id)
    assert Thread.objects.get(id=thread.id).bound_case_id == source.id


def test_a_merge_is_undone_from_either_side(air):
    source, target = make_case(air.channel, air.marta_identity), make_case(air.channel, air.marta_identity)
    merge_case(air.ana, source.number, target.number)
    act = CaseAct.objects.get(case_id=target.id, verb="merged_here")
    undo_act(air.ana, act.id)
    assert Case.objects.get(id=source.id).merged_into_id is None
    assert Message.objects.filter(case_id=source.id).count() == 1


def test_what_was_said_after_a_merge_stays_when_it_is_undone(air):
    source, target = make_case(air.channel, air.marta_identity, "a"), make_case(air.channel, air.marta_identity, "b")
    act_id = merge_case(air.ana, source.number, target.number)
    hear(target, air.channel, air.marta_identity, "later")
    undo_act(air.ana, act_id)
    assert [one.text for one in open_case(air.ana, target.number).messages if one.in_case] == ["b", "later"]
    assert Case.objects.get(id=target.id).unanswered_count == 2


def test_a_merge_into_a_done_case_opens_it(air):
    source, target = make_case(air.channel, air.marta_identity), make_case(air.channel, air.marta_identity)
    close_case(air.ana, target.number)
    merge_case(air.ana, source.number, target.number)
    assert (Case.objects.get(id=target.id).state, Case.objects.get(id=target.id).unanswered_count) == ("open", 2)


def test_a_case_cannot_be_merged_into_itself_or_a_foreign_one(air, cleo, marta_case):
    foreign = make_case(air.channel, air.marta_identity, team=air.loyalty)
    with pytest.raises(InputRefused):
        merge_case(air.ana, marta_case.number, marta_case.number)
    with pytest.raises(NotFound):
        merge_case(air.ana, marta_case.number, foreign.number)
    with pytest.raises(NotFound):
        merge_case(cleo, marta_case.number, foreign.number)


def test_a_split_makes_a_case_of_its_own_and_is_undone(air, marta_case):
    second = hear(marta_case, air.channel, air.marta_identity, "and my bag is lost")
    before = _columns(marta_case)
    fresh = split_case(air.ana, marta_case.number, [second.id], title="Lost bag")
    fresh.refresh_from_db()
    assert (fresh.person_id, fresh.team_id, fresh.title, fresh.message_count, fresh.unanswered_count) == (
        air.marta.id,
        air.care.id,
        "Lost bag",
        1,
        1,
    )
    assert fresh.due_at is not None
    old = Case.objects.get(id=marta_case.id)
    assert (old.message_count, old.unanswered_count, old.last_text) == (1, 1, "Where are my miles?")
    assert Message.objects.get(id=second.id).case_id == fresh.id
    assert [row.number for row in list_page(air.ana, ListFilters(view="all", query="bag")).rows] == [fresh.number]
    undo_last(air.ana)
    assert _columns(marta_case) == before
    assert Case.objects.get(id=fresh.id).merged_into_id == marta_case.id


def test_a_split_that_went_on_is_not_undone(air, marta_case):
    second = hear(marta_case, air.channel, air.marta_identity, "and my bag is lost")
    fresh = split_case(air.ana, marta_case.number, [second.id])
    write_note(air.ana, fresh.number, text="on it")
    with pytest.raises(Conflict):
        undo_last(air.ana)
    assert Message.objects.get(id=second.id).case_id == fresh.id


def test_a_split_of_a_bystanders_word_is_the_bystanders_case(air, marta_case):
    thread = Message.objects.get(case_id=marta_case.id).thread
    someone = _someone(air)
    word = say(thread, someone, "mine too", case=marta_case)
    assert split_case(air.ana, marta_case.number, [word.id]).person_id == someone.person_id


def test_a_split_needs_messages_of_the_case_and_leaves_one(air, marta_case):
    own = Message.objects.get(case_id=marta_case.id)
    other = Message.objects.get(case_id=make_case(air.channel, air.marta_identity).id)
    for message_ids, error in (([], InputRefused), ([own.id], InputRefused), ([own.id, other.id], NotFound)):
        with pytest.raises(error):
            split_case(air.ana, marta_case.number, message_ids)


def test_a_later_case_of_the_same_person_joins_the_earlier_by_one_key(air):
    earlier = make_case(air.channel, air.marta_identity, "one", at=clock.now() - timedelta(hours=1))
    later = make_case(air.channel, air.marta_identity, "two")
    act_id = join_case(air.ana, later.number, earlier.number)
    assert Case.objects.get(id=later.id).merged_into_id == earlier.id
    undo_act(air.ana, act_id)
    assert Case.objects.get(id=later.id).merged_into_id is None
    stranger = make_case(air.channel, _someone(air))
    with pytest.raises(InputRefused):
        join_case(air.ana, stranger.number, earlier.number)


def test_blocking_closes_as_spam_silences_the_person_and_is_undone(air, marta_case):
    act_id = block_case(air.ana, marta_case.number)
    case = Case.objects.get(id=marta_case.id)
    assert (case.state, case.outcome) == ("done", "spam")
    assert Person.objects.get(id=air.marta.id).blocked_at is not None
    assert Identity.objects.get(id=air.marta_identity.id).blocked_at is not None
    undo_act(air.ana, act_id)
    assert Person.objects.get(id=air.marta.id).blocked_at is None
    assert Identity.objects.get(id=air.marta_identity.id).blocked_at is None


def test_bulk_acts_are_one_stroke_and_one_undo(air):
    cases = [make_case(air.channel, air.marta_identity) for _ in range(4)]
    numbers = [case.number for case in cases]
    close_case(air.ana, numbers[3])
    before = [_columns(case) for case in cases]
    strokes = (
        lambda: close_many(air.ana, numbers, "spam"),
        lambda: tag_many(air.ana, numbers, add=["strike"]),
        lambda: assign_many(air.ana, numbers, air.ben.agent_id),
        lambda: move_many(air.ana, numbers, None),
    )
    for stroke in strokes:
        act_id = stroke()
        assert [_columns(case) for case in cases] != before
        assert set(undo_act(air.ana, act_id)) <= set(numbers)
        assert [_columns(case) for case in cases] == before
    assert Case.objects.get(id=cases[3].id).outcome == "solved"  # it was done before and stayed as it was


def test_bulk_is_all_or_nothing(air):
    own, foreign = (
        make_case(air.channel, air.marta_identity),
        make_case(air.channel, air.marta_identity, team=air.loyalty),
    )
    with pytest.raises(NotFound):
        close_many(air.ana, [own.number, foreign.number])
    assert Case.objects.get(id=own.id).state == "open"
    with pytest.raises(InputRefused):
        close_many(air.ana, [])
    with pytest.raises(InputRefused):
        close_many(air.ana, list(range(1, 202)))


def test_strangers_undo_nothing(air, cleo, marta_case):
    act_id = close_case(air.ana, marta_case.number)
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            undo_act(stranger, act_id)
    assert Case.objects.get(id=marta_case.id).state == "done"
