"""Who somebody is that came without a name: whom to ask about, and what becomes of the answer.

The digest only notes the question. A room of the network loop asks (`intake/asking.py`); what the platform says is kept here, and a name that
a person gave is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min

from careline.channels import alerting
from careline.channels.base import AuthorFacts, UnnamedAuthor
from careline.channels.models import Channel
from careline.errors import ChannelError
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.kit.bulk import insert_rows
from careline.people.following import followers
from careline.people.likeness import name_key
from careline.people.models import Identity, NameQuestion, Person, PersonAct
from careline.people.moving import changed
from careline.people.suggesting import arm_suggestions
from careline.workspaces.models import Installation

ASKABLE: Final = ("active", "failing", "silent")
CHANNELS_AT_ONCE: Final = 8
PER_ROUND: Final = 10
# Longer than any answer takes: a process that died while asking leaves its question to others.
CLAIMED_FOR: Final = timedelta(minutes=5)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=6)
MOST_TRIES: Final = 8
# Consent may come later: whoever writes again after this is asked about again.
ASKED_AGAIN_AFTER: Final = timedelta(days=7)


@dataclass(frozen=True)
class Question:
    """One question that may be put now."""

    id: int
    channel_id: int
    author: UnnamedAuthor


def note_nameless(questions: Sequence[NameQuestion]) -> None:
    """Inside a unit of work: these identities have no name yet. One question each, for good; one that was refused long ago is put
    again. Two statements for all of them.
    """
    if not questions:
        return
    now = clock.now()
    insert_rows(questions, ignore_conflicts=True)
    refused = NameQuestion.objects.filter(
        identity_id__in=[one.identity_id for one in questions],
        state="refused",
        answered_at__lt=now - ASKED_AGAIN_AFTER,
    )
    refused.update(state="open", reason="", tries=0, not_before=now)


def due_questions() -> list[Question]:
    """What may be asked now, oldest first, a few of each account that works; nothing while the installation or the channel is held. Two
    statements, and one for each account that has some.
    """
    if Installation.objects.filter(is_held=True).exists():
        return []
    awake = Channel.objects.filter(held_at__isnull=True, state__in=ASKABLE)
    due = NameQuestion.objects.filter(state="open", not_before__lte=clock.now())
    waiting = due.filter(channel_id__in=awake.values("id")).values("channel_id").annotate(first=Min("not_before"))
    return [
        _question(row)
        for one in waiting.order_by("first")[:CHANNELS_AT_ONCE]
        for row in due.filter(channel_id=one["channel_id"])
        .select_related("identity")
        .order_by("not_before", "id")[:PER_ROUND]
    ]


def _question(row: NameQuestion) -> Question:
    author = UnnamedAuthor(row.identity.key, row.surface, row.thread_key, row.platform_id)
    return Question(row.id, row.channel_id, author)


def claim(question: Question) -> bool:
    """Whether it is ours to ask: written down before anything touches the wire. False when another process was quicker, or the channel
    stopped meanwhile. Two statements.
    """
    now = clock.now()
    with unit_of_work():
        if not Channel.objects.filter(id=question.channel_id, held_at__isnull=True, state__in=ASKABLE).exists():
            return False
        due = NameQuestion.objects.filter(id=question.id, state="open", not_before__lte=now)
        return bool(due.update(not_before=now + CLAIMED_FOR))


def keep_error(question: Question, error: ChannelError) -> None:
    """A refusal is an answer, and the channel works. A token that ended stops the channel and keeps the question; anything else is asked
    again, and a platform that wants to rest is left alone by all questions of this account.
    """
    if error.unauthorised:
        _put_off(question, clock.now())
        alerting.record_unauthorised(question.channel_id, error.code)
    elif error.permanent:
        _refuse(question, error.code)
    elif error.retry_after_s is not None or error.code == "rate_limited":
        _rest(question, error.retry_after_s)
    else:
        _try_later(question, error.code)


def _refuse(question: Question, reason: str) -> None:
    with unit_of_work():
        NameQuestion.objects.filter(id=question.id, state="open").update(
            state="refused", reason=reason[:60], answered_at=clock.now()
        )


def _put_off(question: Question, until: datetime) -> None:
    with unit_of_work():
        NameQuestion.objects.filter(id=question.id, state="open").update(not_before=until)


def _rest(question: Question, seconds: float | None) -> None:
    until = clock.now() + (FIRST_PAUSE if seconds is None else timedelta(seconds=max(0.0, seconds)))
    with unit_of_work():
        mine = NameQuestion.objects.filter(channel_id=question.channel_id, state="open")
        mine.filter(not_before__lt=until).update(not_before=until)
        mine.filter(id=question.id).update(not_before=until)


def _try_later(question: Question, reason: str) -> None:
    with unit_of_work():
        row = NameQuestion.objects.select_for_update().filter(id=question.id, state="open").first()
        if row is None:
            return
        row.tries += 1
        row.not_before = clock.now() + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (row.tries - 1))
        if row.tries >= MOST_TRIES:
            row.state, row.reason, row.answered_at = "refused", reason[:60], clock.now()
        row.save(update_fields=["tries", "not_before", "state", "reason", "answered_at"])


def keep_answer(question: Question, facts: AuthorFacts) -> None:
    """The identity has its name; a person who was called by nothing but the key has it too, on all cases and open screens."""
    name, handle = _plain(facts.name, 160), _plain(facts.handle, 200)
    if not name and not handle:
        _refuse(question, "not_told")
        return
    with unit_of_work() as work:
        found = _lock(question)
        if found is None:
            return
        row, identity, person = found
        row.state, row.answered_at = "told", clock.now()
        row.save(update_fields=["state", "answered_at"])
        identity.name, identity.handle = identity.name or name, identity.handle or handle
        identity.avatar_url = _plain(facts.avatar_url, 500) or identity.avatar_url
        identity.save(update_fields=["name", "handle", "avatar_url"])
        _introduce(work, identity, person, (name or handle)[:160])
        arm_suggestions(row.workspace_id, [identity.id])


def _plain(text: str, limit: int) -> str:
    return " ".join(text.replace("\0", "").split())[:limit]


def _lock(question: Question) -> tuple[NameQuestion, Identity, Person] | None:
    """The person first, as everywhere. None where they were erased, or the identity has just passed to somebody else: then it is asked
    once more.
    """
    known = NameQuestion.objects.select_related("identity").filter(id=question.id, state="open").first()
    if known is None:
        return None
    person = Person.objects.select_for_update().filter(id=known.identity.person_id, erased_at__isnull=True).first()
    row = NameQuestion.objects.select_for_update().filter(id=question.id, state="open").first()
    identity = Identity.objects.select_for_update().filter(id=known.identity_id).first()
    if person is None or row is None or identity is None or identity.person_id != person.id:
        return None
    return row, identity, person


def _introduce(work: UnitOfWork, identity: Identity, person: Person, name: str) -> None:
    stand_in = identity.key[:160]
    if person.name in {"", stand_in} and not _was_renamed(person):
        person.name, person.name_key = name, name_key(name)
        person.save(update_fields=["name", "name_key"])
        for follower in followers():
            follower.renamed(work, person.workspace_id, person.id, name)
    for follower in followers():
        follower.introduced(work, person.workspace_id, identity.id, before=stand_in, name=name)
    changed(work, person.workspace_id, person.id, "named")


def _was_renamed(person: Person) -> bool:
    """Whether a colleague decided what they are called."""
    acts = PersonAct.objects.filter(person_id=person.id, verb="renamed", undone_at__isnull=True)
    return acts.exists()
