"""What becomes of a journal row: messages, persons, threads, cases, events; once, in order, whole or not at all."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careline.cases.models import Case, Notice
from careline.channels.base import Author, Deleted, Edited, Reacted, ReceiptSeen, Said, ThreadFacts
from careline.conftest import Air
from careline.events.models import Event
from careline.intake import digest
from careline.intake.journal import NewRow, write_rows
from careline.intake.models import JournalRow
from careline.intake.tests.conftest import Mouth
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.people.models import Identity, Person
from careline.threads.models import Message, Revision, Thread, Tombstone

pytestmark = pytest.mark.django_db


def test_a_first_message_makes_a_person_a_thread_and_an_open_case(air: Air, mouth: Mouth) -> None:
    mouth.say("¿Dónde está mi maleta? Llevo tres días esperando una respuesta.", thread="t1")
    case = Case.objects.get(person__name="Marta")
    assert (case.state, case.team_id, case.is_public, case.message_count, case.language) == (
        "open",
        air.care.id,
        True,
        1,
        "es",
    )
    assert case.due_at is not None and case.due_at - case.waiting_since == timedelta(minutes=15)  # type: ignore[operator]
    assert Message.objects.get(case_id=case.id).thread.key == "t1"  # type: ignore[union-attr]
    assert Identity.objects.get(key="marta", scope="plain").person_id == case.person_id


def test_invariant_2_once_the_same_event_twice_makes_one_message(mouth: Mouth) -> None:
    said = mouth.prepare("hello there")
    for event in ("e1", "e1", "e2"):
        mouth.happen(said, event=event)
        digest.digest_pending()
    assert Message.objects.filter(platform_id=said.platform_id).count() == 1
    assert Case.objects.get(person__name="Marta").message_count == 1
    assert sorted(JournalRow.objects.values_list("event_key", "reason")) == [("e1", ""), ("e2", "duplicate")]


def test_invariant_2_the_same_message_twice_in_one_batch_is_one(mouth: Mouth) -> None:
    said = mouth.prepare("hello there")
    mouth.happen(said, event="a")
    mouth.happen(said, event="b")
    digest.digest_pending()
    assert Message.objects.filter(platform_id=said.platform_id).count() == 1


def test_invariant_3_a_batch_is_one_transaction_of_few_statements(mouth: Mouth) -> None:
    for number in range(60):
        mouth.happen(mouth.prepare(f"message {number}", author=f"p{number % 20}", thread=f"t{number % 20}"))
    with CaptureQueriesContext(connection) as captured:
        assert digest.digest_pending() == 60
    statements = [query["sql"] for query in captured.captured_queries]
    assert len(statements) / 60 <= 8
    assert sum(sql.startswith("INSERT INTO") and "events_eventcounter" in sql for sql in statements) == 1


def test_invariant_4_numbered_events_follow_each_other_without_a_gap(air: Air, mouth: Mouth) -> None:
    for number in range(5):
        mouth.say(f"message {number}")
    numbers = list(Event.objects.filter(workspace_id=air.workspace.id).order_by("n").values_list("n", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 5
    assert not any("message" in str(facts) for facts in Event.objects.values_list("facts", flat=True))


def test_invariant_6_order_late_messages_slot_in_by_platform_time(mouth: Mouth) -> None:
    now = clock.now()
    mouth.say("second", at=now - timedelta(minutes=1))
    mouth.say("first", at=now - timedelta(minutes=5))
    assert list(Message.objects.order_by("at").values_list("text", flat=True)) == ["first", "second"]
    assert Case.objects.get(person__name="Marta").last_text == "second"


def test_a_time_from_the_future_is_clamped(mouth: Mouth) -> None:
    mouth.say("from tomorrow", at=clock.now() + timedelta(days=1))
    assert Message.objects.get().at <= clock.now()


def test_a_bystander_in_a_public_thread_is_shown_and_joins_no_case(mouth: Mouth) -> None:
    mouth.say("my points are gone")
    mouth.say("same here", author="otro", is_addressed=False)
    assert Case.objects.count() == 1
    assert Message.objects.get(text="same here").case_id is None


def test_two_customers_in_one_public_thread_have_a_case_each(mouth: Mouth) -> None:
    mouth.say("my points are gone")
    mouth.say("@air mine too", author="otro")
    assert Case.objects.count() == 2


def test_a_third_persons_reply_in_a_private_thread_joins_its_case(mouth: Mouth) -> None:
    mouth.say("please help", surface="dm", thread="d1")
    mouth.say("I am her travel agent", surface="dm", thread="d1", author="agent")
    case = Case.objects.get()
    assert case.message_count == 2
    assert Message.objects.get(text="I am her travel agent").author_identity.key == "agent"  # type: ignore[union-attr]


def test_a_reply_to_a_done_case_reopens_it(mouth: Mouth) -> None:
    mouth.say("please help", surface="dm", thread="d1")
    Case.objects.update(state="done", outcome="solved", done_at=clock.now() - timedelta(days=2))
    mouth.say("it broke again", surface="dm", thread="d1")
    assert list(Case.objects.values_list("state", "outcome", "message_count")) == [("open", "", 2)]


def test_a_reply_after_fourteen_days_opens_a_linked_follow_up(mouth: Mouth) -> None:
    mouth.say("please help", surface="dm", thread="d1")
    first = Case.objects.get()
    Case.objects.update(state="done", outcome="solved", done_at=clock.now() - timedelta(days=15))
    mouth.say("something else", surface="dm", thread="d1")
    assert Case.objects.get(follows_id=first.id).state == "open"
    assert Thread.objects.get().bound_case_id == Case.objects.get(follows_id=first.id).id


def test_an_automatic_reply_joins_without_waking_the_case(mouth: Mouth) -> None:
    mouth.say("please help", surface="email", thread="m1")
    Case.objects.update(state="done", outcome="solved", done_at=clock.now(), unanswered_count=0)
    mouth.say("I am out of office", surface="email", thread="m1", automatic="auto_reply")
    case = Case.objects.get()
    assert (case.state, case.message_count, case.unanswered_count) == ("done", 2, 0)


def test_history_is_done_without_a_clock_and_tells_nobody(mouth: Mouth) -> None:
    mouth.say("an old letter", surface="email", thread="m1", is_history=True, at=clock.now() - timedelta(days=90))
    case = Case.objects.get()
    assert (case.state, case.due_at, Notice.objects.count()) == ("done", None, 0)


def test_a_blocked_persons_message_is_kept_as_spam_and_wakes_nobody(mouth: Mouth) -> None:
    mouth.say("buy now", surface="dm", thread="d1")
    Person.objects.filter(name="Marta").update(blocked_at=clock.now())
    Case.objects.update(state="done", outcome="spam", done_at=clock.now())
    mouth.say("buy now again", surface="dm", thread="d2")
    assert not Case.objects.filter(state="open").exists()


def test_a_reply_to_an_absent_assignee_goes_back_to_the_team_and_keeps_the_last_agent(air: Air, mouth: Mouth) -> None:
    from careline.workspaces.models import Agent

    mouth.say("please help", surface="dm", thread="d1")
    Case.objects.update(assignee_id=air.ana.agent_id)
    Agent.objects.filter(id=air.ana.agent_id).update(is_away=True)
    mouth.say("anybody?", surface="dm", thread="d1")
    case = Case.objects.get()
    assert (case.assignee_id, case.last_agent_id, case.team_id) == (None, air.ana.agent_id, air.care.id)


def test_the_assignee_is_told_of_a_reply(air: Air, mouth: Mouth) -> None:
    mouth.say("please help", surface="dm", thread="d1")
    Case.objects.update(assignee_id=air.ana.agent_id)
    mouth.say("anybody?", surface="dm", thread="d1")
    assert Notice.objects.get().agent_id == air.ana.agent_id
    assert Event.objects.get(kind="agent.notified").audience == f"only:agent:{air.ana.agent_id}"


def test_a_proven_key_brings_two_networks_identities_to_one_person(mouth: Mouth) -> None:
    mouth.say(
        "by mail",
        surface="email",
        thread="m1",
        by=Author("marta@example.test", name="Marta Ruiz", proven_keys=(("email", "marta@example.test"),)),
    )
    mouth.say(
        "by chat",
        surface="dm",
        thread="d1",
        by=Author("v-17", name="M.", proven_keys=(("email", "marta@example.test"),)),
    )
    assert (
        len(set(Identity.objects.filter(key__in=["marta@example.test", "v-17"]).values_list("person_id", flat=True)))
        == 1
    )
    assert Case.objects.filter(person__identities__key="v-17").distinct().count() == 2


def test_an_unproven_claim_never_links(mouth: Mouth) -> None:
    mouth.say("by mail", surface="email", thread="m1", by=Author("marta@example.test", name="Marta Ruiz"))
    mouth.say("I am marta@example.test", surface="dm", thread="d1", by=Author("v-17", name="Marta Ruiz"))
    assert (
        len(set(Identity.objects.filter(key__in=["marta@example.test", "v-17"]).values_list("person_id", flat=True)))
        == 2
    )


def test_an_unproven_claim_on_a_thread_by_a_stranger_gets_a_thread_of_its_own(mouth: Mouth) -> None:
    mouth.say("hello", surface="email", thread="m1", author="marta")
    mouth.say(
        "give me her booking",
        surface="email",
        thread="m1",
        author="mallory",
        facts={"thread_claim": "unproven", "sender_check": "pass"},
    )
    assert Thread.objects.count() == 2
    assert Message.objects.get(text="give me her booking").facts["suggests_thread"] == str(
        Thread.objects.get(key="m1").id
    )


def test_a_participant_whose_sender_check_passed_follows_the_thread(mouth: Mouth) -> None:
    mouth.say("hello", surface="email", thread="m1", author="marta")
    mouth.say(
        "one more thing",
        surface="email",
        thread="m1",
        author="marta",
        facts={"thread_claim": "unproven", "sender_check": "pass"},
    )
    mouth.say(
        "spoofed",
        surface="email",
        thread="m1",
        author="marta",
        facts={"thread_claim": "unproven", "sender_check": "fail"},
    )
    assert Message.objects.get(text="one more thing").thread.key == "m1"  # type: ignore[union-attr]
    assert Message.objects.get(text="spoofed").thread.key != "m1"  # type: ignore[union-attr]


def test_a_proven_continuation_of_another_workspace_is_not_followed(air: Air, mouth: Mouth, cleo: object) -> None:
    other = Thread.objects.create(workspace_id=cleo.workspace_id, channel_id=1, key="x", surface="dm")  # type: ignore[attr-defined]
    mouth.say("hello", surface="dm", thread="d1", continues=other.id)
    assert Message.objects.get().thread_id != other.id


def test_invariant_8_an_edit_keeps_the_revision(mouth: Mouth) -> None:
    said = mouth.say("helo")
    mouth.happen(Edited(said.platform_id, "hello", clock.now()))
    digest.digest_pending()
    message = Message.objects.get()
    assert (message.text, Revision.objects.get(message=message).text) == ("hello", "helo")


def test_an_edit_that_brings_another_id_is_deleted_under_either(mouth: Mouth) -> None:
    """Some platforms give each version an id of its own."""
    said = mouth.say("my passport is 12345678Z")
    mouth.happen(Edited(said.platform_id, "my passport is 87654321X", clock.now(), aliases=("v-2",)))
    mouth.happen(Deleted("v-2", clock.now()))
    digest.digest_pending()
    message = Message.objects.get()
    assert (message.platform_id, message.text, message.deleted_at is not None) == (said.platform_id, "", True)
    assert not Revision.objects.exists()


def test_invariant_8_a_deletion_purges_the_words_and_leaves_a_tombstone(mouth: Mouth) -> None:
    said = mouth.say("my card is 4111 1111 1111 1111")
    mouth.happen(Deleted(said.platform_id, clock.now()))
    digest.digest_pending()
    message = Message.objects.get()
    assert (message.text, message.deleted_at is not None) == ("", True)
    assert Tombstone.objects.filter(platform_id=said.platform_id).exists()
    assert not JournalRow.objects.filter(message_id=message.id).exclude(raw=b"").exists()


def test_invariant_8_a_deleted_message_that_arrives_late_stays_silent(mouth: Mouth) -> None:
    said = mouth.prepare("never mind")
    mouth.happen(Deleted(said.platform_id, clock.now()))
    digest.digest_pending()
    mouth.happen(said)
    digest.digest_pending()
    assert not Message.objects.exists()


def test_an_edit_that_came_first_waits_for_its_message(mouth: Mouth) -> None:
    said = mouth.prepare("helo")
    mouth.happen(Edited(said.platform_id, "hello", clock.now()), order="t1")
    digest.digest_pending()
    assert JournalRow.objects.get().reason == "waits"
    mouth.happen(said)
    digest.digest_pending()
    digest._rearm_waiting()
    digest.digest_pending()
    assert Message.objects.get().text == "hello"


def test_a_reaction_is_one_for_each_author_and_can_be_taken_back(mouth: Mouth) -> None:
    said = mouth.say("thanks")
    for emoji in ("❤", "👍", ""):
        mouth.happen(Reacted(said.platform_id, Author("otro"), emoji, clock.now()))
        digest.digest_pending()
    assert Message.objects.get().reactions == {}


def test_reach_rises_with_what_the_platform_counts(mouth: Mouth) -> None:
    mouth.say("look at this", thread="t1")
    from careline.channels.base import Counted

    mouth.happen(Counted("t1", 4100, clock.now()))
    digest.digest_pending()
    assert Thread.objects.get().reach == 4100


def test_an_echo_of_our_own_delivery_settles_it_and_makes_no_second_message(mouth: Mouth) -> None:
    delivery = _unknown_delivery(mouth)
    mouth.say(
        "We are on it",
        surface="dm",
        thread="d1",
        by=Author("air", is_us=True),
        idempotency_key="key-1",
        platform_id="p-9",
    )
    delivery.refresh_from_db()
    assert (delivery.state, delivery.platform_id) == ("sent", "p-9")
    assert list(Message.objects.filter(direction="outbound").values_list("platform_id", flat=True)) == ["p-9"]


def test_an_echo_without_our_key_is_known_by_thread_and_words(mouth: Mouth) -> None:
    delivery = _unknown_delivery(mouth)
    mouth.say("We are on  it", surface="dm", thread="d1", by=Author("air", is_us=True), platform_id="p-9")
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_a_post_made_elsewhere_is_kept_as_ours_and_stops_the_clock(mouth: Mouth) -> None:
    mouth.say("please help", surface="dm", thread="d1")
    mouth.say("Answered from the app", surface="dm", thread="d1", by=Author("air", is_us=True))
    message = Message.objects.get(direction="outbound")
    case = Case.objects.get()
    assert (message.is_echo, message.case_id, case.unanswered_count, case.due_at) == (True, case.id, 0, None)


def test_receipts_move_a_delivery_forward_and_never_back(mouth: Mouth) -> None:
    delivery = _unknown_delivery(mouth)
    for state in ("read", "delivered", "sent"):
        mouth.happen(ReceiptSeen(state, clock.now(), platform_id="p-9", idempotency_key="key-1"))  # type: ignore[arg-type]
        digest.digest_pending()
    delivery.refresh_from_db()
    assert delivery.state == "read"


def test_a_row_that_cannot_be_read_dies_alone_and_the_rest_flows(mouth: Mouth) -> None:
    write_rows([NewRow(mouth.channel.workspace_id, mouth.channel.id, "bad", "t9", b"broken: 4111 1111")])
    mouth.say("hello there")
    dead = JournalRow.objects.get(state=JournalRow.DEAD)
    assert (dead.reason, bytes(dead.raw)) == ("unreadable", b"broken: 4111 1111")
    assert "ZeroDivisionError" in dead.detail and "4111" not in dead.detail
    assert Message.objects.count() == 1
    assert Event.objects.filter(kind="channel.dead_letter").exists()


def test_a_poison_row_in_a_batch_stands_alone_in_the_end(mouth: Mouth, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        mouth.happen(
            mouth.prepare("poison" if number == 4 else f"message {number}", author=f"p{number}", thread=f"t{number}")
        )
    original = digest.STEPS

    def poison(batch: digest.Batch) -> None:
        if any(item.said.text == "poison" for item in batch.said):
            raise RuntimeError

    monkeypatch.setattr(digest, "STEPS", (*original, poison))
    digest.digest_pending()
    assert Message.objects.count() == 8
    assert JournalRow.objects.get(state=JournalRow.DEAD).reason == "failed"


def test_a_row_that_kills_the_process_again_and_again_is_laid_aside(mouth: Mouth) -> None:
    mouth.happen(mouth.prepare("deadly"))
    JournalRow.objects.update(attempts=digest.MOST_DEATHS)
    mouth.happen(mouth.prepare("harmless", thread="t2"))
    digest.digest_pending()
    assert list(Message.objects.values_list("text", flat=True)) == ["harmless"]
    assert JournalRow.objects.get(state=JournalRow.DEAD).reason == "crashed"


def test_a_replayed_dead_letter_becomes_its_message(air: Air, mouth: Mouth, monkeypatch: pytest.MonkeyPatch) -> None:
    from careline.intake import deadletters

    said = mouth.prepare("poison")
    mouth.happen(said)

    def poison(batch: digest.Batch) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(digest, "STEPS", (poison,))
        digest.digest_pending()
    assert deadletters.replay(air.owner, [JournalRow.objects.get().id]) == 1
    digest.digest_pending()
    assert Message.objects.get().text == "poison"


def test_overlapping_shuffled_and_doubled_batches_end_with_exact_counts(mouth: Mouth) -> None:
    chance = random.Random(7)
    said = [
        mouth.prepare(f"message {number}", author=f"p{number % 7}", thread=f"t{number % 7}", surface="dm")
        for number in range(120)
    ]
    rows = [
        (one, event) for number, one in enumerate(said) for event in (f"e{number}", f"e{number}", f"again-{number}")
    ]
    chance.shuffle(rows)
    for one, event in rows:
        mouth.happen(one, event=event)
        if chance.random() < 0.05:
            digest.digest_pending()
    digest.digest_pending()
    assert Message.objects.count() == 120
    assert sum(Case.objects.values_list("message_count", flat=True)) == 120


def test_nul_bytes_long_names_and_override_characters_do_no_harm(mouth: Mouth) -> None:
    mouth.happen(
        Said(
            platform_id="p" * 600,
            thread_key="t" * 500,
            surface="post",
            author=Author("k" * 500, name="n" * 500),
            text="a\0b",
            at=clock.now(),
            thread=ThreadFacts(subject="s" * 900),
        )
    )
    digest.digest_pending()
    assert Message.objects.get().text == "ab"


def _unknown_delivery(mouth: Mouth) -> Delivery:
    mouth.say("please help", surface="dm", thread="d1")
    thread = Thread.objects.get(key="d1")
    message = Message.objects.create(
        workspace_id=thread.workspace_id,
        thread=thread,
        channel_id=thread.channel_id,
        case_id=Case.objects.get().id,
        direction="outbound",
        surface="dm",
        text="We are on it",
        at=clock.now(),
    )
    return Delivery.objects.create(
        workspace_id=thread.workspace_id,
        channel_id=thread.channel_id,
        thread_id=thread.id,
        message=message,
        recipient="marta",
        idempotency_key="key-1",
        state="unknown",
    )


def test_erasing_a_person_empties_their_raw_deliveries_too(air: Air, mouth: Mouth) -> None:
    from careline.people.actions.erasing import erase_person

    mouth.say("my passport is X123", surface="dm", thread="d1")
    write_rows([NewRow(mouth.channel.workspace_id, mouth.channel.id, "bad", "d1", b"broken: marta says X123")])
    digest.digest_pending()
    erase_person(air.owner, Case.objects.get().person_id)
    assert not JournalRow.objects.exclude(raw=b"").exists()


def test_a_deleted_messages_words_leave_the_row_of_its_case(mouth: Mouth) -> None:
    said = mouth.say("my card is 4111 1111 1111 1111", surface="dm", thread="d1")
    mouth.happen(Deleted(said.platform_id, clock.now()))
    digest.digest_pending()
    case = Case.objects.get()
    assert "4111" not in case.last_text + case.title
