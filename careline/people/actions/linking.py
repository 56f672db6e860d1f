"""Whose identity is it: accept or refuse a suggestion, and take a link back."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.errors import Conflict, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.people.actions.joining import join, undo_links
from careline.people.acts import record_act, reverses
from careline.people.following import Move, check_sees
from careline.people.likeness import name_key
from careline.people.models import Identity, Link, Person, PersonAct
from careline.people.moving import changed, link_moved, lock_persons, move
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def accept_suggestion(viewer: Viewer, link_id: int) -> int:
    """The suggestion is right: the identity goes to the suggested person, with its cases; a person left without
    identities is joined. Act id.
    """
    check_may(viewer.role, "join_persons")
    with unit_of_work() as work:
        link = _access(viewer, link_id, is_suggestion=True)
        owner_id, person_id = link.identity.person_id, link.person_id
        check_sees(viewer, owner_id, person_id)
        facts = {"evidence": link.evidence, "value": link.evidence_value, "confidence": link.confidence}
        is_only = not Identity.objects.filter(person_id=owner_id).exclude(id=link.identity_id).exists()
        link.delete()
        if is_only:
            return join(
                work,
                viewer.workspace_id,
                person_id,
                owner_id,
                evidence=link.evidence,
                value=link.evidence_value,
                confidence=link.confidence,
                actor_id=viewer.agent_id,
            )
        return _reassign(work, viewer.workspace_id, link.identity_id, owner_id, person_id, viewer.agent_id, facts)


def refuse_suggestion(viewer: Viewer, link_id: int) -> int:
    """The suggestion is wrong, and is not made again. Returns the act's id."""
    check_may(viewer.role, "join_persons")
    with unit_of_work() as work:
        link = _access(viewer, link_id, is_suggestion=True)
        undo_links([link.id], viewer.agent_id)
        changed(work, viewer.workspace_id, link.person_id, "refused")
        return record_act(viewer.workspace_id, link.person_id, "refused", viewer.agent_id, "", {"link_id": link.id})


def undo_link(viewer: Viewer, link_id: int) -> int:
    """The identity is not theirs: it goes back to whom it came from, or becomes a person of its own, with the cases it
    began. Act id.

    Raises Conflict('only_identity') for the last identity of a person.
    """
    check_may(viewer.role, "join_persons")
    with unit_of_work() as work:
        link = _access(viewer, link_id, is_suggestion=False)
        if not Identity.objects.filter(person_id=link.person_id).exclude(id=link.identity_id).exists():
            raise Conflict("only_identity", _("A person keeps at least one identity."))
        target_id = _former_owner(link)
        undo_links([link.id], viewer.agent_id)
        return _reassign(
            work,
            viewer.workspace_id,
            link.identity_id,
            link.person_id,
            target_id,
            viewer.agent_id,
            {"undone_link_id": link.id},
        )


def _access(viewer: Viewer, link_id: int, *, is_suggestion: bool) -> Link:
    standing = Link.objects.select_related("identity").filter(
        id=link_id, workspace_id=viewer.workspace_id, undone_at__isnull=True
    )
    link = standing.filter(is_suggestion=is_suggestion).first()
    if link is None:
        raise NotFound("link_not_found", _("This link no longer stands."))
    # A suggestion names somebody the viewer may not know: they see it from the person on their screen, either of the
    # two.
    if link.is_suggestion:
        _check_sees_either(viewer, link.person_id, link.identity.person_id)
    else:
        check_sees(viewer, link.person_id)
    return link


def _check_sees_either(viewer: Viewer, *person_ids: int) -> None:
    for person_id in person_ids[:-1]:
        try:
            check_sees(viewer, person_id)
        except NotFound:
            continue
        return
    check_sees(viewer, person_ids[-1])


def _former_owner(link: Link) -> int:
    """Whoever had the identity before, alive again if need be; else somebody new."""
    alive = Person.objects.filter(workspace_id=link.workspace_id, erased_at__isnull=True)
    previous = alive.filter(id=link.previous_person_id or 0).first()
    if previous is not None and previous.merged_into_id in {None, link.person_id}:
        Person.objects.filter(id=previous.id).update(merged_into_id=None)
        return previous.id
    name = link.identity.name or link.identity.handle or link.identity.key
    return Person.objects.create(workspace_id=link.workspace_id, name=name[:160], name_key=name_key(name)).id


def _reassign(
    work: UnitOfWork,
    workspace_id: int,
    identity_id: int,
    from_id: int,
    to_id: int,
    actor_id: int,
    facts: dict[str, object],
) -> int:
    lock_persons(workspace_id, from_id, to_id)
    one = Move(workspace_id, from_id, to_id, (identity_id,))
    case_ids = move(work, one)
    link_ids = link_moved(
        one,
        evidence=str(facts.get("evidence", "agent")),
        value=str(facts.get("value", "")),
        confidence=_number(facts.get("confidence", 1.0)),
        actor_id=actor_id,
    )
    return record_act(
        workspace_id,
        to_id,
        "reassigned",
        actor_id,
        "",
        {**facts, "identity_id": identity_id, "from_id": from_id, "case_ids": case_ids, "link_ids": link_ids},
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 1.0


@reverses("reassigned")
def give_back(work: UnitOfWork, act: PersonAct, actor_id: int) -> None:
    """The identity goes back, and a link that was undone stands again."""
    from_id, identity_id = int(act.facts["from_id"]), int(act.facts["identity_id"])
    lock_persons(act.workspace_id, act.person_id, from_id)
    if not Identity.objects.filter(id=identity_id, person_id=act.person_id).exists():
        raise Conflict("changed_since", _("This was changed again since. Undo the later change first."))
    Person.objects.filter(id=from_id).update(merged_into_id=None)
    move(work, Move(act.workspace_id, act.person_id, from_id, (identity_id,), case_ids=tuple(act.facts["case_ids"])))
    undo_links(list(act.facts["link_ids"]), actor_id)
    if "undone_link_id" in act.facts:
        Link.objects.filter(id=act.facts["undone_link_id"]).update(undone_at=None, undone_by_id=None)
    if not Identity.objects.filter(person_id=act.person_id).exists():
        Person.objects.filter(id=act.person_id).update(merged_into_id=from_id)


@reverses("refused")
def suggest_again(work: UnitOfWork, act: PersonAct, actor_id: int) -> None:
    """The suggestion stands again."""
    Link.objects.filter(id=act.facts["link_id"], workspace_id=act.workspace_id).update(
        undone_at=None, undone_by_id=None
    )
    changed(work, act.workspace_id, act.person_id, "suggested")
