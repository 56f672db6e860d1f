"""Block a person and their identities, or let them be heard again, in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Sequence

from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.people.models import Identity, Person
from careline.people.queries import access_person_row


def block(work: UnitOfWork, workspace_id: int, person_id: int) -> list[int]:
    """Block. Returns the identities this blocked (not those blocked before). The person is locked: call before any
    case is.
    """
    person = access_person_row(workspace_id, person_id, lock=True)
    now = clock.now()
    fresh = list(
        Identity.objects.filter(person=person, blocked_at__isnull=True).order_by("id").values_list("id", flat=True)
    )
    Identity.objects.filter(id__in=fresh).update(blocked_at=now)
    _set(work, person, "blocked", blocked_at=now)
    return fresh


def unblock(work: UnitOfWork, workspace_id: int, person_id: int, identity_ids: Sequence[int] | None = None) -> None:
    """Let a person be heard again; without `identity_ids`, by every identity."""
    person = access_person_row(workspace_id, person_id, lock=True)
    blocked = Identity.objects.filter(person=person)
    (blocked if identity_ids is None else blocked.filter(id__in=identity_ids)).update(blocked_at=None)
    _set(work, person, "unblocked", blocked_at=None)


def _set(work: UnitOfWork, person: Person, what: str, **columns: object) -> None:
    for name, value in columns.items():
        setattr(person, name, value)
    person.version += 1
    person.save(update_fields=[*columns, "version"])
    work.record_event(
        person.workspace_id, "person.changed", person_id=person.id, version=person.version, facts={"what": what}
    )
