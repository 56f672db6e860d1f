"""Everything we hold of one person, in a shape that a machine reads: for their own request."""

from __future__ import annotations

import msgspec

from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people.following import ExportedCase, ExportedMessage, check_sees, followers
from careline.people.models import Identity, Person, PersonKey
from careline.people.queries import access_person_row
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


class ExportedIdentity(msgspec.Struct, frozen=True):
    """One identity, and when it was first seen."""

    network: str
    key: str
    handle: str
    name: str
    first_seen_at: str


class PersonExport(msgspec.Struct, frozen=True):
    """The whole export; times are ISO 8601 in UTC."""

    person_id: int
    name: str
    language: str
    first_seen_at: str
    exported_at: str
    facts: dict[str, object]
    identities: tuple[ExportedIdentity, ...]
    keys: tuple[tuple[str, str], ...]
    cases: tuple[ExportedCase, ...]
    messages: tuple[ExportedMessage, ...]


def export_person(viewer: Viewer, person_id: int) -> PersonExport:
    """All of a person; notes among colleagues are left out. Written to the audit log."""
    check_may(viewer.role, "export_person")
    check_sees(viewer, person_id)
    with unit_of_work() as work:
        person = access_person_row(viewer.workspace_id, person_id)
        told = _gather(person)
        record_audit(
            work,
            "person_exported",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            account_id=viewer.account_id,
            subject=f"person:{person_id}",
            facts={"messages": len(told.messages)},
        )
        return told


def _gather(person: Person) -> PersonExport:
    cases: list[ExportedCase] = []
    messages: list[ExportedMessage] = []
    for follower in followers():
        some_cases, some_messages = follower.exported(person.workspace_id, person.id)
        cases += some_cases
        messages += some_messages
    identities = Identity.objects.filter(person=person).order_by("id")
    return PersonExport(
        person_id=person.id,
        name=person.name,
        language=person.language,
        first_seen_at=person.first_seen_at.isoformat(),
        exported_at=clock.now().isoformat(),
        facts=dict(person.facts),
        identities=tuple(
            ExportedIdentity(one.network, one.key, one.handle, one.name, one.first_seen_at.isoformat())
            for one in identities
        ),
        keys=tuple(PersonKey.objects.filter(person=person).order_by("id").values_list("kind", "value")),
        cases=tuple(cases),
        messages=tuple(messages),
    )
