"""Which case a message belongs to: the pure rule of PRODUCT.md ("Messages, not threads, belong to cases"). The digest
looks up the facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

FOLLOW_UP_AFTER: Final = timedelta(days=14)
Verdict = Literal["none", "join", "reopen", "attach", "open", "open_done"]


@dataclass(frozen=True)
class HeardMessage:
    """What the rule needs of a message. `is_addressed` is False for a bystander's word in a public thread."""

    is_addressed: bool = True
    automatic: str = ""
    is_history: bool = False
    is_blocked: bool = False


@dataclass(frozen=True)
class CaseStanding:
    """What the rule needs of a case; merged ones are followed to their target by the caller."""

    id: int
    state: str
    outcome: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """`join`, `reopen` and `attach` name `case_id`; `open` may follow an old case; `offer_join_id` is the other open
    case of this person.

    `attach` adds the message without waking the case; `open_done` keeps a record nobody has to answer; `none` leaves it
    in the thread only.
    """

    verdict: Verdict
    case_id: int = 0
    follows_id: int = 0
    offer_join_id: int = 0
    outcome: str = ""


def case_for(
    message: HeardMessage,
    candidate: CaseStanding | None,
    now: datetime,
    *,
    bound: CaseStanding | None = None,
    other_open_id: int = 0,
) -> Decision:
    """Where a message goes.

    `candidate` is the newest case of its (thread, author); `bound` the case a private thread was opened from, which
    wins; `other_open_id` the newest open case of the same person in another thread (0: none), offered for joining by
    one key.
    """
    standing = bound or candidate
    if standing is None:
        return _without_case(message, other_open_id)
    if _wakes_nobody(message) or standing.outcome == "spam":
        return Decision("attach", standing.id)
    if standing.state != "done":
        return Decision("join", standing.id)
    if standing.done_at is not None and now - standing.done_at > FOLLOW_UP_AFTER:
        return Decision("open", follows_id=standing.id, offer_join_id=other_open_id)
    return Decision("reopen", standing.id)


def _without_case(message: HeardMessage, other_open_id: int) -> Decision:
    if message.is_blocked:
        return Decision("open_done", outcome="spam")
    if not message.is_addressed:
        return Decision("none")
    if _wakes_nobody(message):
        return Decision("open_done", outcome="no_answer_needed")
    return Decision("open", offer_join_id=other_open_id)


def _wakes_nobody(message: HeardMessage) -> bool:
    return bool(message.automatic) or message.is_history or message.is_blocked
