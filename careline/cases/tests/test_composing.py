"""Writing first: who may, from which channel, to whom, and what comes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions.composing import compose
from careline.cases.models import Case
from careline.cases.queries.opening import open_case
from careline.channels import registry
from careline.channels.capabilities import Capabilities
from careline.conftest import POST, TestNetwork, make_channel
from careline.errors import Conflict, Forbidden, InputRefused, NotFound
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.people.models import Identity, Person, PersonKey
from careline.threads.starting import adopt_key, wire_key

pytestmark = pytest.mark.django_db


def _write(viewer, air, **more):
    return compose(
        viewer,
        air.channel.id,
        **{"to": ["Nora@Example.org"], "text": "Your bag was found", "subject": "Your bag", **more},
    )


def test_a_letter_makes_person_thread_case_message_and_delivery(air):
    message = _write(air.ana, air, copied=["boss@example.org"], name="Nora Paz")
    case = Case.objects.get(id=message.case_id)
    delivery = Delivery.objects.get()
    assert (case.assignee_id, case.state, case.waiting_reason, case.title, case.team_id) == (
        air.ana.agent_id,
        "waiting",
        "customer",
        "Your bag",
        air.care.id,
    )
    assert (case.person_name, Identity.objects.get(person_id=case.person_id).key) == ("Nora Paz", "nora@example.org")
    assert (delivery.recipient, delivery.facts["to"], delivery.facts["copied"], delivery.facts["subject"]) == (
        "Nora@Example.org",
        ["Nora@Example.org"],
        ["boss@example.org"],
        "Your bag",
    )
    assert message.thread.bound_case_id == case.id
    assert case.first_answered_at is None  # nobody asked yet
    pane = open_case(air.ana, case.number)
    assert (pane.messages[0].recipients, pane.messages[0].copied) == (("Nora@Example.org",), ("boss@example.org",))


def test_a_letter_to_somebody_known_is_theirs(air):
    identity = Identity.objects.create(
        workspace_id=air.workspace.id, person=air.marta, network="testnet", scope="email", key="nora@example.org"
    )
    assert Case.objects.get(id=_write(air.ana, air).case_id).person_id == air.marta.id
    assert Identity.objects.filter(key="nora@example.org").get().id == identity.id


def test_a_letter_to_a_proven_address_is_its_persons(air):
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="nora@example.org", person=air.marta)
    assert Case.objects.get(id=_write(air.ana, air).case_id).person_id == air.marta.id


def test_the_same_click_twice_is_one_letter(air):
    first, again = _write(air.ana, air, client_key="k"), _write(air.ana, air, client_key="k")
    assert first.id == again.id
    assert (Case.objects.count(), Person.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to": []}, "to"),
        ({"to": ["nobody"]}, "to"),
        ({"copied": ["x"]}, "copied"),
        ({"to": [f"a{n}@b.c" for n in range(51)]}, "to"),
        ({"text": " "}, "text"),
    ],
)
def test_what_cannot_be_sent_names_its_field(air, more, field):
    with pytest.raises(InputRefused) as refused:
        _write(air.ana, air, **more)
    assert refused.value.field == field
    assert not Case.objects.exists()


def test_only_surfaces_that_allow_it_can_be_begun_on(air):
    class Listener(TestNetwork):
        capabilities = Capabilities(proof="A", surfaces=(POST,))

    registry.add_for_tests(Listener())
    with pytest.raises(InputRefused) as refused:
        _write(air.ana, air)
    assert refused.value.code == "cannot_begin"


def test_who_may_write_first_and_from_where(air, cleo):
    for role in ("iris", "carl"):
        with pytest.raises(Forbidden):
            _write(air.agents[role], air)
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            _write(stranger, air)
    shared = make_channel(air.workspace, None, name="shared")
    assert compose(air.dora, shared.id, to=["n@example.org"], text="x").case_id


def test_a_blocked_person_gets_no_letter(air):
    Identity.objects.create(
        workspace_id=air.workspace.id,
        person=air.marta,
        network="testnet",
        scope="email",
        key="nora@example.org",
        blocked_at=clock.now(),
    )
    with pytest.raises(Conflict):
        _write(air.ana, air)


def test_a_new_thread_has_no_key_for_the_platform_until_the_platform_names_it(air):
    thread = _write(air.ana, air).thread
    assert wire_key(thread) == ""
    assert wire_key(adopt_key(None, thread, "their-key")) == "their-key"
    assert clock.now() - thread.created_at < timedelta(minutes=1)
