"""Reads of persons, identities and links. Whether a viewer may see a person is decided by their cases, a floor above.
Statements as stated.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.people.models import Link, Person


def person_not_found() -> NotFound:
    """The same words for a person who is not there and one who may not be seen."""
    return NotFound("person_not_found", _("This person does not exist, or you may not see them."))


def access_person_row(workspace_id: int, person_id: int, *, lock: bool = False) -> Person:
    """A person of the workspace. Raises NotFound for a foreign one. One statement."""
    found = Person.objects.filter(workspace_id=workspace_id, id=person_id)
    person = (found.select_for_update() if lock else found).first()
    if person is None:
        raise person_not_found()
    return person


def links_of(workspace_id: int, person_id: int) -> list[Link]:
    """Links and open suggestions of a person that nobody undid, oldest first, with their identities. One statement."""
    standing = Link.objects.filter(workspace_id=workspace_id, person_id=person_id, undone_at__isnull=True)
    return list(standing.select_related("identity").order_by("id"))
