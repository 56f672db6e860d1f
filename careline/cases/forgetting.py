"""What a case must forget when a message lost or changed its words: last words, title, what waits. Used by the digest
after edits and deletions.
"""

from __future__ import annotations

from collections.abc import Sequence

from careline.cases.cards import index_cards
from careline.cases.changing import changes_of
from careline.cases.models import Case
from careline.cases.moving import settle
from careline.events.recording import UnitOfWork
from careline.threads.editing import on_words_changed
from careline.threads.models import Message


@on_words_changed
def refresh_cases(work: UnitOfWork, messages: Sequence[Message]) -> None:
    """After `threads.editing` changed these messages: their cases show the new words, or none, and writers are stopped
    once to read again.

    A title made from a deleted first message goes as well. Cases are locked in id order. Ten statements a case at most;
    changes are rare.
    """
    by_case = {message.case_id: message for message in messages if message.case_id}
    cases = list(Case.objects.select_for_update().filter(id__in=sorted(by_case)).order_by("id"))
    for change in changes_of(work, cases, None):
        case = change.case
        case.heard_version = case.version + 1
        gone = [message for message in messages if message.case_id == case.id and message.deleted_at is not None]
        if gone and case.title and _began(case, gone):
            case.title = ""
            case.save(update_fields=["title"])
        settle(case)
        change.save("words", undoable=False)
    index_cards(cases, is_new=False)


def _began(case: Case, gone: Sequence[Message]) -> bool:
    """Whether one of these messages is the one the case began with; a thread's own subject is nobody's message."""
    first_id = (
        Message.objects.filter(case_id=case.id, direction="inbound").order_by("id").values_list("id", flat=True).first()
    )
    first = next((message for message in gone if message.id == first_id), None)
    return first is not None and not (
        first.thread is not None and first.thread.subject and case.title == first.thread.subject[:200]
    )
