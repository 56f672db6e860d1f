"""What is said of a case, gathered anew from its messages after they moved: their verdicts in order, and what people said of each."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from careline.cases.models import Case
from careline.cases.signs import Sign, Signs, sign_of, stands, value_of
from careline.cases.triaging import take_verdicts
from careline.threads.models import Message
from careline.triage.asking import judged_of
from careline.triage.models import Correction, Judgement

SAID_SENTIMENT: Final = {"negative": -0.7, "neutral": 0.0, "positive": 0.7}


def take_word(case: Case, verdict: str, value: str, message_id: int) -> None:
    """What a person says of a message, on its case: `value` it is, '' it is not what was proposed."""
    said = value or str(case.signs.get(verdict, {}).get("value", ""))
    state = "confirmed" if value else "refused"
    case.signs = {**case.signs, verdict: sign_of(said, 1.0, "agent", message_id, state)}
    if verdict == "sentiment":
        case.sentiment_now = SAID_SENTIMENT[value]
    elif verdict == "topic":
        case.topic_id = int(value) if value else None
    elif verdict == "kind":
        case.kind = value


def gather_signs(case: Case, *before: Signs) -> None:
    """Signs, kind, topic and mood of the case by the messages it holds now, not saved. Three statements.

    `before`: signs of the cases its messages stood in. What was said of a message whose judgement is gone stays with that message; harm
    that a person confirmed stays confirmed, also where it was said of the case as a whole.
    """
    mine = Message.objects.filter(workspace_id=case.workspace_id, case_id=case.id, direction="inbound")
    heard = list(mine.order_by("at", "id").only("id", "at", "is_history", "automatic"))
    judgements = Judgement.objects.filter(workspace_id=case.workspace_id, message__in=[one.id for one in heard])
    judged = {row.message_id: judged_of(row) for row in judgements}
    words = _words_of([one.id for one in heard])
    case.signs = _forgotten({str(one.id) for one in heard if one.id not in judged}, before)
    if judged:
        case.sentiment_first = case.sentiment_now = case.topic_id = None
    for message in heard:
        if message.id in judged:
            take_verdicts(case, message, judged[message.id].verdicts)
        for verdict, value in words[message.id]:
            take_word(case, verdict, value, message.id)
    case.kind = value_of(case.signs, "kind")
    case.is_harm = case.is_harm or (stands(case.signs, "harm") and case.signs["harm"]["state"] == "confirmed")


def _words_of(message_ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    """(verdict, value) of each message, in the order they were said, without those taken back. One statement."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = Correction.objects.filter(message_id__in=message_ids, undone_at__isnull=True).order_by("id")
    for message_id, verdict, value in rows.values_list("message_id", "verdict", "value"):
        found[message_id].append((verdict, value))
    return found


def _forgotten(message_ids: set[str], before: tuple[Signs, ...]) -> dict[str, Sign]:
    """Signs whose message is here and has no judgement any more; the surer one where two cases name the same."""
    found: dict[str, Sign] = {}
    for signs in before:
        for name, sign in signs.items():
            known = found.get(name)
            if sign["message_id"] in message_ids:
                found[name] = sign if known is None or sign["confidence"] > known["confidence"] else known
    return found
