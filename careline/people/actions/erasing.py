"""Erase one person, on their request: every word, name and key, everywhere. It cannot be undone, and says so in the
audit log.
"""

from __future__ import annotations

from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.people.following import check_sees, followers
from careline.people.models import Identity, Link, Person, PersonAct, PersonKey
from careline.people.moving import lock_persons
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def erase_person(viewer: Viewer, person_id: int) -> int:
    """Purge messages, files, search, drafts, identities, links and keys; cases stay as numbers without words. Returns
    how many messages.

    The event `person.erased` names the purged messages, so that the journal's raw rows follow. Persons joined into this
    one go with them.
    """
    check_may(viewer.role, "erase_person")
    check_sees(viewer, person_id)
    with unit_of_work() as work:
        message_ids = _erase(work, viewer.workspace_id, person_id, viewer.agent_id)
        record_audit(
            work,
            "person_erased",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            account_id=viewer.account_id,
            subject=f"person:{person_id}",
            facts={"messages": len(message_ids)},
        )
        return len(message_ids)


def erase_again(person_id: int) -> int:
    """Erase somebody who was erased after the backup that brought them back. Returns how many messages; 0 when they are not here."""
    person = Person.objects.filter(id=person_id, erased_at__isnull=True).first()
    if person is None:
        return 0
    with unit_of_work() as work:
        message_ids = _erase(work, person.workspace_id, person_id, None)
        record_audit(
            work,
            "person_erased",
            workspace_id=person.workspace_id,
            subject=f"person:{person_id}",
            facts={"messages": len(message_ids), "restored": True},
        )
        return len(message_ids)


def _erase(work: UnitOfWork, workspace_id: int, person_id: int, agent_id: int | None) -> set[int]:
    """Inside a unit of work. Returns the messages that lost their words."""
    joined = list(
        Person.objects.filter(workspace_id=workspace_id, merged_into_id=person_id, erased_at__isnull=True).values_list(
            "id", flat=True
        )
    )
    persons = lock_persons(workspace_id, person_id, *joined)
    identity_ids = list(Identity.objects.filter(person_id__in=persons).order_by("id").values_list("id", flat=True))
    message_ids = {
        one
        for person in sorted(persons)
        for follower in followers()
        for one in follower.erased(work, workspace_id, person, identity_ids)
    }
    _empty(sorted(persons), identity_ids)
    facts = {"message_ids": sorted(message_ids)}
    work.record_event(workspace_id, "person.erased", person_id=person_id, agent_id=agent_id, facts=facts)
    return message_ids


def _empty(person_ids: list[int], identity_ids: list[int]) -> None:
    Link.objects.filter(identity_id__in=identity_ids).delete()
    Link.objects.filter(person_id__in=person_ids).delete()
    PersonKey.objects.filter(person_id__in=person_ids).delete()
    PersonAct.objects.filter(person_id__in=person_ids).delete()
    Identity.objects.filter(id__in=identity_ids).delete()
    Person.objects.filter(id__in=person_ids).update(name="", name_key="", language="", facts={}, erased_at=clock.now())
