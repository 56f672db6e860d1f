"""Likely twins: suggestions for identities just met, computed after the digest by a clock of their own. Nothing is
linked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from django.db.models import Q

from careline.clocks import setting
from careline.clocks.firing import on
from careline.clocks.models import Clock
from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.people.likeness import handle_likeness, name_key, name_likeness
from careline.people.models import Identity, Link, Person

KIND: Final = "person.suggest"
AFTER: Final = timedelta(seconds=2)
MOST_CANDIDATES: Final = 50
MOST_SUGGESTIONS: Final = 3


def arm_suggestions(workspace_id: int, identity_ids: Sequence[int]) -> None:
    """Look for twins of these identities soon, in the caller's unit of work. One statement for all of them."""
    if identity_ids:
        due_at = clock.now() + AFTER
        setting.set_clocks(
            [setting.due(workspace_id, KIND, min(identity_ids), due_at, facts={"identity_ids": list(identity_ids)})]
        )


@on(KIND)
def suggest(work: UnitOfWork, fired: Clock) -> None:
    """Suggest persons for the identities of a clock. Two statements an identity, one for all that was found."""
    identities = Identity.objects.select_related("person").filter(
        workspace_id=fired.workspace_id, id__in=fired.facts.get("identity_ids", [])
    )
    found = [link for identity in identities for link in twins_of(identity)]
    Link.objects.bulk_create(found)
    for link in found:
        work.record_event(fired.workspace_id, "person.changed", person_id=link.person_id, facts={"what": "suggested"})


def twins_of(identity: Identity) -> list[Link]:
    """Suggestions for one identity, likeliest first: other persons of a like name or handle it was never linked to or
    refused for.
    """
    name = identity.name or identity.person.name
    known = set(Link.objects.filter(identity=identity).values_list("person_id", flat=True)) | {identity.person_id}
    likely: dict[int, tuple[float, str, str]] = {}
    for person_id, other_name, handle in _candidates(identity, name):
        if person_id in known:
            continue
        by_name = (name_likeness(name, other_name), "name", other_name)
        by_handle = (handle_likeness(identity.handle, handle), "handle", handle)
        likely[person_id] = max(likely.get(person_id, (0.0, "", "")), by_name, by_handle)
    best = sorted(((facts, person_id) for person_id, facts in likely.items() if facts[0]), reverse=True)[
        :MOST_SUGGESTIONS
    ]
    return [_suggestion(identity, person_id, *facts) for facts, person_id in best]


def _candidates(identity: Identity, name: str) -> Iterable[tuple[int, str, str]]:
    key = name_key(name)
    rows: list[tuple[int, str, str]] = []
    if " " in key:
        # A name that begins like this one, or that this one begins like: both found by the index.
        like = Q(name_key=key) | Q(name_key__gte=f"{key} ", name_key__lt=f"{key}!") | Q(name_key=key.rpartition(" ")[0])
        persons = Person.objects.filter(
            like, workspace_id=identity.workspace_id, merged_into_id__isnull=True, erased_at__isnull=True
        )
        rows += [
            (person_id, other, "")
            for person_id, other in persons.order_by("-id").values_list("id", "name")[:MOST_CANDIDATES]
        ]
    if identity.handle:
        spellings = {identity.handle.lstrip("@"), f"@{identity.handle.lstrip('@')}"}
        same = Identity.objects.filter(workspace_id=identity.workspace_id, handle__in=spellings).exclude(
            scope=identity.scope
        )
        rows += [
            (person_id, "", handle)
            for person_id, handle in same.order_by("-id").values_list("person_id", "handle")[:MOST_CANDIDATES]
        ]
    return rows


def _suggestion(identity: Identity, person_id: int, confidence: float, evidence: str, value: str) -> Link:
    return Link(
        workspace_id=identity.workspace_id,
        identity=identity,
        person_id=person_id,
        evidence=evidence,
        evidence_value=value[:320],
        confidence=confidence,
        is_suggestion=True,
        at=clock.now(),
    )
