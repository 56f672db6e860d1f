"""Find or make the person behind one exact key, outside the digest: an address somebody writes to first."""

from __future__ import annotations

from dataclasses import dataclass

from careline.events.recording import UnitOfWork
from careline.people.models import Identity, Link, Person, PersonKey


@dataclass(frozen=True)
class Met:
    """An identity and its person, the person locked."""

    identity: Identity
    person: Person


def meet(work: UnitOfWork, workspace_id: int, *, network: str, scope: str, key: str, name: str = "") -> Met:
    """The identity of this key, made with a new person where nobody has it. Seven statements at most.

    An agent's word is no proof: the key of a new person becomes theirs only when they answer from it.
    """
    identity = Identity.objects.filter(workspace_id=workspace_id, scope=scope, key=key).first()
    if identity is not None:
        return Met(identity, _lock(identity.person_id))
    known = PersonKey.objects.filter(workspace_id=workspace_id, kind=scope, value=key).first()
    person = (
        _lock(known.person_id) if known else Person.objects.create(workspace_id=workspace_id, name=(name or key)[:160])
    )
    identity, is_new = Identity.objects.get_or_create(
        workspace_id=workspace_id,
        scope=scope,
        key=key[:320],
        defaults={"person": person, "network": network, "handle": key[:200], "name": name[:160]},
    )
    if is_new:
        Link.objects.create(
            workspace_id=workspace_id,
            identity=identity,
            person=person,
            evidence=scope if known else "written_to",
            evidence_value=key[:320] if known else "",
        )
        work.record_event(workspace_id, "person.changed", person_id=person.id, facts={"what": "met"})
    return Met(identity, person if identity.person_id == person.id else _lock(identity.person_id))


def _lock(person_id: int) -> Person:
    return Person.objects.select_for_update().get(id=person_id)
