"""One case on the screen: what it shows, to whom, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.closing import close_case
from careline.cases.actions.drafting import load_draft, save_draft
from careline.cases.actions.replying import write_reply
from careline.cases.models import CaseField
from careline.cases.queries import timeline
from careline.cases.queries.framing import message_html
from careline.cases.queries.opening import MOST_STATEMENTS, open_case
from careline.conftest import DM, hear, make_case, make_identity, make_thread, say
from careline.errors import NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox.loading import load_outgoing
from careline.people.models import Person
from careline.threads.editing import apply_deletion, apply_edit
from careline.threads.models import Message, Thread

pytestmark = pytest.mark.django_db


def _bystander(air):
    return make_identity(
        Person.objects.create(workspace_id=air.workspace.id, name="Otro"), "otro-1", handle="@otro", name="Otro"
    )


def test_bystanders_of_a_public_thread_are_shown_and_do_not_belong_to_the_case(air, marta_case):
    thread = Message.objects.get(case_id=marta_case.id).thread
    say(thread, _bystander(air), "Me too!")
    told = [(one.text, one.in_case, one.is_customer) for one in open_case(air.ana, marta_case.number).messages]
    assert told == [("Where are my miles?", True, True), ("Me too!", False, False)]


def test_others_words_in_a_private_thread_of_another_case_stay_private(air):
    thread = make_thread(air.channel, DM)
    case = make_case(air.channel, air.marta_identity, surface=DM, thread=thread)
    say(thread, _bystander(air), "private to another case", case=make_case(air.channel, _bystander2(air), surface=DM))
    assert [one.text for one in open_case(air.ana, case.number).messages] == ["Where are my miles?"]


def _bystander2(air):
    return make_identity(Person.objects.create(workspace_id=air.workspace.id, name="Third"), "third-1")


def test_opening_a_case_takes_a_constant_number_of_statements(air, marta_case, django_assert_max_num_queries):
    thread = Message.objects.get(case_id=marta_case.id).thread
    with django_assert_max_num_queries(MOST_STATEMENTS) as few:
        open_case(air.ana, marta_case.number)
    bystander = _bystander(air)
    for number in range(60):
        say(thread, air.marta_identity, f"again {number}", case=marta_case)
        say(thread, bystander, f"indeed {number}")
    close_case(air.ana, make_case(air.channel, air.marta_identity).number)
    with django_assert_max_num_queries(MOST_STATEMENTS) as many:
        pane = open_case(air.ana, marta_case.number)
    assert len(pane.messages) == 121
    assert len(many) <= len(few) + 1  # the bystander's other case brings one channel name more at most


def test_earlier_messages_come_in_pages_in_platform_order(air, marta_case):
    thread = Message.objects.get(case_id=marta_case.id).thread
    start = clock.now()
    for minute in (5, 1, 4, 2, 3):
        say(thread, air.marta_identity, f"m{minute}", case=marta_case, at=start + timedelta(minutes=minute))
    newest = open_case(air.ana, marta_case.number, limit=3)
    assert [one.text for one in newest.messages] == ["m3", "m4", "m5"]
    assert newest.has_earlier
    earlier = open_case(air.ana, marta_case.number, limit=3, before_id=newest.messages[0].id)
    assert [one.text for one in earlier.messages] == ["Where are my miles?", "m1", "m2"]
    assert not earlier.has_earlier


def test_a_case_is_read_back_to_a_message_however_many_were_said_since(air, marta_case, django_assert_max_num_queries):
    thread = Message.objects.get(case_id=marta_case.id).thread
    bystander = _bystander(air)
    start = clock.now()
    said = []
    for minute in range(1, 7):
        said.append(
            say(thread, air.marta_identity, f"m{minute}", case=marta_case, at=start + timedelta(minutes=minute))
        )
        say(thread, bystander, f"b{minute}", at=start + timedelta(minutes=minute, seconds=30))
    with django_assert_max_num_queries(MOST_STATEMENTS + 3):
        pane = open_case(air.ana, marta_case.number, limit=2, from_id=said[3].id)
    assert [one.text for one in pane.messages] == ["m4", "b4", "m5", "b5", "m6", "b6"]
    assert pane.has_earlier
    between = open_case(air.ana, marta_case.number, limit=1, before_id=said[3].id, from_id=said[1].id)
    assert [one.text for one in between.messages] == ["m2", "b2", "m3", "b3"]
    assert len(open_case(air.ana, marta_case.number, limit=2, from_id=said[5].id).messages) == 2
    assert len(open_case(air.ana, marta_case.number, limit=2, from_id=12345).messages) == 2


def test_no_stretch_is_longer_than_can_be_drawn_at_once(air, marta_case, monkeypatch):
    monkeypatch.setattr(timeline, "MOST_MESSAGES", 3)
    thread = Message.objects.get(case_id=marta_case.id).thread
    first = Message.objects.get(case_id=marta_case.id)
    for number in range(5):
        say(thread, air.marta_identity, f"m{number}", case=marta_case)
    pane = open_case(air.ana, marta_case.number, limit=2, from_id=first.id)
    assert [one.text for one in pane.messages] == ["m2", "m3", "m4"] and pane.has_earlier


def test_what_was_done_stands_with_the_messages_of_its_time(air, marta_case):
    first = Message.objects.get(case_id=marta_case.id)
    close_case(air.ana, marta_case.number)
    later = say(first.thread, air.marta_identity, "and now?", case=marta_case, at=clock.now() + timedelta(minutes=1))
    earlier = open_case(air.ana, marta_case.number, before_id=later.id)
    assert [act.verb for act in earlier.acts if act.verb == "closed"] == ["closed"]
    assert open_case(air.ana, marta_case.number, before_id=first.id).acts == ()


def test_a_public_thread_offers_its_private_way_until_a_private_thread_is_there(air, marta_case):
    threads = open_case(air.ana, marta_case.number).threads
    assert [(one.is_public, one.surface, one.closed_code) for one in threads] == [(True, "post", ""), (False, "dm", "")]
    assert threads[1].recipient == "marta-1"
    write_reply(air.ana, marta_case.number, thread_id=threads[1].id, text="Le escribo aquí", mode="private")
    threads = open_case(air.ana, marta_case.number).threads
    assert sorted((one.is_public, one.surface) for one in threads) == [(False, "dm"), (True, "post")]


def test_a_closed_window_says_why(air):
    case = make_case(air.channel, air.marta_identity, surface=DM, at=clock.now() - timedelta(days=2))
    [thread] = open_case(air.ana, case.number).threads
    assert (thread.window_closes_at, thread.closed_code) == (None, "window_closed")


def test_an_open_window_says_until_when(air):
    at = clock.now() - timedelta(hours=1)
    case = make_case(air.channel, air.marta_identity, surface=DM, at=at)
    [thread] = open_case(air.ana, case.number).threads
    assert thread.window_closes_at == at + timedelta(days=1)


def test_the_person_pane_lists_only_cases_the_viewer_may_see(air, marta_case):
    foreign = make_case(air.channel, air.marta_identity, team=air.loyalty)
    own = make_case(air.channel, air.marta_identity, team=air.care)
    assert [one.number for one in open_case(air.ana, marta_case.number).person.cases] == [own.number]
    assert {one.number for one in open_case(air.ben, marta_case.number).person.cases} == {own.number, foreign.number}
    assert all(one.can_join for one in open_case(air.ana, marta_case.number).person.cases)


def test_fields_reasons_acts_and_drafts_are_shown(air, marta_case):
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking")
    save_draft(air.ana, marta_case.number, mode="public", text="Hola M")
    save_draft(air.ben, marta_case.number, mode="public", text="not Ana's")
    close_case(air.ana, marta_case.number, "heard", why="nothing to do")
    pane = open_case(air.ana, marta_case.number)
    assert pane.fields == (("booking", "Booking", ""),)
    assert pane.drafts == {"public": "Hola M"}
    assert [(act.verb, act.agent_name, act.why, act.can_undo) for act in pane.acts] == [
        ("closed", "Ana", "nothing to do", True)
    ]


def test_a_draft_survives_and_is_forgotten_when_emptied(air, marta_case):
    save_draft(air.ana, marta_case.number, mode="note", text="half a", facts={"thread": "7"})
    save_draft(air.ana, marta_case.number, mode="note", text="half a note", facts={"thread": "7"})
    assert load_draft(air.ana, marta_case.number, "note") == ("half a note", {"thread": "7"})
    save_draft(air.ana, marta_case.number, mode="note", text="  ")
    assert load_draft(air.ana, marta_case.number, "note") == ("", {})


def test_the_html_of_a_message_is_shown_only_to_those_who_see_its_case(air, cleo):
    case = make_case(air.channel, air.marta_identity, surface=DM)
    message = Message.objects.get(case_id=case.id)
    Message.objects.filter(id=message.id).update(html="<p>hello</p>")
    assert open_case(air.ana, case.number).messages[0].has_html
    assert message_html(air.ana, message.id).html == "<p>hello</p>"
    for stranger in (cleo, air.dora, air.carl):
        with pytest.raises(NotFound):
            message_html(stranger, message.id)


def test_what_an_edited_message_said_before_is_shown_and_goes_with_a_deletion(air, marta_case):
    message = Message.objects.get(case_id=marta_case.id)
    for text in ("Where are my 200 miles?", "Where are my 300 miles?"):
        with unit_of_work() as work:
            apply_edit(work, Message.objects.get(id=message.id), text=text, at=clock.now())
    [shown] = open_case(air.ana, marta_case.number).messages
    assert [one.text for one in shown.revisions] == ["Where are my miles?", "Where are my 200 miles?"]
    assert [one.at for one in shown.revisions] == sorted(one.at for one in shown.revisions)
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=message.id), at=clock.now())
    [gone] = open_case(air.ana, marta_case.number).messages
    assert (gone.text, gone.revisions) == ("", ())


def test_a_private_answer_to_a_public_word_uses_its_window_up_until_the_next_word(air, marta_case):
    def private():
        return next(one for one in open_case(air.ana, marta_case.number).threads if not one.is_public)

    at_first = private()
    assert (at_first.opens_from, at_first.window_allows, at_first.window_used, at_first.closed_code) == (
        "post",
        1,
        0,
        "",
    )
    assert at_first.window_closes_at == Message.objects.get(case_id=marta_case.id).at + timedelta(days=7)
    with clock.travel(timedelta(seconds=1)):
        sent = write_reply(air.ana, marta_case.number, thread_id=at_first.id, text="Le escribo aquí", mode="private")
        used = private()
        assert (used.opens_from, used.window_used, used.closed_code) == ("", 1, "window_used_up")
    with clock.travel(timedelta(seconds=2)):
        hear(marta_case, air.channel, air.marta_identity, "¿Hola?", thread=Thread.objects.get(is_public=True))
        assert (private().window_used, private().closed_code) == (0, "")
        again = write_reply(air.ana, marta_case.number, thread_id=sent.thread_id, text="Otra vez", mode="private")
    newest = Message.objects.filter(case_id=marta_case.id, direction="inbound").order_by("-at").first()
    assert load_outgoing(again.deliveries.get().id, 1).answers_comment == newest.platform_id


def test_a_failed_private_answer_does_not_use_the_window_up(air, marta_case):
    thread_id = open_case(air.ana, marta_case.number).threads[0].id
    with clock.travel(timedelta(seconds=1)):
        sent = write_reply(air.ana, marta_case.number, thread_id=thread_id, text="Le escribo", mode="private")
        sent.deliveries.update(state="failed")
        private = next(one for one in open_case(air.ana, marta_case.number).threads if not one.is_public)
        assert (private.window_used, private.closed_code) == (0, "")


def test_a_private_conversation_of_another_case_counts_for_the_way_to_it(air, marta_case):
    known = make_thread(air.channel, DM)
    make_case(air.channel, air.marta_identity, "an older talk", surface=DM, thread=known)
    private = next(one for one in open_case(air.ana, marta_case.number).threads if one.opens_from)
    assert (private.window_allows, private.closed_code) == (0, "")
    message = write_reply(air.ana, marta_case.number, thread_id=private.id, text="sigo aquí", mode="private")
    assert load_outgoing(message.deliveries.get().id, 1).answers_comment == "", "their own word there is enough"
