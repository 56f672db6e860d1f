"""What retention takes of messages: every word they left anywhere. Who, when and how it ended stay, and so do the figures."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from careline.cases.cards import index_cards
from careline.cases.forgetting import refresh_cases
from careline.cases.models import Case, CaseAct, Draft
from careline.events.recording import UnitOfWork
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.outbox.models import Attempt, Delivery
from careline.outbox.moderating import forget_words
from careline.threads import editing
from careline.threads.models import Message, Thread


def empty_messages(work: UnitOfWork, messages: Sequence[Message]) -> None:
    """Words, files, search entries, raw deliveries; then what deliveries, threads and cases said of them."""
    now, message_ids = clock.now(), [message.id for message in messages]
    editing.purge_words(messages, now)
    refresh_cases(work, messages)
    JournalRow.objects.filter(message_id__in=message_ids).update(raw=b"", purged_at=now)
    Delivery.objects.filter(message_id__in=message_ids).update(facts={}, error_detail="")
    Attempt.objects.filter(delivery__message_id__in=message_ids).update(error_detail="")
    forget_words(message_ids)
    _empty_threads(sorted({message.thread_id for message in messages if message.thread_id}))
    _empty_cases(sorted({message.case_id for message in messages if message.case_id}))


def _empty_threads(thread_ids: Sequence[int]) -> None:
    """A thread in which nobody says a word any more has no subject either. One statement."""
    speaking = Message.objects.filter(thread_id=OuterRef("id"), deleted_at__isnull=True)
    silent = Thread.objects.filter(~Exists(speaking), id__in=thread_ids)
    silent.update(subject="", parent_text="", parent_author="")


def _empty_cases(case_ids: Sequence[int]) -> None:
    """A case without a word left: its title, unsent drafts, and what its acts say of them. Eight statements."""
    speaking = Message.objects.filter(case_id=OuterRef("id"), deleted_at__isnull=True)
    cases = list(Case.objects.filter(~Exists(speaking), id__in=case_ids).order_by("id"))
    silent = [case.id for case in cases]
    Draft.objects.filter(case_id__in=silent).delete()
    _empty_acts(silent)
    Case.objects.filter(id__in=silent).update(title="")
    for case in cases:
        case.title = ""
    index_cards(cases, is_new=False)


def _empty_acts(case_ids: Sequence[int]) -> None:
    """Acts stay, and can still be undone; the reasons people gave and the titles they would write back go."""
    acts = list(CaseAct.objects.filter(case_id__in=case_ids))
    for act in acts:
        act.why = ""
        act.before, act.after = ({**one, "title": ""} if "title" in one else one for one in (act.before, act.after))
    CaseAct.objects.bulk_update(acts, ["why", "before", "after"], batch_size=500)
