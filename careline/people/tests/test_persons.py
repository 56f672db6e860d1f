"""Joining, linking, renaming, blocking, exporting and erasing persons: by whom, with what, and back again."""

from __future__ import annotations

import msgspec
import pytest

from careline.cases.actions.noting import write_note
from careline.cases.actions.replying import write_reply
from careline.cases.actions.tagging import tag_case
from careline.cases.models import Case, CaseAct, Draft
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.queries.persons import open_person
from careline.cases.rows import ListFilters
from careline.conftest import DM, make_case, make_identity
from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files.models import StoredFile
from careline.files.storing import count_references, prepare_file, save_files
from careline.outbox.models import Delivery
from careline.people.actions.blocking import block_person, unblock_person
from careline.people.actions.erasing import erase_person
from careline.people.actions.exporting import export_person
from careline.people.actions.joining import join_persons
from careline.people.actions.linking import accept_suggestion, refuse_suggestion, undo_link
from careline.people.actions.renaming import rename_person, set_language
from careline.people.actions.undoing import undo_person_act
from careline.people.models import Identity, Link, Person, PersonKey
from careline.threads.models import Attachment, Message, Thread, Tombstone
from careline.workspaces.models import Audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(air, marta_case):
    """Marta with a public case, and a person of her name who wrote a letter."""
    twin = Person.objects.create(workspace_id=air.workspace.id, name="M. Ruiz")
    identity = make_identity(twin, "m.ruiz@example.org", scope="email", name="M. Ruiz")
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="m.ruiz@example.org", person=twin)
    case = make_case(air.channel, identity, "a letter about miles", surface=DM)
    return twin, identity, case


def _suggest(air, identity, person):
    return Link.objects.create(
        workspace_id=air.workspace.id,
        identity=identity,
        person=person,
        evidence="name",
        evidence_value="Ruiz",
        confidence=0.78,
        is_suggestion=True,
    )


def _state():
    return (
        list(Identity.objects.order_by("id").values_list("id", "person_id")),
        list(PersonKey.objects.order_by("id").values_list("id", "person_id")),
        list(Case.objects.order_by("id").values_list("id", "person_id", "person_name")),
        list(Person.objects.order_by("id").values_list("id", "merged_into_id", "name")),
    )


def test_joined_persons_share_identities_keys_and_cases_and_part_again(air, marta_case, two):
    twin, identity, case = two
    before = _state()
    act_id = join_persons(air.ana, air.marta.id, twin.id, why="same booking")
    card = open_case(air.ana, marta_case.number).person
    assert {one.key for one in card.identities} == {"marta-1", "m.ruiz@example.org"}
    assert [one.number for one in card.cases] == [case.number]
    link = Link.objects.get(identity=identity)
    assert (link.person_id, link.previous_person_id, link.evidence, link.actor_id) == (
        air.marta.id,
        twin.id,
        "agent",
        air.ana.agent_id,
    )
    assert Case.objects.get(id=case.id).person_name == "Marta Ruiz"
    assert Person.objects.get(id=twin.id).merged_into_id == air.marta.id
    assert PersonKey.objects.get().person_id == air.marta.id
    undo_person_act(air.ben, act_id)
    assert _state() == before
    with pytest.raises(Conflict):
        undo_person_act(air.ben, act_id)


def test_an_accepted_suggestion_joins_and_a_refused_one_is_not_made_again(air, marta_case, two):
    _twin, identity, _case = two
    before = _state()
    act_id = accept_suggestion(air.ana, _suggest(air, identity, air.marta).id)
    assert Identity.objects.get(id=identity.id).person_id == air.marta.id
    assert Link.objects.get(identity=identity).confidence == 0.78
    undo_person_act(air.ana, act_id)
    assert _state() == before
    link = _suggest(air, identity, air.marta)
    assert [one.link_id for one in open_person(air.ana, air.marta.id).suggestions] == [link.id]
    act_id = refuse_suggestion(air.ana, link.id)
    assert open_person(air.ana, air.marta.id).suggestions == ()
    with pytest.raises(NotFound):
        accept_suggestion(air.ana, link.id)
    undo_person_act(air.ana, act_id)
    assert len(open_person(air.ana, air.marta.id).suggestions) == 1


def test_one_identity_of_several_moves_with_the_cases_it_began(air, marta_case, two):
    twin, identity, case = two
    other = make_identity(twin, "t-9", handle="@t9")
    stays = make_case(air.channel, other, "other talk")
    act_id = accept_suggestion(air.ana, _suggest(air, identity, air.marta).id)
    assert Case.objects.get(id=case.id).person_id == air.marta.id
    assert Case.objects.get(id=stays.id).person_id == twin.id
    undo_person_act(air.ana, act_id)
    assert Case.objects.get(id=case.id).person_id == twin.id


def test_an_undone_link_gives_the_identity_back(air, marta_case, two):
    twin, identity, case = two
    join_persons(air.ana, air.marta.id, twin.id)
    act_id = undo_link(air.ana, Link.objects.get(identity=identity).id)
    assert Identity.objects.get(id=identity.id).person_id == twin.id
    assert Person.objects.get(id=twin.id).merged_into_id is None
    assert Case.objects.get(id=case.id).person_id == twin.id
    undo_person_act(air.ana, act_id)
    assert Identity.objects.get(id=identity.id).person_id == air.marta.id
    assert Case.objects.get(id=case.id).person_id == air.marta.id


def test_a_wrong_link_of_a_first_contact_makes_a_person_of_its_own(air, marta_case):
    second = make_identity(air.marta, "x-1", name="Nora Paz")
    link = Link.objects.create(
        workspace_id=air.workspace.id, identity=second, person=air.marta, evidence="email", evidence_value="n@x.org"
    )
    case = make_case(air.channel, second, "not Marta at all")
    undo_link(air.ana, link.id)
    fresh = Identity.objects.get(id=second.id).person
    assert (fresh.name, fresh.id != air.marta.id) == ("Nora Paz", True)
    assert Case.objects.get(id=case.id).person_name == "Nora Paz"
    assert Case.objects.get(id=marta_case.id).person_id == air.marta.id


def test_a_person_keeps_at_least_one_identity(air, marta_case):
    link = Link.objects.create(
        workspace_id=air.workspace.id, identity=air.marta_identity, person=air.marta, evidence="first_contact"
    )
    with pytest.raises(Conflict):
        undo_link(air.ana, link.id)


def test_a_name_is_corrected_on_every_case_and_back(air, marta_case):
    act_id = rename_person(air.ana, air.marta.id, "  Marta  Ruiz García ")
    assert Case.objects.get(id=marta_case.id).person_name == "Marta Ruiz García"
    assert [row.number for row in list_page(air.ana, ListFilters(view="all", query="Garcia")).rows] == [
        marta_case.number
    ]
    undo_person_act(air.ana, act_id)
    assert Case.objects.get(id=marta_case.id).person_name == "Marta Ruiz"
    with pytest.raises(InputRefused):
        rename_person(air.ana, air.marta.id, " ")
    set_language(air.ana, air.marta.id, "pt-BR")
    assert Person.objects.get(id=air.marta.id).language == "pt-BR"


def test_a_blocked_person_is_heard_again_when_undone(air, marta_case):
    act_id = block_person(air.ana, air.marta.id)
    assert Identity.objects.get(id=air.marta_identity.id).blocked_at is not None
    undo_person_act(air.ana, act_id)
    assert Person.objects.get(id=air.marta.id).blocked_at is None
    block_person(air.ana, air.marta.id)
    unblock_person(air.ana, air.marta.id)
    assert Identity.objects.get(id=air.marta_identity.id).blocked_at is None


def _live(air, marta_case, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    thread = Message.objects.get(case_id=marta_case.id).thread
    write_reply(
        air.ana, marta_case.number, thread_id=thread.id, text="Marta, your miles", mode="public", client_key="k"
    )
    write_note(air.ana, marta_case.number, text="Marta is angry")
    tag_case(air.ana, marta_case.number, add=["gold"])
    with unit_of_work():
        prepared = prepare_file(air.workspace.id, b"passport of Marta")
        file_id = save_files([prepared])[(air.workspace.id, prepared.sha256)]
        message = Message.objects.get(case_id=marta_case.id, direction="inbound")
        Attachment.objects.create(
            workspace_id=air.workspace.id, message=message, file_id=file_id, name="passport-marta.png"
        )
        count_references([file_id])
        Draft.objects.create(
            workspace_id=air.workspace.id,
            case_id=marta_case.id,
            agent_id=air.ana.agent_id,
            mode="public",
            text="Marta, ",
        )
    return file_id


def test_an_erased_person_leaves_no_word_anywhere(air, marta_case, two, tmp_path, settings):
    file_id = _live(air, marta_case, tmp_path, settings)
    inbound = Message.objects.get(direction="inbound", case_id=marta_case.id)
    join_persons(air.ana, air.marta.id, two[0].id)
    count = erase_person(air.owner, air.marta.id)
    assert count == 4
    for model in (
        Message,
        Case,
        Person,
        Identity,
        Link,
        PersonKey,
        Delivery,
        Draft,
        CaseAct,
        Thread,
        Event,
        Audit,
        Attachment,
    ):
        for row in model.objects.values():
            told = str(row).lower()
            assert not {
                word for word in ("marta", "ruiz", "miles", "passport", "m.ruiz@", "gold member") if word in told
            }, (model, row)
    case = Case.objects.get(id=marta_case.id)
    assert (case.state, case.due_at, case.number) == ("done", None, marta_case.number)
    assert list_page(air.owner, ListFilters(view="done", query="miles")).rows == ()
    assert list_page(air.owner, ListFilters(view="done", query="marta")).rows == ()
    assert StoredFile.objects.get(id=file_id).reference_count == 0
    assert Tombstone.objects.filter(platform_id=inbound.platform_id, reason="erased").exists()
    event = Event.objects.get(kind="person.erased")
    assert inbound.id in event.facts["message_ids"]
    assert Audit.objects.get(verb="person_erased").facts == {"messages": 4}
    with pytest.raises(NotFound):
        rename_person(air.owner, air.marta.id, "Marta")


def test_erasing_one_leaves_the_others_words(air, marta_case, two):
    erase_person(air.owner, air.marta.id)
    assert open_case(air.owner, two[2].number).messages[0].text == "a letter about miles"


def test_an_export_is_whole_machine_readable_and_audited(air, marta_case, tmp_path, settings):
    _live(air, marta_case, tmp_path, settings)
    told = msgspec.json.decode(msgspec.json.encode(export_person(air.owner, air.marta.id)))
    assert [one["text"] for one in told["messages"]] == ["Where are my miles?", "Marta, your miles"]
    assert told["messages"][0]["files"] == ["passport-marta.png"]
    assert (told["cases"][0]["number"], told["cases"][0]["tags"]) == (marta_case.number, ["gold"])
    assert told["identities"][0]["key"] == "marta-1"
    assert "angry" not in str(told)
    assert Audit.objects.filter(verb="person_exported").count() == 1


DOORS = {
    "join": ("join_persons", lambda viewer, it: join_persons(viewer, it["person"], it["other"])),
    "accept": ("join_persons", lambda viewer, it: accept_suggestion(viewer, it["suggestion"])),
    "refuse": ("join_persons", lambda viewer, it: refuse_suggestion(viewer, it["suggestion"])),
    "unlink": ("join_persons", lambda viewer, it: undo_link(viewer, it["link"])),
    "rename": ("manage_case", lambda viewer, it: rename_person(viewer, it["person"], "Somebody")),
    "language": ("manage_case", lambda viewer, it: set_language(viewer, it["person"], "fr")),
    "block": ("block_person", lambda viewer, it: block_person(viewer, it["person"])),
    "unblock": ("block_person", lambda viewer, it: unblock_person(viewer, it["person"])),
    "erase": ("erase_person", lambda viewer, it: erase_person(viewer, it["person"])),
    "export": ("export_person", lambda viewer, it: export_person(viewer, it["person"])),
}


def _it(air, two):
    twin, identity, _case = two
    own = make_identity(air.marta, "second-1")
    link = Link.objects.create(workspace_id=air.workspace.id, identity=own, person=air.marta, evidence="email")
    return {
        "person": air.marta.id,
        "other": twin.id,
        "suggestion": _suggest(air, identity, air.marta).id,
        "link": link.id,
    }


@pytest.mark.parametrize("door", DOORS)
def test_who_may_do_what_to_a_person(air, cleo, marta_case, two, door):
    verb, act = DOORS[door]
    from careline.workspaces.roles import may

    it = _it(air, two)
    before = _state()
    for name, viewer in {**air.agents, "cleo": cleo}.items():
        if not may(viewer.role, verb):
            with pytest.raises(Forbidden):
                act(viewer, it)
        elif name in {"dora", "cleo"}:
            with pytest.raises(NotFound):
                act(viewer, it)
    assert _state() == before
    act(air.owner, it)


def test_a_person_is_seen_through_their_cases_only(air, cleo, marta_case):
    assert open_person(air.ana, air.marta.id).name == "Marta Ruiz"
    for stranger in (cleo, air.dora, air.carl):
        with pytest.raises(NotFound):
            open_person(stranger, air.marta.id)
