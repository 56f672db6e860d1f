"""A topic learned today is said of yesterday's words too: the newest messages without one are asked again, for their topic only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.events.models import Event
from careline.events.recording import UnitOfWork
from careline.threads.models import Message
from careline.triage.asking import judged_of, messages_to_judge
from careline.triage.lessons import TOPIC
from careline.triage.models import Correction, Judgement
from careline.triage.protocol import Judged, Verdict
from careline.triage.telling import JudgedMessage, tell

SINCE: Final = timedelta(days=30)
MOST: Final = 512
_READ: Final = 4 * MOST


def has_learned_topics(events: Iterable[Event]) -> bool:
    """Whether another head of topics is in use since."""
    return any(
        event.kind == "triage.learned"
        and (event.facts.get("name"), event.facts.get("state")) == (TOPIC, "active")
        and event.facts.get("version")
        for event in events
    )


def messages_without_topic(workspace_id: int, now: datetime) -> list[Message]:
    """The newest of the last 30 days, 512 at most, of which neither triage nor a person said a topic. Three statements."""
    rows = Judgement.objects.filter(workspace_id=workspace_id, message__at__gt=now - SINCE).order_by("-at")
    unsaid = [key for key, verdicts in rows.values_list("message_id", "verdicts")[:_READ] if not _topic_in(verdicts)]
    said = Correction.objects.filter(workspace_id=workspace_id, verdict=TOPIC, undone_at__isnull=True)
    by_person = set(said.filter(message_id__in=unsaid).values_list("message_id", flat=True))
    return messages_to_judge(workspace_id, [key for key in unsaid if key not in by_person][:MOST])


def _topic_in(verdicts: Sequence[dict[str, str]]) -> bool:
    return any(verdict["name"] == TOPIC and verdict["value"].isdigit() for verdict in verdicts)


def tell_topics(work: UnitOfWork, workspace_id: int, found: Iterable[Judged]) -> None:
    """Cases take the topics, judgements keep them beside what they say already; nothing is counted twice. Inside a unit of work."""
    topics = {one.id: topic for one in found if (topic := _topic_of(one)) is not None}
    standing = messages_to_judge(workspace_id, topics)
    tell(work, workspace_id, [JudgedMessage(one, Judged(one.id, (topics[one.id],))) for one in standing])
    rows = list(Judgement.objects.filter(workspace_id=workspace_id, message__in=[one.id for one in standing]))
    for row in rows:
        others = tuple(verdict for verdict in judged_of(row).verdicts if verdict.name != TOPIC)
        row.verdicts = msgspec.to_builtins((*others, topics[row.message_id]))
    Judgement.objects.bulk_update(rows, ["verdicts"])


def _topic_of(judged: Judged) -> Verdict | None:
    return next((one for one in judged.verdicts if one.name == TOPIC and one.value.isdigit()), None)
