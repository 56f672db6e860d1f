"""The widget's door on the database: a visitor sees their own thread, what was really sent, and nothing else; answers find those who left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import pytest

from careline.cases.actions.replying import write_reply
from careline.cases.models import Case
from careline.channels import access
from careline.channels.base import ChannelView
from careline.channels.models import Channel, Connection
from careline.channels.webchat import inbound, typing_board
from careline.channels.webchat.showing import History
from careline.channels.webchat.visitors import Visitor
from careline.channels.webchat.wire import Arrived, Spoken, SpokenFile
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import Air, make_channel
from careline.errors import NotFound
from careline.events.models import Event
from careline.events.recording import last_number, unit_of_work
from careline.files.models import StoredFile
from careline.intake import widget_addresses, widget_history, widget_mailing
from careline.intake.digest import digest_pending
from careline.intake.journal import Journal, row_of, write_rows
from careline.intake.widget_door import CoreWidgetDoor
from careline.kit import clock
from careline.outbox import actions as outbox_actions
from careline.outbox.models import Delivery
from careline.outbox.settling import mark_sent
from careline.people.models import Identity, Person, PersonKey
from careline.threads.models import Attachment, Message, Thread
from careline.workspaces.models import Brand, Calendar
from careline.workspaces.sight import Viewer

HOST = "https://www.air.example"
MARTA, OTHER = Visitor("marta", HOST), Visitor("other", HOST)


@pytest.fixture
def chat(air: Air) -> ChannelView:
    return make_chat(air)


def make_chat(air: Air, **settings: str) -> ChannelView:
    brand, _ = Brand.objects.get_or_create(workspace=air.workspace, name="Air")
    connection = Connection.objects.create(workspace=air.workspace, network="webchat", name="Chat")
    row = Channel.objects.create(
        workspace=air.workspace, connection=connection, network="webchat", account_key="chat", name="Chat", brand=brand,
        team=air.care, undo_s=0, settings={"origins": HOST, **settings},
    )  # fmt: skip
    return access.view_channel(row)


def say(chat: ChannelView, visitor: Visitor, text: str, client_id: str = "client-0001", **facts: object) -> None:
    spoken = Spoken(visitor.id, client_id, text, clock.now(), proven=visitor.proven, **facts)  # type: ignore[arg-type]
    write_rows([row_of(chat.workspace_id, chat.id, inbound.part_of_spoken(spoken, chat, visitor))])
    digest_pending()


def answer(ana: Viewer, text: str, *, is_sent: bool = True) -> Delivery:
    case = Case.objects.order_by("-id")[0]
    thread = Thread.objects.get(bound_case_id=case.id, surface="chat")
    message = write_reply(ana, case.number, thread_id=thread.id, text=text, mode="private")
    delivery = Delivery.objects.get(message=message)
    if is_sent:
        send(delivery)
    return delivery


def send(delivery: Delivery) -> None:
    with unit_of_work() as work:
        mark_sent(work, delivery, f"answer:{delivery.idempotency_key}", clock.now())


def texts(found: History) -> list[str]:
    return [one.text for one in found.messages]


def look(chat: ChannelView, visitor: Visitor = MARTA, *, before: int = 0, limit: int = 30) -> History:
    return widget_history.history(chat, visitor.thread_key, before=before, limit=limit)


def test_a_visitors_words_and_the_answers_stand_in_order_and_belong_to_one_case(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "¿Dónde está mi maleta?")
    answer(air.ana, "Ya la busco.")
    say(chat, MARTA, "Gracias", "client-0002")
    found = look(chat)
    assert texts(found) == ["¿Dónde está mi maleta?", "Ya la busco.", "Gracias"]
    assert [one.client_id for one in found.messages] == ["client-0001", "", "client-0002"]
    assert found.messages[1].author == "Ana" and Case.objects.count() == 1


def test_another_visitors_thread_and_another_channels_thread_show_nothing(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "mine alone")
    assert look(chat, OTHER).messages == ()
    assert look(make_chat(air), MARTA).messages == ()
    assert widget_history.changes(chat, OTHER.thread_key, 0).messages == ()


def test_the_same_key_in_cleos_workspace_sees_nothing_of_it(air: Air, chat: ChannelView, cleo: Viewer) -> None:
    say(chat, MARTA, "mine alone")
    theirs = msgspec.structs.replace(chat, workspace_id=cleo.workspace_id)
    assert look(theirs).messages == ()
    with pytest.raises(NotFound):
        widget_addresses.keep_address(theirs, MARTA.thread_key, "x@y.es")


def test_an_answer_that_may_still_be_taken_back_is_not_shown(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    delivery = answer(air.ana, "Too early", is_sent=False)
    assert texts(look(chat)) == ["Hola"]
    with unit_of_work() as work:
        outbox_actions.cancel(work, delivery)
    assert texts(look(chat)) == ["Hola"]
    send(answer(air.ana, "Now", is_sent=False))
    assert texts(look(chat)) == ["Hola", "Now"]


def test_notes_of_agents_are_never_shown(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    thread = Thread.objects.get(surface="chat")
    for direction in ("note", "event"):
        Message.objects.create(
            workspace_id=chat.workspace_id, thread=thread, direction=direction, text="internal", at=clock.now()
        )
    assert texts(look(chat)) == ["Hola"]


def test_changes_after_a_number_are_exactly_what_happened_since(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    n = last_number(chat.workspace_id)
    assert widget_history.changes(chat, MARTA.thread_key, n).messages == ()
    say(chat, OTHER, "elsewhere", "client-0009")
    answered = Case.objects.get(person__identities__key="visitor:marta")
    thread = Thread.objects.get(key=MARTA.thread_key)
    message = write_reply(air.ana, answered.number, thread_id=thread.id, text="Ya la busco.", mode="private")
    assert widget_history.changes(chat, MARTA.thread_key, n).messages == ()
    send(Delivery.objects.get(message=message))
    changes = widget_history.changes(chat, MARTA.thread_key, n)
    assert [one.text for one in changes.messages] == ["Ya la busco."] and not changes.is_reset
    assert widget_history.changes(chat, MARTA.thread_key, changes.n).messages == ()


def test_a_stream_older_than_the_log_begins_anew(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    answer(air.ana, "Ya la busco.")
    Event.objects.filter(n__lt=last_number(chat.workspace_id)).delete()
    changes = widget_history.changes(chat, MARTA.thread_key, 1)
    assert changes.is_reset and [one.text for one in changes.messages] == ["Hola", "Ya la busco."]


def test_earlier_messages_come_page_by_page_without_gap_or_double(air: Air, chat: ChannelView) -> None:
    for number in range(7):
        say(chat, MARTA, str(number), f"client-000{number}")
    seen: list[str] = []
    before, more = 0, True
    while more:
        page = look(chat, before=before, limit=3)
        seen = [*texts(page), *seen]
        before, more = int(page.messages[0].id), page.has_earlier
    assert seen == [str(number) for number in range(7)]


def test_a_read_receipt_marks_the_answer_read(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    answer(air.ana, "Ya la busco.")
    platform_id = look(chat).messages[-1].platform_id
    for state in ("delivered", "read"):
        arrived = Arrived(MARTA.id, platform_id, state, clock.now())  # type: ignore[arg-type]
        write_rows([row_of(chat.workspace_id, chat.id, inbound.part_of_arrival(arrived, chat, MARTA))])
    digest_pending()
    assert Delivery.objects.get().state == "read" and look(chat).messages[-1].is_read


def test_a_file_reaches_the_agents_and_only_its_own_visitor_can_fetch_it(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "see", files=(SpokenFile("bag.txt", b"a bag"),))
    attachment = Attachment.objects.get()
    got = widget_history.read_attachment(chat, MARTA.thread_key, attachment.id)
    assert (got.name, got.content, got.is_inline) == ("bag.txt", b"a bag", False)
    assert look(chat).messages[0].files[0].id == str(attachment.id)
    for thread_key, attachment_id in ((OTHER.thread_key, attachment.id), (MARTA.thread_key, attachment.id + 1)):
        with pytest.raises(NotFound):
            widget_history.read_attachment(chat, thread_key, attachment_id)


def test_a_proven_customer_number_links_the_visitor_to_the_person_who_has_it(air: Air, chat: ChannelView) -> None:
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="customer", value="c-4", person=air.marta)
    say(chat, Visitor("marta", HOST, "c-4", "Marta", (("customer", "c-4"),)), "Hola")
    say(chat, OTHER, "I am Marta too", "client-0009", email="marta@example.com")
    assert Identity.objects.get(key="visitor:marta").person_id == air.marta.id
    assert Identity.objects.get(key="visitor:other").person_id != air.marta.id


def test_a_left_address_is_shown_as_a_claim_and_links_nothing(air: Air, chat: ChannelView) -> None:
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="marta@example.com", person=air.marta)
    with pytest.raises(NotFound):
        widget_addresses.keep_address(chat, OTHER.thread_key, "marta@example.com")
    say(chat, OTHER, "Hola")
    for _ in range(2):
        widget_addresses.keep_address(chat, OTHER.thread_key, "marta@example.com")
    person = Identity.objects.get(key="visitor:other").person
    assert person.id != air.marta.id and person.facts["stated_email"] == "marta@example.com"
    assert Message.objects.filter(direction="event").count() == 1
    assert widget_history.stated_address(Thread.objects.get(surface="chat")) == "marta@example.com"
    assert not PersonKey.objects.filter(person=person).exists()


# ---- the answer that goes by e-mail


def wait_and_fire(minutes: float) -> None:
    with clock.travel(timedelta(minutes=minutes)):
        fire_due()


def mails() -> list[Delivery]:
    return list(Delivery.objects.exclude(message__surface="chat").select_related("message").order_by("id"))


def test_an_answer_nobody_came_back_to_read_goes_by_mail_once_and_its_reply_joins_the_case(
    air: Air, chat: ChannelView
) -> None:
    say(chat, MARTA, "Hola")
    widget_addresses.keep_address(chat, MARTA.thread_key, "marta@example.com")
    answer(air.ana, "Ya la busco.")
    wait_and_fire(4)
    assert mails() == []
    wait_and_fire(7)
    wait_and_fire(9)
    (mail,) = mails()
    case = Case.objects.get()
    assert mail.recipient == "marta@example.com" and mail.state == "queued" and mail.author_kind == "machine"
    assert "Ana: Ya la busco." in mail.message.text and mail.message.thread is not None
    assert mail.message.thread.bound_case_id == mail.case_id == case.id
    answer(air.ana, "La tengo.")
    wait_and_fire(16)
    first, second = mails()
    assert (
        first.thread_id == second.thread_id
        and "La tengo." in second.message.text
        and "Ya la busco." not in second.message.text
    )


def test_an_answer_that_was_read_goes_nowhere_else(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    widget_addresses.keep_address(chat, MARTA.thread_key, "marta@example.com")
    delivery = answer(air.ana, "Ya la busco.")
    Delivery.objects.filter(id=delivery.id).update(state="read")
    wait_and_fire(10)
    assert mails() == []


@pytest.mark.parametrize("case", ["switched off", "no address", "no mailbox"])
def test_no_mail_goes_out_that_nobody_asked_for_or_could_send(air: Air, case: str) -> None:
    chat = make_chat(air, mail_after_min="0" if case == "switched off" else "5")
    say(chat, MARTA, "Hola")
    if case == "no mailbox":
        Channel.objects.filter(network="testnet").update(state="off")
    if case != "no address":
        widget_addresses.keep_address(chat, MARTA.thread_key, "marta@example.com")
    answer(air.ana, "Ya la busco.")
    wait_and_fire(10)
    assert mails() == []


def test_the_mail_goes_from_the_chats_own_brand_and_speaks_the_cases_language(air: Air, chat: ChannelView) -> None:
    other = Brand.objects.create(workspace=air.workspace, name="Sea")
    Channel.objects.filter(network="testnet").update(brand=other)
    own = make_channel(air.workspace, air.care, name="service@air.example")
    say(chat, MARTA, "Hola, ¿dónde está mi maleta? No ha llegado con mi vuelo.")
    widget_addresses.keep_address(chat, MARTA.thread_key, "marta@example.com")
    answer(air.ana, "Ya la busco.")
    wait_and_fire(7)
    (mail,) = mails()
    assert mail.channel_id == own.id and mail.message.language == "es"


def test_an_address_is_looked_after_for_a_week_and_not_for_ever(air: Air, chat: ChannelView) -> None:
    say(chat, MARTA, "Hola")
    widget_addresses.keep_address(chat, MARTA.thread_key, "marta@example.com")
    armed = Clock.objects.filter(kind=widget_mailing.KIND, fired_at__isnull=True)
    wait_and_fire(2)
    assert armed.count() == 1
    wait_and_fire(8 * 24 * 60)
    assert armed.count() == 0


# ---- the door itself


@pytest.fixture
def door(transactional_db: None) -> Iterator[CoreWidgetDoor]:
    journal = Journal()
    journal.start()
    one = CoreWidgetDoor(journal)
    yield one
    one.close()
    journal.stop()
    one.shut()


class Rings(list[str]):
    """What rang, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._came = threading.Condition()

    def __call__(self, kind: str) -> None:
        with self._came:
            self.append(kind)
            self._came.notify_all()

    def wait_for(self, kind: str) -> bool:
        with self._came:
            return self._came.wait_for(lambda: kind in self, timeout=20)


def run_all(*works: Callable[[], object]) -> list[object]:
    async def go() -> list[object]:
        return [await work() for work in works]  # type: ignore[misc]

    return asyncio.run(go())


def test_a_channel_is_found_by_its_public_key_until_it_is_switched_off(door: CoreWidgetDoor, air: Air) -> None:
    chat = make_chat(air)
    key = Connection.objects.get(network="webchat").hook_token
    assert run_all(lambda: door.channel(key))[0] == chat
    for wrong in ("", "nobody", Connection.objects.get(network="testnet").hook_token):
        with pytest.raises(NotFound):
            run_all(lambda wrong=wrong: door.channel(wrong))
    Channel.objects.filter(id=chat.id).update(state="off")
    door.forget()
    with pytest.raises(NotFound):
        run_all(lambda: door.channel(key))


def test_a_message_submitted_is_durable_and_rings_at_its_own_visitor_once_digested(
    door: CoreWidgetDoor, air: Air
) -> None:
    chat = make_chat(air)
    mine, theirs = Rings(), Rings()
    leave = [door.listen(chat, MARTA.thread_key, mine), door.listen(chat, OTHER.thread_key, theirs)]
    assert mine.wait_for("changed") and theirs.wait_for("changed")
    mine.clear()
    theirs.clear()
    spoken = Spoken(MARTA.id, "client-0001", "Hola", clock.now())
    part = inbound.part_of_spoken(spoken, chat, MARTA)
    run_all(lambda: door.submit(chat, [part, part]), lambda: door.submit(chat, [part]))
    digest_pending()
    assert mine.wait_for("changed") and theirs == []
    assert Message.objects.count() == 1
    typing_board.tell(chat.id, MARTA.thread_key)
    assert mine.wait_for("typing") and theirs == []
    for one in leave:
        one()
    mine.clear()
    typing_board.tell(chat.id, MARTA.thread_key)
    assert mine == []


def test_closing_the_door_tells_every_widget(door: CoreWidgetDoor, air: Air) -> None:
    chat = make_chat(air)
    before, after = Rings(), Rings()
    door.listen(chat, MARTA.thread_key, before)
    door.close()
    door.listen(chat, MARTA.thread_key, after)
    assert before.wait_for("closing") and after.wait_for("closing")


def test_an_agent_who_types_is_shown_to_the_visitors_of_that_case_only(door: CoreWidgetDoor, air: Air) -> None:
    chat = make_chat(air)
    say(chat, MARTA, "Hola")
    case_id = Case.objects.get().id
    say(chat, OTHER, "Hola", "client-0002")
    mine, theirs = Rings(), Rings()
    door.listen(chat, MARTA.thread_key, mine)
    door.listen(chat, OTHER.thread_key, theirs)
    run_all(lambda: door.show_typing(chat.workspace_id, case_id))
    assert mine.wait_for("typing") and "typing" not in theirs


def test_agents_who_may_see_the_case_are_told_that_its_visitor_types(door: CoreWidgetDoor, air: Air) -> None:
    chat = make_chat(air)
    assert run_all(lambda: door.typing_audience(chat, MARTA.thread_key)) == [None]
    door.forget()
    say(chat, MARTA, "Hola")
    (whom,) = run_all(lambda: door.typing_audience(chat, MARTA.thread_key))
    assert whom is not None and whom.audience == f"team:{air.care.id}" and whom.case_id == Case.objects.get().id


def test_an_upload_is_put_aside_without_being_anybodys_yet(door: CoreWidgetDoor, air: Air, cleo: Viewer) -> None:
    chat = make_chat(air)
    (kept,) = run_all(lambda: door.keep_upload(chat, "../bag.txt", b"a bag"))
    assert StoredFile.objects.get().reference_count == 0
    assert run_all(lambda: door.read_upload(chat, kept.file_id)) == [b"a bag"]
    with pytest.raises(NotFound):
        run_all(lambda: door.read_upload(msgspec.structs.replace(chat, workspace_id=cleo.workspace_id), kept.file_id))


def test_office_hours_and_recent_waits_are_said_as_they_are(door: CoreWidgetDoor, air: Air) -> None:
    chat = make_chat(air)
    (at_once,) = run_all(lambda: door.availability(chat))
    assert at_once.is_open and at_once.median_wait_s is None
    for number in range(5):
        say(chat, Visitor(f"v{number}", HOST), "Hola", f"client-000{number}")
    Case.objects.update(first_answer_s=30)
    Case.objects.filter(number=5).update(first_answer_s=9000)
    door.forget()
    assert run_all(lambda: door.availability(chat))[0].median_wait_s == 30
    tomorrow = (clock.now() + timedelta(days=2)).astimezone().weekday()
    calendar = Calendar.objects.create(
        workspace=air.workspace, name="Office", zone="UTC", hours={str(tomorrow): [["09:00", "17:00"]]}
    )
    Channel.objects.filter(id=chat.id).update(calendar=calendar)
    door.forget()
    (closed,) = run_all(lambda: door.availability(chat))
    assert not closed.is_open and closed.opens_at is not None
    assert (closed.opens_at.hour, closed.opens_at.minute, closed.opens_at.weekday()) == (9, 0, tomorrow)


def test_a_visitors_words_survive_as_sent_even_when_the_person_is_new(chat: ChannelView) -> None:
    say(chat, MARTA, "<script>alert(1)</script>", name="\u202eevil")
    assert texts(look(chat)) == ["<script>alert(1)</script>"]
    assert Person.objects.filter(identities__key="visitor:marta").count() == 1
