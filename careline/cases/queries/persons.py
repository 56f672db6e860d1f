"""A person as a case shows them: identities with their evidence, suggestions, their other cases as far as the viewer
may see those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from careline.cases.models import Case
from careline.cases.queries.naming import names_of
from careline.cases.queries.visible import visible_cases
from careline.cases.rows import IdentityView, OtherCase, PersonCard
from careline.people.models import Identity, Link, Person
from careline.people.queries import access_person_row, links_of, person_not_found
from careline.workspaces.sight import Viewer

MOST_OTHER_CASES = 30


def known_identities(workspace_id: int, person_id: int) -> tuple[Identity, ...]:
    """A person's identities, oldest first. One statement."""
    return tuple(Identity.objects.filter(workspace_id=workspace_id, person_id=person_id).order_by("id"))


def check_sees_person(viewer: Viewer, person_id: int) -> None:
    """Raise NotFound unless the person has a case the viewer may see. One statement, none for those who see all."""
    if not viewer.sees_all and not visible_cases(viewer).filter(person_id=person_id).exists():
        raise person_not_found()


def seen_persons(viewer: Viewer, person_ids: Iterable[int]) -> set[int]:
    """Of these persons, those the viewer may see. One statement."""
    wanted = set(person_ids)
    if viewer.sees_all:
        return set(Person.objects.filter(workspace_id=viewer.workspace_id, id__in=wanted).values_list("id", flat=True))
    return set(visible_cases(viewer).filter(person_id__in=wanted).values_list("person_id", flat=True))


def open_person(viewer: Viewer, person_id: int) -> PersonCard:
    """The card of a person the viewer may see. Raises NotFound. Six statements at most."""
    check_sees_person(viewer, person_id)
    return person_card(viewer, person_id, known_identities(viewer.workspace_id, person_id))


def person_card(
    viewer: Viewer, person_id: int, identities: Sequence[Identity], besides: Case | None = None
) -> PersonCard:
    """The person pane. `besides` is the case on screen: its others are the ones listed, joinable while both are open
    to it. Four statements.
    """
    person = access_person_row(viewer.workspace_id, person_id)
    links = links_of(viewer.workspace_id, person_id)
    own = {link.identity_id: link for link in links if not link.is_suggestion}
    suggested = [link for link in links if link.is_suggestion]
    seen = seen_persons(viewer, (link.identity.person_id for link in suggested)) if suggested else set()
    return PersonCard(
        id=person.id,
        version=person.version,
        name=person.name,
        language=person.language,
        is_blocked=person.blocked_at is not None,
        identities=tuple(identity_view(one, own.get(one.id)) for one in identities),
        suggestions=tuple(identity_view(link.identity, link) for link in suggested if link.identity.person_id in seen),
        cases=_other_cases(viewer, person_id, besides),
        first_seen_at=person.first_seen_at,
        facts=dict(person.facts),
    )


def identity_view(identity: Identity, link: Link | None) -> IdentityView:
    """One identity with why it is theirs; without a link it is simply where the person was first met."""
    return IdentityView(
        id=identity.id,
        network=identity.network,
        handle=identity.handle,
        name=identity.name,
        key=identity.key,
        link_id=link.id if link else 0,
        evidence=link.evidence if link else "first_seen",
        evidence_value=link.evidence_value if link else "",
        confidence=link.confidence if link else 1.0,
        is_suggestion=link.is_suggestion if link else False,
        at=link.at if link else identity.first_seen_at,
    )


def _other_cases(viewer: Viewer, person_id: int, besides: Case | None) -> tuple[OtherCase, ...]:
    others = visible_cases(viewer).filter(person_id=person_id, merged_into_id__isnull=True)
    if besides is not None:
        others = others.exclude(id=besides.id)
    found = list(others.order_by("-last_at")[:MOST_OTHER_CASES])
    names = names_of(viewer.workspace_id, (), (one.channel_id for one in found))
    can_join = besides is not None and besides.merged_into_id is None and besides.state != "done"
    return tuple(
        OtherCase(
            id=one.id,
            number=one.number,
            title=one.title,
            state=one.state,
            outcome=one.outcome,
            network=one.network,
            channel_name=names.channel(one.channel_id),
            last_at=one.last_at,
            can_join=can_join and one.state != "done",
        )
        for one in found
    )
