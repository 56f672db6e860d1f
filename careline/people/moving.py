"""Identities pass from one person to another: the one piece of work behind joining, linking, and undoing either."""

from __future__ import annotations

from collections.abc import Sequence

from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.people.following import Move, followers
from careline.people.models import Identity, Link, Person, PersonKey
from careline.people.queries import person_not_found


def lock_persons(workspace_id: int, *person_ids: int) -> dict[int, Person]:
    """Persons of a workspace, locked in id order. Raises NotFound when one is missing or erased. One statement."""
    wanted = sorted(set(person_ids))
    found = Person.objects.select_for_update().filter(workspace_id=workspace_id, id__in=wanted, erased_at__isnull=True)
    rows = {person.id: person for person in found.order_by("id")}
    if len(rows) != len(wanted):
        raise person_not_found()
    return rows


def move(work: UnitOfWork, one: Move) -> list[int]:
    """Move identities and what follows them; persons are locked. Returns the ids of the cases that went along."""
    Identity.objects.filter(workspace_id=one.workspace_id, id__in=one.identity_ids).update(person_id=one.to_id)
    case_ids = [case_id for follower in followers() for case_id in follower.moved(work, one)]
    for person_id in (one.from_id, one.to_id):
        changed(work, one.workspace_id, person_id, "identities")
    return case_ids


def link_moved(
    one: Move, *, evidence: str, value: str = "", confidence: float = 1.0, actor_id: int | None = None
) -> list[int]:
    """Links that say why these identities belong where they are now. Returns their ids. One statement."""
    links = [
        Link(
            workspace_id=one.workspace_id,
            identity_id=identity_id,
            person_id=one.to_id,
            previous_person_id=one.from_id,
            evidence=evidence,
            evidence_value=value[:320],
            confidence=confidence,
            actor_id=actor_id,
            at=clock.now(),
        )
        for identity_id in one.identity_ids
    ]
    Link.objects.bulk_create(links)
    return [link.id for link in links]


def move_keys(workspace_id: int, from_id: int, to_id: int, key_ids: Sequence[int] | None = None) -> list[int]:
    """Proven keys lead to another person now. Returns which. Two statements."""
    keys = PersonKey.objects.filter(workspace_id=workspace_id, person_id=from_id)
    moved = list((keys if key_ids is None else keys.filter(id__in=key_ids)).order_by("id").values_list("id", flat=True))
    PersonKey.objects.filter(id__in=moved).update(person_id=to_id)
    return moved


def changed(work: UnitOfWork, workspace_id: int, person_id: int, what: str) -> None:
    """Bump a locked person's version and tell. Two statements."""
    person = Person.objects.get(id=person_id, workspace_id=workspace_id)
    person.version += 1
    person.save(update_fields=["version"])
    work.record_event(workspace_id, "person.changed", person_id=person_id, version=person.version, facts={"what": what})
