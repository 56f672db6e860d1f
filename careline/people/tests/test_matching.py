"""Who an author is: exact proven keys link, claims never, and a batch costs the same for one and for two hundred."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.channels.base import Author
from careline.clocks.firing import fire_due
from careline.clocks.models import Clock
from careline.conftest import make_identity
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people.likeness import handle_likeness, name_key, name_likeness
from careline.people.matching import resolve_identities
from careline.people.models import Identity, Link, Person, PersonKey

pytestmark = pytest.mark.django_db
AFTER = timedelta(seconds=3)


def meet(workspace, *authors, scope="testnet"):
    with unit_of_work() as work:
        return resolve_identities(work, workspace.id, network="testnet", scope=scope, authors=authors)


def test_a_new_author_is_a_new_person_and_the_same_one_next_time(air):
    first = meet(air.workspace, Author("u-1", "@nora", "Nora Paz"))["u-1"]
    again = meet(air.workspace, Author("u-1", "@nora_new", "Nora Paz"))["u-1"]
    assert first[1].id == again[1].id
    assert (again[0].handle, again[1].name) == ("@nora_new", "Nora Paz")
    assert Link.objects.get(identity=first[0]).evidence == "first_contact"


def test_the_same_key_in_another_scope_or_workspace_is_somebody_else(air, cleo):
    one = meet(air.workspace, Author("7"))["7"][1]
    other = meet(air.workspace, Author("7"), scope="channel:9")["7"][1]
    with unit_of_work() as work:
        foreign = resolve_identities(
            work, cleo.workspace_id, network="testnet", scope="testnet", authors=[Author("7")]
        )["7"][1]
    assert len({one.id, other.id, foreign.id}) == 3
    assert foreign.workspace_id == cleo.workspace_id


def test_an_exact_key_the_platform_vouches_for_links_with_its_evidence(air):
    mail = ("email", "nora@example.org")
    first = meet(air.workspace, Author("nora@example.org", proven_keys=(mail,)), scope="email")["nora@example.org"][1]
    second = meet(air.workspace, Author("visitor-9", name="N.", proven_keys=(mail,)), scope="channel:9")["visitor-9"]
    assert second[1].id == first.id
    link = Link.objects.get(identity=second[0])
    assert (link.evidence, link.evidence_value, link.confidence, link.is_suggestion) == (
        "email",
        "nora@example.org",
        1.0,
        False,
    )


def test_a_claim_in_words_never_links(air):
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="marta@example.org", person=air.marta)
    claimed = meet(air.workspace, Author("u-2", handle="marta@example.org", name="marta@example.org"))["u-2"][1]
    assert claimed.id != air.marta.id


def test_two_new_authors_of_one_batch_with_one_proven_key_are_one_person(air):
    key = ("customer", "C-100")
    found = meet(air.workspace, Author("a", proven_keys=(key,)), Author("b", proven_keys=(key,)))
    assert found["a"][1].id == found["b"][1].id
    assert PersonKey.objects.get(kind="customer").person_id == found["a"][1].id


def test_a_known_identity_that_proves_anothers_key_is_suggested_once_not_joined(air):
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="m@example.org", person=air.marta)
    meet(air.workspace, Author("visitor"), scope="channel:1")
    for _ in range(2):
        found = meet(air.workspace, Author("visitor", proven_keys=(("email", "m@example.org"),)), scope="channel:1")[
            "visitor"
        ]
    assert found[1].id != air.marta.id
    link = Link.objects.get(identity=found[0], is_suggestion=True)
    assert (link.person_id, link.confidence, link.evidence) == (air.marta.id, 1.0, "email")


@pytest.mark.parametrize("count", [1, 60])
def test_a_batch_costs_the_same_however_many_authors(air, count, django_assert_max_num_queries):
    authors = [
        Author(f"u-{n}", f"@u{n}", f"Una {n}", proven_keys=(("email", f"u{n}@example.org"),)) for n in range(count)
    ]
    with django_assert_max_num_queries(14):  # nine, the savepoint and the clock of suggestions
        meet(air.workspace, *authors)
    with django_assert_max_num_queries(8):
        meet(air.workspace, *authors)


def test_hostile_keys_and_names_are_kept_as_data(air):
    author = Author("k\0ey" + "x" * 400, "\0h", "N\0ame" * 100)
    identity, person = meet(air.workspace, author)[author.key]
    assert "\0" not in identity.key + identity.handle + identity.name + person.name
    assert (len(identity.key), len(person.name)) == (320, 160)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Marta Ruiz", "Marta Ruiz García", 0.78),
        ("MARTA RUÍZ", "marta ruiz", 0.82),
        ("María de la Cruz", "Maria Cruz", 0.82),
        ("Ruiz Marta", "Marta Ruiz", 0.82),
        ("Marta Ruiz", "Marta Ruiz García López", 0.0),
        ("Marta", "Marta", 0.0),
        ("Marta Ruiz", "Marta García", 0.0),
        ("", "Marta Ruiz", 0.0),
    ],
)
def test_names_are_alike_with_one_surname_or_two(one, other, likeness):
    assert name_likeness(one, other) == name_likeness(other, one) == likeness


def test_handles_are_alike_when_long_enough_and_equal():
    assert handle_likeness("@martarg", "MartaRG") == 0.70
    assert handle_likeness("@mr", "mr") == handle_likeness("m@x.org", "m@x.org") == 0.0


def test_a_like_name_is_suggested_by_the_clock_and_never_linked(air):
    twin = Person.objects.create(
        workspace_id=air.workspace.id, name="Marta Ruiz García", name_key=name_key("Marta Ruiz García")
    )
    make_identity(twin, "twin-1", name="Marta Ruiz García", scope="email")
    found = meet(air.workspace, Author("dm-4", "@m4", "Marta Ruiz"))["dm-4"]
    assert Clock.objects.filter(kind="person.suggest").count() == 1
    with clock.travel(AFTER):
        fire_due()
    link = Link.objects.get(identity=found[0], is_suggestion=True)
    assert (link.person_id, link.confidence, link.evidence, link.evidence_value) == (
        twin.id,
        0.78,
        "name",
        "Marta Ruiz García",
    )
    assert Identity.objects.get(id=found[0].id).person_id != twin.id


def test_a_twin_in_another_workspace_is_nobodys_business(air, cleo):
    Person.objects.create(workspace_id=cleo.workspace_id, name="Nora Paz", name_key="nora paz")
    meet(air.workspace, Author("n-1", "@nora_paz", "Nora Paz"))
    with clock.travel(AFTER):
        fire_due()
    assert not Link.objects.filter(is_suggestion=True).exists()
