"""Take an act back, alone or with all that was done in the same stroke. Refused where somebody decided otherwise
since.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.actions import blocking, correcting, joining, merging, splitting, unsending  # noqa: F401 - their reverses register
from careline.cases.cards import index_cards
from careline.cases.changing import CaseChange, changes_of
from careline.cases.counting import count, counted
from careline.cases.models import Case, CaseAct
from careline.cases.queries.visible import visible_cases
from careline.cases.reversing import cases_of, reverse
from careline.cases.snapshots import changed_since, write_back
from careline.errors import Conflict, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.people.models import Person
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

UNDO_LAST_WITHIN: Final = timedelta(hours=24)


def undo_act(viewer: Viewer, act_id: int) -> list[int]:
    """Take back an act and everything of its batch. Returns the numbers of the cases it touched.

    Raises NotFound; Conflict('already_undone'), ('changed_since') when one of the fields was decided again,
    ('already_sent') for an answer that has left.
    """
    check_may(viewer.role, "manage_case")
    act = CaseAct.objects.filter(id=act_id, workspace_id=viewer.workspace_id).first()
    if act is None or not visible_cases(viewer).filter(id=act.case_id).exists():
        raise _act_not_found()
    if act.verb == "answered":
        return _undo_answer(viewer, act)
    with unit_of_work() as work:
        return _undo(work, viewer, act)


def undo_last(viewer: Viewer) -> list[int]:
    """Take back the viewer's own newest act of the last day. Returns the numbers of the cases it touched; NotFound
    when there is none.
    """
    check_may(viewer.role, "manage_case")
    own = CaseAct.objects.filter(agent_id=viewer.agent_id, workspace_id=viewer.workspace_id, undone_at__isnull=True)
    newest = own.filter(at__gt=clock.now() - UNDO_LAST_WITHIN).order_by("-id").values_list("id", flat=True).first()
    if newest is None:
        raise NotFound("nothing_to_undo", _("There is nothing of yours to undo."))
    return undo_act(viewer, newest)


def _act_not_found() -> NotFound:
    return NotFound("act_not_found", _("There is nothing here to undo."))


def _undo_answer(viewer: Viewer, act: CaseAct) -> list[int]:
    delivery_id = Delivery.objects.filter(message_id=act.after.get("message_id")).values_list("id", flat=True).first()
    if delivery_id is None or act.undone_at is not None:
        raise Conflict("already_undone", _("This was undone already."))
    unsending.undo_send(viewer, delivery_id)
    return list(Case.objects.filter(id=act.case_id).values_list("number", flat=True))


def _undo(work: UnitOfWork, viewer: Viewer, act: CaseAct) -> list[int]:
    changes, acts = _lock(work, viewer, act)
    for one in acts:
        _check_undoable(one, changes[one.case_id])
    for one in acts:
        write_back(changes[one.case_id].case, one.before)
    for one in acts:
        reverse(one, changes)
    for change in changes.values():
        change.save("undone", undoable=False)
    for one in acts:
        changes[one.case_id].record("case.undone", act=one.id)
    CaseAct.objects.filter(id__in=[one.id for one in acts]).update(undone_at=clock.now(), undone_by_id=viewer.agent_id)
    index_cards(
        [changes[one.case_id].case for one in acts if {"tags", "fields", "title"} & one.before.keys()], is_new=False
    )
    count(counted(changes[one.case_id].case, "closed", one.at, one.agent_id, by=-1) for one in acts if _closed(one))
    return sorted({change.case.number for change in changes.values()})


def _lock(work: UnitOfWork, viewer: Viewer, act: CaseAct) -> tuple[dict[int, CaseChange], list[CaseAct]]:
    """Persons, then cases in id order; then the acts again, newest first."""
    together = CaseAct.objects.filter(workspace_id=viewer.workspace_id, id=act.id)
    if act.batch is not None:
        together = CaseAct.objects.filter(workspace_id=viewer.workspace_id, batch=act.batch)
    acts = list(together.order_by("-id"))
    _lock_persons(viewer, acts)
    case_ids = set().union(*(cases_of(one) for one in acts))
    cases = list(visible_cases(viewer).filter(id__in=case_ids).order_by("id").select_for_update(of=("self",)))
    if len(cases) != len(case_ids):
        raise _act_not_found()
    changes = {change.case.id: change for change in changes_of(work, cases, viewer.agent_id)}
    return changes, list(together.order_by("-id"))


def _lock_persons(viewer: Viewer, acts: Sequence[CaseAct]) -> None:
    person_ids = {int(one.after["blocked_person_id"]) for one in acts if one.verb == "blocked"}
    if person_ids:
        list(
            Person.objects.select_for_update()
            .filter(id__in=person_ids, workspace_id=viewer.workspace_id)
            .order_by("id")
        )


def _check_undoable(act: CaseAct, change: CaseChange) -> None:
    if act.undone_at is not None:
        raise Conflict("already_undone", _("This was undone already."))
    if changed_since(change.case, act.after):
        raise Conflict("changed_since", _("This was changed again since. Undo the later change first."))


def _closed(act: CaseAct) -> bool:
    return act.verb in {"closed", "blocked", "set_aside"} and act.after.get("state") == "done"
