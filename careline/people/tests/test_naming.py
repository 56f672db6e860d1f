"""Who came without a name: asked for once, called by what the platform says, and never otherwise than a colleague decided."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.models import Case
from careline.channels.base import AuthorFacts
from careline.channels.models import Channel
from careline.conftest import DM, Air, make_case, make_channel, make_identity
from careline.errors import ChannelError
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people import naming
from careline.people.actions.erasing import erase_person
from careline.people.actions.joining import join_persons
from careline.people.actions.renaming import rename_person
from careline.people.actions.undoing import undo_person_act
from careline.people.models import Identity, NameQuestion, Person
from careline.people.naming import Question
from careline.threads.models import Message
from careline.workspaces.models import Installation
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
KEY = "7009"
MARTA = AuthorFacts("Marta Ruiz", "@marta.r", "https://pictures.example/m.jpg")


@pytest.fixture
def stranger(air: Air) -> Identity:
    """Somebody who wrote in private and is known by key alone."""
    person = Person.objects.create(workspace_id=air.workspace.id, name=KEY)
    return make_identity(person, KEY)


@pytest.fixture
def their_case(air: Air, stranger: Identity) -> Case:
    case = make_case(air.channel, stranger, "hola", surface=DM)
    Message.objects.filter(case_id=case.id).update(author_name=KEY)  # as the digest keeps it
    return case


def ask(identity: Identity, channel: Channel) -> NameQuestion:
    """As the digest notes it."""
    row = NameQuestion(workspace_id=identity.workspace_id, identity=identity, channel_id=channel.id, surface="dm")
    with unit_of_work():
        naming.note_nameless([row])
    return NameQuestion.objects.get(identity=identity)


def due() -> Question:
    (question,) = naming.due_questions()
    assert naming.claim(question)
    return question


def test_the_name_reaches_identity_person_case_and_what_they_said(
    air: Air, stranger: Identity, their_case: Case
) -> None:
    ask(stranger, air.channel)
    since = Event.objects.order_by("-n").values_list("n", flat=True).first() or 0
    naming.keep_answer(due(), MARTA)
    stranger.refresh_from_db()
    their_case.refresh_from_db()
    assert (stranger.name, stranger.handle, stranger.avatar_url) == (MARTA.name, MARTA.handle, MARTA.avatar_url)
    assert (stranger.person.name, stranger.person.name_key) == ("Marta Ruiz", "marta ruiz")
    assert their_case.person_name == "Marta Ruiz"
    assert Message.objects.get(case_id=their_case.id).author_name == "Marta Ruiz"
    told = Event.objects.filter(n__gt=since)
    assert {"case.changed", "person.changed"} <= set(told.values_list("kind", flat=True))
    assert told.get(kind="person.changed").facts == {"what": "named"}
    assert NameQuestion.objects.get().state == "told"


def test_a_handle_alone_is_a_name(air: Air, stranger: Identity, their_case: Case) -> None:
    ask(stranger, air.channel)
    naming.keep_answer(due(), AuthorFacts(handle="@marta.r"))
    assert Person.objects.get(id=stranger.person_id).name == "@marta.r"


def test_a_name_a_colleague_gave_stays(air: Air, stranger: Identity, their_case: Case) -> None:
    ask(stranger, air.channel)
    rename_person(air.owner, stranger.person_id, "Señora del vuelo 12")
    naming.keep_answer(due(), MARTA)
    stranger.refresh_from_db()
    their_case.refresh_from_db()
    assert (stranger.person.name, their_case.person_name) == ("Señora del vuelo 12", "Señora del vuelo 12")
    assert stranger.name == "Marta Ruiz", "the identity says what the platform calls them"


def test_a_colleague_who_chose_the_key_itself_is_heard_too(air: Air, stranger: Identity, their_case: Case) -> None:
    act_id = rename_person(air.owner, stranger.person_id, KEY)
    ask(stranger, air.channel)
    naming.keep_answer(due(), MARTA)
    assert Person.objects.get(id=stranger.person_id).name == KEY
    undo_person_act(air.owner, act_id)
    assert Person.objects.get(id=stranger.person_id).name == KEY


def test_a_person_known_elsewhere_keeps_their_name(air: Air, stranger: Identity, their_case: Case) -> None:
    ask(stranger, air.channel)
    join_persons(air.owner, air.marta.id, stranger.person_id)
    naming.keep_answer(due(), AuthorFacts("Other Name"))
    air.marta.refresh_from_db()
    assert air.marta.name != "Other Name"
    assert Identity.objects.get(id=stranger.id).name == "Other Name"
    assert Message.objects.get(case_id=their_case.id).author_name == "Other Name"


def test_one_question_for_each_identity_however_often_it_is_noted(air: Air, stranger: Identity) -> None:
    first = ask(stranger, air.channel)
    assert ask(stranger, air.channel).id == first.id
    question = due()
    assert not naming.claim(question), "another process has it"
    assert naming.due_questions() == []
    naming.keep_answer(question, MARTA)
    ask(stranger, air.channel)
    with clock.travel(timedelta(days=400)):
        ask(stranger, air.channel)
        assert naming.due_questions() == []


def test_a_process_that_died_while_asking_leaves_its_question(air: Air, stranger: Identity) -> None:
    ask(stranger, air.channel)
    due()
    with clock.travel(naming.CLAIMED_FOR + timedelta(seconds=1)):
        due()


def test_who_was_refused_is_asked_about_again_when_they_write_a_week_later(air: Air, stranger: Identity) -> None:
    """Consent is writing to us: it may have come."""
    ask(stranger, air.channel)
    naming.keep_error(due(), ChannelError("name_withheld", permanent=True))
    row = ask(stranger, air.channel)
    assert (row.state, row.reason) == ("refused", "name_withheld")
    with clock.travel(naming.ASKED_AGAIN_AFTER + timedelta(hours=1)):
        assert naming.due_questions() == [], "not without a new word of theirs"
        ask(stranger, air.channel)
        naming.keep_answer(due(), MARTA)
    assert Person.objects.get(id=stranger.person_id).name == "Marta Ruiz"


def test_an_answer_that_tells_nothing_is_a_refusal(air: Air, stranger: Identity) -> None:
    ask(stranger, air.channel)
    naming.keep_answer(due(), AuthorFacts(" \0"))
    row = NameQuestion.objects.get()
    assert (row.state, row.reason) == ("refused", "not_told")


def test_what_may_pass_is_asked_again_later_and_later_and_then_no_more(air: Air, stranger: Identity) -> None:
    ask(stranger, air.channel)
    waited = []
    for _ in range(naming.MOST_TRIES):
        row = NameQuestion.objects.get()
        with clock.travel(row.not_before - clock.now() + timedelta(seconds=1)):
            naming.keep_error(due(), ChannelError("unreachable"))
            waited.append(NameQuestion.objects.get().not_before - clock.now())
    assert waited == sorted(waited)
    assert waited[0] > timedelta(seconds=20)
    row = NameQuestion.objects.get()
    assert (row.state, row.reason, row.tries) == ("refused", "unreachable", naming.MOST_TRIES)
    air.channel.refresh_from_db()
    assert (air.channel.state, air.channel.fail_count) == ("active", 0)


def test_a_platform_that_rests_is_asked_nothing_for_this_account(air: Air, stranger: Identity) -> None:
    ask(stranger, air.channel)
    ask(make_identity(Person.objects.create(workspace_id=air.workspace.id, name="7010"), "7010"), air.channel)
    first, _ = naming.due_questions()
    assert naming.claim(first)
    naming.keep_error(first, ChannelError("rate_limited", retry_after_s=600))
    with clock.travel(timedelta(minutes=9)):
        assert naming.due_questions() == []
    with clock.travel(timedelta(minutes=11)):
        assert len(naming.due_questions()) == 2


def test_a_token_that_ended_stops_the_channel_and_a_new_one_goes_on(air: Air, stranger: Identity) -> None:
    ask(stranger, air.channel)
    naming.keep_error(due(), ChannelError("token_refused", unauthorised=True))
    air.channel.refresh_from_db()
    assert air.channel.state == "unauthorised"
    assert naming.due_questions() == []
    Channel.objects.filter(id=air.channel.id).update(state="active")
    naming.keep_answer(due(), MARTA)
    assert Person.objects.get(id=stranger.person_id).name == "Marta Ruiz"


@pytest.mark.parametrize("why", ["held", "off", "installation"])
def test_nothing_is_asked_while_the_channel_or_the_house_is_held(air: Air, stranger: Identity, why: str) -> None:
    ask(stranger, air.channel)
    (question,) = naming.due_questions()
    if why == "installation":
        Installation.objects.update_or_create(id=1, defaults={"is_held": True})
    else:
        changes = {"held_at": clock.now()} if why == "held" else {"state": "off"}
        Channel.objects.filter(id=air.channel.id).update(**changes)
        assert not naming.claim(question)
    assert naming.due_questions() == []


def test_an_erased_person_gets_no_name_back(air: Air, stranger: Identity, their_case: Case) -> None:
    ask(stranger, air.channel)
    question = due()
    erase_person(air.owner, stranger.person_id)
    naming.keep_answer(question, MARTA)
    naming.keep_error(question, ChannelError("gone", permanent=True))
    assert not NameQuestion.objects.exists()
    assert not Message.objects.filter(author_name__contains="Marta").exists()
    assert Person.objects.get(id=stranger.person_id).name == ""


def test_one_busy_account_leaves_room_for_another(air: Air, cleo: Viewer, stranger: Identity) -> None:
    """And each workspace has its own."""
    for number in range(naming.PER_ROUND + 5):
        key = f"80{number}"
        ask(make_identity(Person.objects.create(workspace_id=air.workspace.id, name=key), key), air.channel)
    other = make_channel(air.workspace, air.care)
    ask(stranger, other)
    found = [one.channel_id for one in naming.due_questions()]
    assert found.count(air.channel.id) == naming.PER_ROUND
    assert found.count(other.id) == 1
