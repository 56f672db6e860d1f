"""Answers: what is written down, what stops them, and what happens when they are posted twice or taken back."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from careline.cases.actions.assigning import assign_agent
from careline.cases.actions.closing import close_case
from careline.cases.actions.replying import write_reply
from careline.cases.actions.undoing import undo_last
from careline.cases.actions.unsending import resolve_unknown, retry_delivery, undo_send
from careline.cases.models import Case, Draft, RollupHour
from careline.cases.queries.dividing import parts_of_text
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.rows import ListFilters
from careline.channels import registry
from careline.channels.capabilities import Capabilities
from careline.clocks.models import Clock
from careline.conftest import DM, POST, TestNetwork, hear, make_case, make_channel, make_thread
from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files.models import StoredFile
from careline.files.storing import prepare_file, save_files
from careline.kit import clock
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery
from careline.people.models import Person
from careline.threads.models import Message, Thread

pytestmark = pytest.mark.django_db
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)


def reply(viewer, case, text="Hola Marta", *, mode="public", **more):
    threads = open_case(viewer, case.number).threads
    thread = next(one for one in threads if one.is_public == (mode == "public"))
    return write_reply(viewer, case.number, **{"thread_id": thread.id, "text": text, "mode": mode, **more})


def test_an_answer_is_message_delivery_and_event_and_stops_the_clock(air, marta_case):
    assert Clock.objects.filter(kind="case.step", subject_id=marta_case.id, fired_at__isnull=True).exists()
    message = reply(air.ana, marta_case)
    case = Case.objects.get(id=marta_case.id)
    delivery = Delivery.objects.get(message=message)
    assert (message.direction, message.is_public, message.author_agent_id, message.case_id) == (
        "outbound",
        True,
        air.ana.agent_id,
        case.id,
    )
    assert message.reply_to == Message.objects.get(case_id=case.id, direction="inbound").platform_id
    assert (delivery.state, delivery.recipient, delivery.case_id) == ("held", "marta-1", case.id)
    assert timedelta(seconds=7) < delivery.not_before - clock.now() <= timedelta(seconds=8)
    assert (case.waiting_since, case.due_at, case.unanswered_count) == (None, None, 0)
    assert (case.assignee_id, case.last_agent_id, case.first_answer_in_time) == (
        air.ana.agent_id,
        air.ana.agent_id,
        True,
    )
    assert not Clock.objects.filter(kind="case.step", subject_id=case.id, fired_at__isnull=True).exists()
    kinds = set(Event.objects.filter(case_id=case.id).values_list("kind", flat=True))
    assert {"message.written", "case.changed"} <= kinds
    assert not any("Hola" in str(event.facts) for event in Event.objects.all())


def test_without_an_undo_delay_an_answer_is_queued_at_once(air):
    channel = make_channel(air.workspace, air.care, name="chat", undo_s=0)
    message = reply(air.ana, make_case(channel, air.marta_identity))
    assert message.deliveries.get().state == "queued"


def test_the_same_click_twice_is_one_message(air, marta_case):
    first = reply(air.ana, marta_case, client_key="click-1")
    again = reply(air.ana, marta_case, "another text", client_key="click-1")
    other = reply(air.ana, marta_case, client_key="click-2")
    assert again.id == first.id != other.id
    assert Delivery.objects.count() == 2


def test_an_answer_keeps_the_assignee_and_may_leave_the_case_waiting_or_done(air, marta_case):
    assign_agent(air.ben, marta_case.number, air.ben.agent_id)
    reply(air.ana, marta_case, then="waiting")
    case = Case.objects.get(id=marta_case.id)
    assert (case.assignee_id, case.state, case.waiting_reason) == (air.ben.agent_id, "waiting", "customer")
    reply(air.ana, marta_case, then="done")
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("done", "solved")


def test_a_private_answer_to_a_public_post_begins_one_private_thread_in_the_same_case(air, marta_case):
    first = reply(air.ana, marta_case, "En privado", mode="private")
    assert (first.is_public, first.case_id, first.thread.bound_case_id, first.thread.surface) == (
        False,
        marta_case.id,
        marta_case.id,
        "dm",
    )
    with clock.travel(timedelta(seconds=1)):
        public = Thread.objects.get(is_public=True)
        # The platform lets us write once after a comment; the second must wait for the customer.
        with pytest.raises(InputRefused) as refused:
            write_reply(air.ana, marta_case.number, thread_id=public.id, text="y otra", mode="private")
    assert refused.value.code == "window_used_up"
    assert Thread.objects.filter(is_public=False).count() == 1


def test_a_private_answer_goes_to_the_conversation_that_is_there_already(air, marta_case):
    known = make_thread(air.channel, DM)
    make_case(air.channel, air.marta_identity, "an older talk", surface=DM, thread=known)
    public = Thread.objects.get(is_public=True)
    message = write_reply(air.ana, marta_case.number, thread_id=public.id, text="sigo aquí", mode="private")
    assert (message.thread_id, message.case_id) == (known.id, marta_case.id)
    known.refresh_from_db()
    assert known.bound_case_id == marta_case.id


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "text_empty"), ("   ", "text_empty"), ("x" * 281, "text_too_long"), ("👨‍👩‍👧" * 281, "text_too_long")],
)
def test_text_is_counted_in_the_unit_of_the_surface(air, marta_case, text, code):
    with pytest.raises(InputRefused) as refused:
        reply(air.ana, marta_case, text)
    assert (refused.value.code, refused.value.field) == (code, "text")
    assert not Delivery.objects.exists()


def test_two_hundred_and_eighty_families_fit_into_a_post_of_graphemes(air, marta_case):
    assert reply(air.ana, marta_case, "👨‍👩‍👧" * 280).text


def _file(air, content=PNG):
    with unit_of_work():
        prepared = prepare_file(air.workspace.id, content)
        return save_files([prepared])[(air.workspace.id, prepared.sha256)]


def test_files_go_along_and_are_counted(air, marta_case):
    file_id = _file(air)
    message = reply(air.ana, marta_case, file_ids=[file_id])
    assert message.attachments.get().file_id == file_id
    assert StoredFile.objects.get(id=file_id).reference_count == 1
    undo_send(air.ana, message.deliveries.get().id)
    assert StoredFile.objects.get(id=file_id).reference_count == 0


def test_files_the_surface_cannot_take_are_refused(air, cleo, marta_case):
    text_file = _file(air, b"plain words, nothing else")
    with pytest.raises(InputRefused) as refused:
        reply(air.ana, marta_case, file_ids=[text_file])
    assert refused.value.code == "file_kind"
    with pytest.raises(InputRefused) as refused:
        reply(air.ana, marta_case, file_ids=[_file(air, PNG + bytes([number])) for number in range(3)])
    assert refused.value.code == "too_many_files"
    StoredFile.objects.update(workspace_id=cleo.workspace_id)
    with pytest.raises(NotFound):
        reply(air.ana, marta_case, file_ids=[text_file])


def test_a_closed_window_stops_the_answer(air):
    case = make_case(air.channel, air.marta_identity, surface=DM, at=clock.now() - timedelta(days=2))
    with pytest.raises(InputRefused) as refused:
        reply(air.ana, case, mode="private")
    assert refused.value.code == "window_closed"


def test_who_did_not_name_us_is_not_answered_where_the_platform_takes_no_such_answer(air, marta_case):
    network = TestNetwork()
    surfaces = [
        msgspec.structs.replace(one, reply_rule="author_must_mention_us") if one.is_public else one
        for one in TestNetwork.capabilities.surfaces
    ]
    network.capabilities = Capabilities(proof="A", surfaces=tuple(surfaces))
    registry.add_for_tests(network)
    try:
        heard = Message.objects.filter(case_id=marta_case.id, direction="inbound")
        heard.update(facts={"not_summoned": "yes"})
        with pytest.raises(InputRefused) as refused:
            reply(air.ana, marta_case)
        assert refused.value.code == "not_summoned"
        assert open_case(air.ana, marta_case.number).threads[0].closed_code == "not_summoned"
        heard.update(facts={})
        assert reply(air.ana, marta_case).text == "Hola Marta"
    finally:
        registry.add_for_tests(TestNetwork())


def test_public_words_cannot_slip_into_a_private_thread_nor_the_other_way(air):
    case = make_case(air.channel, air.marta_identity, surface=DM)
    thread = Thread.objects.get()
    with pytest.raises(InputRefused) as refused:
        write_reply(air.ana, case.number, thread_id=thread.id, text="x", mode="public")
    assert refused.value.code == "mode_wrong"


def test_a_thread_or_message_of_another_case_is_not_there(air, marta_case):
    other = make_case(air.channel, air.marta_identity)
    thread = Message.objects.get(case_id=other.id).thread
    with pytest.raises(NotFound):
        write_reply(air.ana, marta_case.number, thread_id=thread.id, text="x", mode="public")
    with pytest.raises(NotFound):
        reply(air.ana, marta_case, reply_to_message_id=Message.objects.get(case_id=other.id).id)


def test_an_answer_stops_when_the_customer_spoke_after_what_the_writer_saw(air, marta_case):
    seen = open_case(air.ana, marta_case.number).row.version
    hear(marta_case, air.channel, air.marta_identity, "never mind, solved!")
    with pytest.raises(Conflict) as stopped:
        reply(air.ana, marta_case, seen_version=seen)
    assert stopped.value.code == "changed_since_seen"
    assert reply(air.ana, marta_case, seen_version=seen, override=True)


def test_an_answer_stops_when_another_agent_answered_but_not_for_the_writers_own(air, marta_case):
    seen = open_case(air.ana, marta_case.number).row.version
    reply(air.ben, marta_case, "Ben here", seen_version=seen)
    with pytest.raises(Conflict):
        reply(air.ana, marta_case, seen_version=seen)
    assert reply(air.ben, marta_case, "and one more", seen_version=seen)
    assert reply(air.ana, marta_case, seen_version=open_case(air.ana, marta_case.number).row.version)


def test_changes_that_are_no_words_do_not_stop_an_answer(air, marta_case):
    seen = open_case(air.ana, marta_case.number).row.version
    assign_agent(air.ben, marta_case.number, air.ana.agent_id)
    assert reply(air.ana, marta_case, seen_version=seen)


def test_a_blocked_person_is_not_answered(air, marta_case):
    Person.objects.filter(id=air.marta.id).update(blocked_at=clock.now())
    with pytest.raises(Conflict) as stopped:
        reply(air.ana, marta_case)
    assert stopped.value.code == "person_blocked"


def test_who_may_answer(air, cleo, marta_case):
    thread = Thread.objects.get()
    post = {"thread_id": thread.id, "text": "x", "mode": "public"}
    for role in ("tom", "iris", "carl"):
        with pytest.raises(Forbidden):
            write_reply(air.agents[role], marta_case.number, **post)
    for stranger in (air.dora, cleo):
        with pytest.raises(NotFound):
            write_reply(stranger, marta_case.number, **post)
    # A trainee answers in private, never in public.
    assert write_reply(air.tom, marta_case.number, **{**post, "mode": "private"})


def test_undo_send_takes_everything_back_and_returns_the_draft(air, marta_case):
    before = Case.objects.get(id=marta_case.id)
    message = reply(air.ana, marta_case, "Dear Martha", then="done")
    assert undo_send(air.ana, message.deliveries.get().id) == "Dear Martha"
    after = Case.objects.get(id=marta_case.id)
    for column in (
        "state",
        "assignee_id",
        "waiting_since",
        "due_at",
        "unanswered_count",
        "first_answered_at",
        "last_text",
        "message_count",
    ):
        assert getattr(after, column) == getattr(before, column), column
    assert Draft.objects.get(agent_id=air.ana.agent_id).text == "Dear Martha"
    assert Delivery.objects.get().state == "cancelled"
    assert [one.direction for one in open_case(air.ana, marta_case.number).messages] == ["inbound"]
    assert list_page(air.ana, ListFilters(view="all", query="Martha")).rows == ()
    assert not Message.objects.filter(text__contains="Martha").exists()
    hour = RollupHour.objects.filter(agent_id=air.ana.agent_id).values_list("answered", "first_answers", "closed")
    assert list(hour) == [(0, 0, 0)]
    assert Clock.objects.filter(kind="case.step", subject_id=marta_case.id, fired_at__isnull=True).exists()


def test_the_undo_key_takes_the_answer_back_too(air, marta_case):
    reply(air.ana, marta_case)
    assert undo_last(air.ana) == [marta_case.number]
    assert Delivery.objects.get().state == "cancelled"


def test_undo_send_leaves_what_others_decided_since(air, marta_case):
    message = reply(air.ana, marta_case)
    assign_agent(air.ben, marta_case.number, air.ben.agent_id)
    undo_send(air.ana, message.deliveries.get().id)
    assert Case.objects.get(id=marta_case.id).assignee_id == air.ben.agent_id


@pytest.mark.parametrize("state", ["sending", "sent", "failed", "unknown", "delivered"])
def test_what_has_left_cannot_be_taken_back(air, marta_case, state):
    delivery = reply(air.ana, marta_case).deliveries.get()
    Delivery.objects.filter(id=delivery.id).update(state=state, tries=1)
    with pytest.raises(Conflict) as stopped:
        undo_send(air.ana, delivery.id)
    assert stopped.value.code == "already_sent"


def test_a_failed_answer_is_sent_again_by_hand(air, cleo, marta_case):
    delivery = reply(air.ana, marta_case).deliveries.get()
    with pytest.raises(Conflict):
        retry_delivery(air.ana, delivery.id)
    Delivery.objects.filter(id=delivery.id).update(state="failed", tries=8, error_code="gone")
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            retry_delivery(stranger, delivery.id)
    retry_delivery(air.ana, delivery.id)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_code, delivery.tries) == ("queued", "", 8)
    assert delivery.not_before <= clock.now()


@pytest.mark.parametrize(("was_sent", "state"), [(True, "sent"), (False, "queued")])
def test_a_person_says_what_became_of_an_unknown_one(air, marta_case, was_sent, state):
    delivery = reply(air.ana, marta_case).deliveries.get()
    Delivery.objects.filter(id=delivery.id).update(state="unknown", tries=1)
    resolve_unknown(air.ana, delivery.id, was_sent=was_sent)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.facts["resolved_by"]) == (state, "person")
    with pytest.raises(Conflict):
        resolve_unknown(air.ana, delivery.id, was_sent=was_sent)


def test_an_answer_to_a_done_case_leaves_it_waiting_for_the_customer(air, marta_case):
    close_case(air.ana, marta_case.number)
    reply(air.ana, marta_case, "One more thing")
    case = Case.objects.get(id=marta_case.id)
    assert (case.state, case.waiting_reason) == ("waiting", "customer")


def test_figures_of_the_hour_count_answers(air, marta_case):
    reply(air.ana, marta_case)
    row = RollupHour.objects.get(agent_id=air.ana.agent_id)
    assert (row.answered, row.first_answers, row.first_answers_in_time) == (1, 1, 1)


@pytest.fixture
def short_posts():
    """A platform that takes a long text as several posts."""
    network = TestNetwork()
    post = msgspec.structs.replace(
        POST, text=msgspec.structs.replace(POST.text, max_length=40, on_overflow="multi_post"), private_surface=""
    )
    network.capabilities = Capabilities(proof="A", surfaces=(post, *TestNetwork.capabilities.surfaces[1:]))
    registry.add_for_tests(network)
    yield
    registry.add_for_tests(TestNetwork())


LONG = "Lo sentimos mucho, Marta. Ya lo estamos mirando todo. Le escribimos hoy mismo."


def test_a_long_text_goes_out_as_the_posts_its_writer_agreed_to(air, marta_case, short_posts):
    thread_id = open_case(air.ana, marta_case.number).threads[0].id
    parts = parts_of_text(air.ana, marta_case.number, thread_id, LONG, is_public=True)
    assert len(parts) == 3 and " ".join(parts) == LONG
    for agreed in (1, 2, 4):
        with pytest.raises(InputRefused) as refused:
            reply(air.ana, marta_case, LONG, parts=agreed)
        assert (refused.value.code, refused.value.field) == ("needs_parts", "text")
    message = reply(air.ana, marta_case, LONG, parts=3, client_key="click")
    posts = message.deliveries.order_by("part")
    assert [LONG[one.text_start : one.text_end] for one in posts] == list(parts)
    assert [(one.part, one.parts, one.state) for one in posts] == [(1, 3, "held"), (2, 3, "held"), (3, 3, "held")]
    assert len({one.idempotency_key for one in posts}) == 3
    assert reply(air.ana, marta_case, LONG, parts=3, client_key="click").id == message.id
    assert Delivery.objects.count() == 3
    assert undo_send(air.ana, posts[0].id) == LONG
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_text_that_fits_is_one_post_whatever_was_agreed(air, marta_case, short_posts):
    assert reply(air.ana, marta_case, "Hola Marta", parts=3).deliveries.get().parts == 1


def test_only_who_sees_the_case_may_ask_how_a_text_is_cut(air, cleo, marta_case, short_posts):
    thread_id = open_case(air.ana, marta_case.number).threads[0].id
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            parts_of_text(stranger, marta_case.number, thread_id, LONG, is_public=True)
    with pytest.raises(NotFound):
        parts_of_text(air.ana, marta_case.number, 1, LONG, is_public=True)


def test_what_a_picture_shows_goes_along_with_it(air, marta_case):
    message = reply(
        air.ana, marta_case, file_ids=[_file(air, PNG)], file_names=["a.png"], file_alts=[" a torn\nsuitcase "]
    )
    sent = load_outgoing(Delivery.objects.get(message=message).id, 1)
    assert [(one.name, one.alt_text) for one in sent.files] == [("a.png", "a torn suitcase")]
