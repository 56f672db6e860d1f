"""Cases and words follow their person: the Follower that people ask when identities move, names change, or a person
goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Min, Q

from careline.cases.cards import index_cards
from careline.cases.changing import changes_of, stop_case_clocks
from careline.cases.models import Case, CaseAct, Draft
from careline.cases.queries.naming import names_of
from careline.cases.queries.persons import seen_persons
from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.outbox.models import Attempt, Delivery
from careline.outbox.moderating import forget_words
from careline.people.following import ExportedCase, ExportedMessage, Move, register_follower
from careline.people.models import Identity, Person
from careline.threads import search
from careline.threads.editing import bury, purge_words, tell_threads
from careline.threads.models import Message, Thread
from careline.threads.personal import hide
from careline.threads.queries import attachments_of
from careline.workspaces.sight import Viewer


class CaseFollower:
    """Registered once, by CasesConfig."""

    def seen_persons(self, viewer: Viewer, person_ids: Collection[int]) -> set[int]:
        return seen_persons(viewer, person_ids)

    def moved(self, work: UnitOfWork, move: Move) -> list[int]:
        cases = _following_cases(move)
        if not cases:
            return []
        person = Person.objects.get(id=move.to_id)
        for change in changes_of(work, cases, None):
            change.case.person_id, change.case.person_name = person.id, person.name
            change.save("person", undoable=False)
        index_cards(cases, is_new=False)
        return [case.id for case in cases]

    def renamed(self, work: UnitOfWork, workspace_id: int, person_id: int, name: str) -> None:
        cases = _locked(
            Case.objects.filter(workspace_id=workspace_id, person_id=person_id).values_list("id", flat=True)
        )
        for change in changes_of(work, cases, None):
            change.case.person_name = name
            change.save("person", undoable=False)
        index_cards(cases, is_new=False)

    def introduced(self, work: UnitOfWork, workspace_id: int, identity_id: int, *, before: str, name: str) -> None:
        """What they said bears their name, in open cases and in the public threads others read."""
        said = Message.objects.filter(workspace_id=workspace_id, author_identity_id=identity_id, author_name=before)
        messages = list(said.order_by("id"))
        Message.objects.filter(id__in=[message.id for message in messages]).update(author_name=name)
        cases = _locked({message.case_id for message in messages if message.case_id is not None})
        for change in changes_of(work, cases, None):
            change.record("case.changed", what="person")
        tell_threads(work, messages)

    def erased(self, work: UnitOfWork, workspace_id: int, person_id: int, identity_ids: Sequence[int]) -> list[int]:
        cases = _locked(
            Case.objects.filter(workspace_id=workspace_id, person_id=person_id).values_list("id", flat=True)
        )
        case_ids = [case.id for case in cases]
        message_ids = _purge_messages(workspace_id, case_ids, identity_ids)
        _empty_cases(work, cases)
        return message_ids

    def exported(self, workspace_id: int, person_id: int) -> tuple[list[ExportedCase], list[ExportedMessage]]:
        cases = list(Case.objects.filter(workspace_id=workspace_id, person_id=person_id).order_by("number"))
        identities = Identity.objects.filter(workspace_id=workspace_id, person_id=person_id).values("id")
        said = Q(case_id__in=[case.id for case in cases]) | Q(author_identity_id__in=identities)
        messages = list(
            Message.objects.filter(said, workspace_id=workspace_id).exclude(direction="note").order_by("at", "id")
        )
        names = names_of(
            workspace_id, (), [*(case.channel_id for case in cases), *(one.channel_id for one in messages)]
        )
        numbers = {case.id: case.number for case in cases}
        files = attachments_of(one.id for one in messages)
        return (
            [_exported_case(case, names.channel(case.channel_id)) for case in cases],
            [
                _exported_message(
                    one,
                    numbers.get(one.case_id or 0, 0),
                    names.channel(one.channel_id),
                    [file.name for file in files.get(one.id, ())],
                )
                for one in messages
            ],
        )


def _following_cases(move: Move) -> list[Case]:
    """The cases that go along with moved identities: named ones, all, or those whose first word was theirs."""
    own = Case.objects.filter(workspace_id=move.workspace_id, person_id=move.from_id)
    if move.case_ids is not None:
        return _locked(own.filter(id__in=move.case_ids).values_list("id", flat=True))
    if move.takes_all:
        return _locked(own.values_list("id", flat=True))
    heard = Message.objects.filter(case_id__in=own.values("id"), direction="inbound", author_identity__isnull=False)
    first = heard.order_by().values("case_id").annotate(first_id=Min("id")).values("first_id")
    begun = Message.objects.filter(id__in=first, author_identity_id__in=move.identity_ids).values_list(
        "case_id", flat=True
    )
    return _locked(one for one in begun if one is not None)


def _locked(case_ids: Iterable[int]) -> list[Case]:
    wanted = list(case_ids)
    return list(Case.objects.select_for_update().filter(id__in=wanted).order_by("id")) if wanted else []


def _purge_messages(workspace_id: int, case_ids: Sequence[int], identity_ids: Sequence[int]) -> list[int]:
    said = Q(case_id__in=case_ids) | Q(author_identity_id__in=identity_ids)
    messages = list(Message.objects.filter(said, workspace_id=workspace_id).order_by("id"))
    message_ids = [message.id for message in messages]
    named = [
        (message.channel_id, message.platform_id) for message in messages if message.channel_id and message.platform_id
    ]
    bury(workspace_id, named, "erased")
    purge_words(messages, clock.now())
    Message.objects.filter(id__in=message_ids).update(author_name="")
    Delivery.objects.filter(message_id__in=message_ids).update(recipient="", facts={}, error_detail="")
    Attempt.objects.filter(delivery__message_id__in=message_ids).update(error_detail="")
    forget_words(message_ids)
    _empty_threads({message.thread_id for message in messages if message.thread_id}, identity_ids)
    return message_ids


def _empty_threads(thread_ids: set[int], identity_ids: Sequence[int]) -> None:
    told = Identity.objects.filter(id__in=identity_ids).values_list("key", "handle", "name")
    names = {one for row in told for one in row if one}
    for thread in Thread.objects.filter(id__in=thread_ids):
        thread.participants = [one for one in thread.participants if one not in names]
        if not thread.is_public or thread.parent_author in names:
            thread.parent_author = thread.parent_text = ""
        if not thread.is_public:
            thread.subject = ""
        thread.version += 1
        thread.save(update_fields=["participants", "parent_author", "parent_text", "subject", "version"])


def _empty_cases(work: UnitOfWork, cases: Sequence[Case]) -> None:
    """Numbers, times and outcomes stay for the figures; words go, and nothing is owed to anybody any more."""
    case_ids = [case.id for case in cases]
    search.unindex_messages(case_ids)
    Draft.objects.filter(case_id__in=case_ids).delete()
    CaseAct.objects.filter(case_id__in=case_ids).update(before={}, after={}, why="", undone_at=clock.now())
    for change in changes_of(work, cases, None):
        case = change.case
        case.person_name = case.title = case.last_text = ""
        case.fields = {}
        if case.state != "done":
            case.state, case.outcome, case.waiting_reason, case.done_at = "done", "no_answer_needed", "", change.now
            case.waiting_since = case.due_at = case.breach_at = case.snoozed_until = None
        case.save(update_fields=["title"])
        change.save("erased", undoable=False)
    stop_case_clocks(case_ids)


def _exported_case(case: Case, channel: str) -> ExportedCase:
    return ExportedCase(
        number=case.number,
        state=case.state,
        outcome=case.outcome,
        title=case.title,
        channel=channel,
        opened_at=case.opened_at.isoformat(),
        done_at=case.done_at.isoformat() if case.done_at else "",
        tags=tuple(case.tags),
        fields={str(key): str(value) for key, value in case.fields.items()},
    )


def _exported_message(one: Message, number: int, channel: str, files: Sequence[str]) -> ExportedMessage:
    return ExportedMessage(
        id=one.id,
        case_number=number,
        channel=channel,
        direction=one.direction,
        is_public=one.is_public,
        author=one.author_name,
        at=one.at.isoformat(),
        text=hide(one.text, one.personal),
        files=tuple(files),
    )


register_follower(CaseFollower())
