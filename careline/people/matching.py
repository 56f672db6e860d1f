"""Who an author is: identities by exact key, persons behind them, links by keys the platform vouches for. Claims in
words never link.

Runs inside the digest's unit of work over a whole batch; every upsert is sorted by key and persons are locked in id
order (473 of 600 overlapping batches deadlocked without that).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from careline.channels.base import Author
from careline.events.recording import UnitOfWork
from careline.kit.bulk import insert_rows, new_row
from careline.people.likeness import name_key
from careline.people.models import Identity, Link, Person, PersonKey
from careline.people.suggesting import arm_suggestions

Key = tuple[str, str]


def resolve_identities(
    work: UnitOfWork, workspace_id: int, *, network: str, scope: str, authors: Sequence[Author]
) -> dict[str, tuple[Identity, Person]]:
    """author key -> (identity, its present person), made where missing. Nine statements at most, three more when new
    keys point elsewhere, whatever the number of authors.

    A new identity whose proven keys lead to a known person is linked to it at once, with the key as evidence; with
    several, the first decides and the others stay as they are (joining two persons is an agent's act, suggested with
    full confidence).
    """
    wanted = {_plain(author.key, 320): author for author in authors}
    known = _identities(workspace_id, scope, list(wanted))
    proven = _proven(workspace_id, wanted.values())
    begun: dict[int, Person] = {}
    missing = [key for key in sorted(wanted) if key not in known]
    if missing:
        made, begun = _make(work, workspace_id, network, scope, {key: wanted[key] for key in missing}, proven)
        known |= made
        known |= _identities(workspace_id, scope, [key for key in missing if key not in made])
    persons = begun | _lock_persons({row.person_id for row in known.values()} - begun.keys())
    _refresh(known, wanted)
    _keep_proven(workspace_id, wanted, known, proven)
    _suggest_proven(work, workspace_id, wanted, known, proven)
    return {author.key: (known[key], persons[known[key].person_id]) for key, author in wanted.items()}


def _plain(text: str, limit: int) -> str:
    return text.replace("\0", "")[:limit]


def _identities(workspace_id: int, scope: str, keys: list[str]) -> dict[str, Identity]:
    if not keys:
        return {}
    return {row.key: row for row in Identity.objects.filter(workspace_id=workspace_id, scope=scope, key__in=keys)}


def _lock_persons(person_ids: set[int]) -> dict[int, Person]:
    if not person_ids:
        return {}
    return {row.id: row for row in Person.objects.select_for_update().filter(id__in=sorted(person_ids)).order_by("id")}


def _proven(workspace_id: int, authors: Iterable[Author]) -> dict[Key, int]:
    keys = {(kind, _plain(value, 320)) for author in authors for kind, value in author.proven_keys}
    if not keys:
        return {}
    rows = PersonKey.objects.filter(
        workspace_id=workspace_id, kind__in={kind for kind, _ in keys}, value__in={value for _, value in keys}
    )
    return {
        (kind, value): person_id
        for kind, value, person_id in rows.values_list("kind", "value", "person_id")
        if (kind, value) in keys
    }


def _make(
    work: UnitOfWork, workspace_id: int, network: str, scope: str, missing: dict[str, Author], proven: dict[Key, int]
) -> tuple[dict[str, Identity], dict[int, Person]]:
    """(identities by key, persons by id) that are new and ours: nobody else can have locked or changed them."""
    persons: list[Person] = []
    identities: list[Identity] = []
    links: list[Link] = []
    chosen: dict[Key, int] = dict(proven)
    for key, author in missing.items():
        evidence = next(((kind, value) for kind, value in author.proven_keys if (kind, value) in chosen), None)
        person_id = chosen[evidence] if evidence else 0
        if not person_id:
            name = _plain(author.name or author.handle or author.key, 160)
            person = new_row(Person, workspace_id=workspace_id, name=name, name_key=name_key(author.name))
            persons.append(person)
            person_id = person.id
        chosen |= {one: person_id for one in author.proven_keys if one not in chosen}
        row = new_row(
            Identity,
            workspace_id=workspace_id,
            person_id=person_id,
            network=network,
            scope=scope,
            key=key,
            handle=_plain(author.handle, 200),
            name=_plain(author.name, 160),
            avatar_url=_plain(author.avatar_url, 500),
        )
        identities.append(row)
        links.append(_first_link(row, evidence))
        if evidence:
            work.record_event(workspace_id, "person.changed", person_id=person_id, facts={"what": "linked"})
    insert_rows(persons)
    insert_rows(identities, ignore_conflicts=True)
    # On PostgreSQL another worker may have made the same identity a moment ago: links only for the rows that are
    # really ours.
    ours = set(Identity.objects.filter(id__in=[row.id for row in identities]).values_list("id", flat=True))
    insert_rows(link for link in links if link.identity_id in ours)
    arm_suggestions(workspace_id, sorted(ours & {row.id for row in identities if row.name or row.handle}))
    lost = {row.person_id for row in identities if row.id not in ours} - {
        row.person_id for row in identities if row.id in ours
    }
    if lost:
        Person.objects.filter(id__in=[person.id for person in persons if person.id in lost]).delete()
    return (
        {row.key: row for row in identities if row.id in ours},
        {person.id: person for person in persons if person.id not in lost},
    )


def _first_link(identity: Identity, evidence: Key | None) -> Link:
    return new_row(
        Link,
        workspace_id=identity.workspace_id,
        identity_id=identity.id,
        person_id=identity.person_id,
        evidence=evidence[0][:40] if evidence else "first_contact",
        evidence_value=evidence[1] if evidence else "",
    )


def _refresh(known: dict[str, Identity], wanted: dict[str, Author]) -> None:
    """Handles and names change; the newest word of the platform counts."""
    changed: list[Identity] = []
    for key, row in known.items():
        author = wanted[key]
        handle, name = _plain(author.handle, 200) or row.handle, _plain(author.name, 160) or row.name
        if (handle, name) != (row.handle, row.name):
            row.handle, row.name = handle, name
            changed.append(row)
    if changed:
        Identity.objects.bulk_update(changed, ["handle", "name"])


def _keep_proven(
    workspace_id: int, wanted: dict[str, Author], known: dict[str, Identity], proven: dict[Key, int]
) -> None:
    fresh = {
        (kind, _plain(value, 320)): known[key].person_id
        for key, author in wanted.items()
        for kind, value in author.proven_keys
        if (kind, _plain(value, 320)) not in proven
    }
    if fresh:
        PersonKey.objects.bulk_create(
            [
                PersonKey(workspace_id=workspace_id, kind=kind[:20], value=value, person_id=person_id)
                for (kind, value), person_id in sorted(fresh.items())
            ],
            ignore_conflicts=True,
        )


def _suggest_proven(
    work: UnitOfWork, workspace_id: int, wanted: dict[str, Author], known: dict[str, Identity], proven: dict[Key, int]
) -> None:
    """A known identity now proves a key that leads to somebody else: joining two persons is an agent's act, so it is
    suggested, surely.
    """
    found: list[Link] = []
    for key, author in sorted(wanted.items()):
        row = known[key]
        for kind, value in author.proven_keys:
            person_id = proven.get((kind, _plain(value, 320)), row.person_id)
            if person_id != row.person_id:
                found.append(_sure_suggestion(row, person_id, kind, value))
    if not found:
        return
    told = Link.objects.filter(identity_id__in=[link.identity_id for link in found]).values_list(
        "identity_id", "person_id"
    )
    fresh = {(link.identity_id, link.person_id): link for link in found}
    for pair in told:
        fresh.pop(pair, None)
    Link.objects.bulk_create(fresh.values())
    for link in fresh.values():
        work.record_event(workspace_id, "person.changed", person_id=link.person_id, facts={"what": "suggested"})


def _sure_suggestion(identity: Identity, person_id: int, kind: str, value: str) -> Link:
    return Link(
        workspace_id=identity.workspace_id,
        identity_id=identity.id,
        person_id=person_id,
        evidence=kind[:40],
        evidence_value=_plain(value, 320),
        confidence=1.0,
        is_suggestion=True,
    )
