"""After an answer was written: take it back while it is held, send a failed one again, say what became of an unknown
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from careline.cases.actions.drafting import put_draft
from careline.cases.changing import CaseChange, changes_of
from careline.cases.counting import Counted, count, counted
from careline.cases.models import CaseAct
from careline.cases.queries.visible import access_case_by_id, case_not_found
from careline.cases.recounting import recount
from careline.cases.snapshots import write_back
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox import actions
from careline.outbox.models import Delivery
from careline.threads.editing import withdraw_message
from careline.threads.models import Message
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def undo_send(viewer: Viewer, delivery_id: int) -> str:
    """Take back an answer that is still held: it leaves the case, its words come back as the writer's draft. Returns
    the text.

    Raises Conflict('already_sent') once a sender has it.
    """
    with _changing_delivery(viewer, delivery_id) as (change, delivery):
        actions.cancel(change.work, delivery)
        message = delivery.message
        text, mode = message.text, "public" if message.is_public else "private"
        put_draft(change.case, message.author_agent_id or viewer.agent_id, mode, text)
        happened = _take_back(change, message)
        withdraw_message(change.work, message)
        recount(change.case)
        change.save("unsent", undoable=False)
        count(happened)
        return text


def _take_back(change: CaseChange, message: Message) -> list[Counted]:
    """Restore what the answer changed on its case, unless somebody decided otherwise since. Returns the figures to
    take back.
    """
    case = change.case
    act = CaseAct.objects.filter(
        case_id=case.id, verb="answered", after__message_id=message.id, undone_at__isnull=True
    ).first()
    if act is None:
        return []
    happened = [counted(case, "answered", message.at, message.author_agent_id, by=-1)]
    if "first_answered_at" in act.before:
        happened.append(counted(case, "first_answers", message.at, message.author_agent_id, by=-1))
        happened += (
            [counted(case, "first_answers_in_time", message.at, message.author_agent_id, by=-1)]
            if case.first_answer_in_time
            else []
        )
    if act.after.get("state") == "done" and case.state == "done":
        happened.append(counted(case, "closed", message.at, message.author_agent_id, by=-1))
    present = change.before
    write_back(
        case, {column: value for column, value in act.before.items() if present.get(column) == act.after.get(column)}
    )
    CaseAct.objects.filter(id=act.id).update(undone_at=clock.now(), undone_by_id=change.agent_id)
    return happened


def retry_delivery(viewer: Viewer, delivery_id: int) -> None:
    """Send a failed answer again, now. Raises Conflict('not_failed')."""
    with _changing_delivery(viewer, delivery_id) as (change, delivery):
        actions.retry(change.work, delivery)
        change.record("case.changed", what="retried")


def resolve_unknown(viewer: Viewer, delivery_id: int, *, was_sent: bool) -> None:
    """The agent looked on the platform: it was sent, or was not and goes out again. Raises Conflict('not_unknown')."""
    with _changing_delivery(viewer, delivery_id) as (change, delivery):
        actions.resolve(change.work, delivery, was_sent=was_sent)
        change.record("case.changed", what="resolved")


@contextmanager
def _changing_delivery(viewer: Viewer, delivery_id: int) -> Iterator[tuple[CaseChange, Delivery]]:
    """A unit of work around a delivery and its case, the case locked first."""
    check_may(viewer.role, "answer")
    with unit_of_work() as work:
        case_id = (
            Delivery.objects.filter(id=delivery_id, workspace_id=viewer.workspace_id)
            .values_list("case_id", flat=True)
            .first()
        )
        if case_id is None:
            raise case_not_found()
        case = access_case_by_id(viewer, case_id, lock=True)
        yield changes_of(work, [case], viewer.agent_id)[0], actions.access_delivery(viewer.workspace_id, delivery_id)
