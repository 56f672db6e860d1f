"""Two persons are one; and taking that back."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.people.acts import record_act, reverses
from careline.people.following import Move, check_sees
from careline.people.models import Identity, Link, Person, PersonAct
from careline.people.moving import link_moved, lock_persons, move, move_keys
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def join_persons(viewer: Viewer, keep_id: int, other_id: int, why: str = "") -> int:
    """`other` becomes part of `keep`, with identities, keys and cases. Returns the act's id, for
    people.actions.undoing.
    """
    check_may(viewer.role, "join_persons")
    if keep_id == other_id:
        raise InputRefused("same_person", _("Choose another person to join."), field="other")
    check_sees(viewer, keep_id, other_id)
    with unit_of_work() as work:
        return join(work, viewer.workspace_id, keep_id, other_id, evidence="agent", actor_id=viewer.agent_id, why=why)


def join(  # noqa: PLR0913 - who, whom, and why
    work: UnitOfWork,
    workspace_id: int,
    keep_id: int,
    other_id: int,
    *,
    evidence: str,
    value: str = "",
    confidence: float = 1.0,
    actor_id: int | None = None,
    why: str = "",
) -> int:
    """Join in the caller's unit of work. Returns the act's id."""
    persons = lock_persons(workspace_id, keep_id, other_id)
    identity_ids = tuple(Identity.objects.filter(person_id=other_id).order_by("id").values_list("id", flat=True))
    one = Move(workspace_id, other_id, keep_id, identity_ids, takes_all=True)
    case_ids = move(work, one)
    link_ids = link_moved(one, evidence=evidence, value=value, confidence=confidence, actor_id=actor_id)
    key_ids = move_keys(workspace_id, other_id, keep_id)
    persons[other_id].merged_into_id = keep_id
    persons[other_id].save(update_fields=["merged_into_id"])
    dropped = list(
        Link.objects.filter(
            identity_id__in=identity_ids, person_id=keep_id, is_suggestion=True, undone_at__isnull=True
        ).values_list("id", flat=True)
    )
    Link.objects.filter(id__in=dropped).delete()
    facts = {
        "other_id": other_id,
        "identity_ids": list(identity_ids),
        "case_ids": case_ids,
        "link_ids": link_ids,
        "key_ids": key_ids,
    }
    return record_act(workspace_id, keep_id, "joined", actor_id, why, facts)


@reverses("joined")
def part(work: UnitOfWork, act: PersonAct, actor_id: int) -> None:
    """They are two again, each with their own."""
    facts, other_id = act.facts, int(act.facts["other_id"])
    lock_persons(act.workspace_id, act.person_id, other_id)
    Person.objects.filter(id=other_id).update(merged_into_id=None)
    still = Identity.objects.filter(id__in=facts["identity_ids"], person_id=act.person_id)
    identity_ids = tuple(still.order_by("id").values_list("id", flat=True))
    move(work, Move(act.workspace_id, act.person_id, other_id, identity_ids, case_ids=tuple(facts["case_ids"])))
    move_keys(act.workspace_id, act.person_id, other_id, facts["key_ids"])
    undo_links(facts["link_ids"], actor_id)


def undo_links(link_ids: list[int], actor_id: int | None) -> None:
    """These links are no longer so."""
    Link.objects.filter(id__in=link_ids, undone_at__isnull=True).update(undone_at=clock.now(), undone_by_id=actor_id)
