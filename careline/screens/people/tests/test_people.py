"""A person's page over all channels, and what is done to persons and links, by whom."""

from __future__ import annotations

import json

import pytest

from careline.cases.models import Case
from careline.conftest import DM, Air, make_case, make_channel, make_identity
from careline.people.models import Identity, Link, Person
from careline.screens.conftest import Desk
from careline.threads.models import Message
from careline.workspaces.sight import Viewer


@pytest.fixture
def twin(air: Air) -> Person:
    """The same woman, met elsewhere."""
    person = Person.objects.create(workspace_id=air.workspace.id, name="M. Ruiz")
    identity = make_identity(person, "m-2", name="M. Ruiz")
    make_case(air.channel, identity, "by mail")
    return person


def test_one_timeline_over_all_channels_newest_first(air: Air, marta_case: Case) -> None:
    other = make_channel(air.workspace, air.care, name="letters")
    second = make_case(other, air.marta_identity, "And by letter", surface=DM)
    page = Desk(air.ana).page(f"persons/{air.marta.id}")
    assert page.index("And by letter") < page.index("Where are my miles?")
    assert f"/w/air/cases/{second.number}#message-" in page and "letters" in page


def test_the_timeline_holds_only_cases_the_viewer_may_see(air: Air, marta_case: Case) -> None:
    make_case(air.channel, air.marta_identity, "loyalty alone", team=air.loyalty)
    assert "loyalty alone" not in Desk(air.ana).page(f"persons/{air.marta.id}")
    assert "loyalty alone" in Desk(air.ben).page(f"persons/{air.marta.id}")


def test_long_timelines_go_on_page_by_page(air: Air, marta_case: Case) -> None:
    thread = Message.objects.get(case_id=marta_case.id).thread
    Message.objects.bulk_create(
        Message(
            workspace_id=air.workspace.id,
            thread=thread,
            channel_id=air.channel.id,
            case_id=marta_case.id,
            direction="inbound",
            text=f"word {at}",
            at=marta_case.opened_at,
        )
        for at in range(130)
    )
    desk = Desk(air.ana)
    first = desk.page(f"persons/{air.marta.id}")
    earlier = first.split("?before=")[1].split('"')[0]
    second = desk.page(f"persons/{air.marta.id}?before={earlier}")
    assert first.count('class="said-line') == 100 and second.count('class="said-line') == 31


def test_two_persons_are_joined_and_parted_again(air: Air, marta_case: Case, twin: Person) -> None:
    desk = Desk(air.ana)
    done = desk.do(f"persons/{air.marta.id}/join", {"other": str(twin.id)})
    assert "by mail" in desk.page(f"persons/{air.marta.id}")
    desk.do(done["undo"])
    assert "by mail" not in desk.page(f"persons/{air.marta.id}")


def test_a_suggestion_is_accepted_or_refused_and_a_link_taken_apart(air: Air, marta_case: Case, twin: Person) -> None:
    identity = Identity.objects.get(person=twin)
    link = Link.objects.create(
        workspace_id=air.workspace.id,
        identity=identity,
        person=air.marta,
        evidence="name",
        confidence=0.78,
        is_suggestion=True,
    )
    desk = Desk(air.ana)
    assert "perhaps the same, 0.78" in desk.fragment(f"cases/{marta_case.number}")
    accepted = desk.do(f"links/{link.id}/acceptance")
    assert Identity.objects.get(id=identity.id).person_id == air.marta.id
    desk.do(accepted["undo"])
    assert Identity.objects.get(id=identity.id).person_id == twin.id
    again = Link.objects.create(
        workspace_id=air.workspace.id, identity=identity, person=air.marta, evidence="name", is_suggestion=True
    )
    desk.do(f"links/{again.id}/refusal")
    assert "perhaps the same" not in desk.fragment(f"cases/{marta_case.number}")


def test_renaming_blocking_and_their_way_back(air: Air, marta_case: Case) -> None:
    desk = Desk(air.ana)
    renamed = desk.do(f"persons/{air.marta.id}/name", {"name": "Marta Ruiz Gil"})
    assert "Marta Ruiz Gil" in desk.page("inbox?view=team")
    desk.do(renamed["undo"])
    desk.do(f"persons/{air.marta.id}/block")
    assert "blocked" in desk.page(f"persons/{air.marta.id}")
    desk.do(f"persons/{air.marta.id}/block", method="DELETE")
    assert Person.objects.get(id=air.marta.id).blocked_at is None


def test_export_and_erasure_are_for_owners_and_the_name_is_typed(air: Air, marta_case: Case) -> None:
    ana, owner = Desk(air.ana), Desk(air.owner)
    assert 'data-do="erase-person"' not in ana.page(f"persons/{air.marta.id}")
    assert ana.get(f"persons/{air.marta.id}/export").status_code == 403
    assert ana.ask("POST", f"persons/{air.marta.id}/erasure", {"name": "Marta Ruiz"}).status_code == 403
    exported = json.loads(owner.get(f"persons/{air.marta.id}/export").content)
    assert exported["name"] == "Marta Ruiz" and exported["messages"][0]["text"] == "Where are my miles?"
    wrong = owner.ask("POST", f"persons/{air.marta.id}/erasure", {"name": "Marta"})
    assert (wrong.status_code, json.loads(wrong.content)["code"]) == (422, "name_differs")
    owner.do(f"persons/{air.marta.id}/erasure", {"name": "marta ruiz"})
    assert not Message.objects.filter(text="Where are my miles?").exists()


@pytest.mark.parametrize("path", ["persons/{p}", "persons/{p}/export"])
def test_cleo_sees_no_person_of_air(air: Air, cleo: Viewer, marta_case: Case, path: str) -> None:
    for desk in (Desk(cleo), Desk(cleo, "air")):
        assert desk.get(path.format(p=air.marta.id)).status_code == 404
