"""What a topic would catch among the messages of the last thirty days, how sure, and how often people said that it was right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Final

from careline.kit import clock
from careline.threads.models import Message
from careline.triage.lessons import TOPIC, vector_of
from careline.triage.models import FittedHead, Judgement, Topic, TopicExample
from careline.triage.nearness import is_vector, likeness, unpack
from careline.triage.queries import masked_kinds
from careline.triage.topics import readable

DAYS: Final = 30
MOST_LOOKED_AT: Final = 20_000
MOST_SHOWN: Final = 50
# By nearness: from here on more than half of what is caught is of the topic (nearness.py has the figures).
CAUGHT_FROM: Final = 0.3
# The 97.5 % point of the normal distribution: 95 % lie between both.
_Z: Final = 1.96


@dataclass(frozen=True)
class Caught:
    """One message. `by`: head, when the topic's own head judged it, else nearness. `thumb`: True up, False down, None not judged."""

    message_id: int
    text: str
    confidence: float
    by: str
    at: datetime
    thumb: bool | None


@dataclass(frozen=True)
class Precision:
    """Thumbs up among thumbs, with the 95 % interval by Wilson."""

    up: int
    judged: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.up / self.judged if self.judged else 0.0


@dataclass(frozen=True)
class Catch:
    """`looked_at`: messages that could be compared. `waiting`: examples that are not read yet."""

    shown: tuple[Caught, ...]
    total: int
    looked_at: int
    waiting: int
    precision: Precision


def catch_of(topic: Topic) -> Catch:
    """What the topic, used or a draft, would catch. Six statements."""
    since = clock.now() - timedelta(days=DAYS)
    examples = list(TopicExample.objects.filter(topic=topic).select_related("message__judgement"))
    waiting = sum(1 for one in examples if one.message is None and not one.vector)
    liked = [vector for one in examples if one.is_of_topic and is_vector(vector := vector_of(one))]
    disliked = [vector for one in examples if not one.is_of_topic and is_vector(vector := vector_of(one))]
    thumbs = {one.message_id: one.is_of_topic for one in examples if one.source == "thumb" and one.message_id}
    given = {one.message_id for one in examples if one.source != "thumb" and one.message_id}
    judged = _by_head(topic, since)
    ids, near = _by_nearness(topic.workspace_id, since, liked, disliked)
    found = {one: (sure, "nearness") for one, sure in near.items() if sure >= CAUGHT_FROM} | judged.caught
    for message_id in (judged.let_go | given) & found.keys():
        del found[message_id]
    best = sorted(found, key=lambda one: (-found[one][0], -one))
    shown = _shown(topic.workspace_id, best[:MOST_SHOWN], found, thumbs)
    return Catch(shown, len(best), ids, waiting, precision_of(thumbs.values()))


@dataclass(frozen=True)
class _Judged:
    caught: dict[int, tuple[float, str]]
    let_go: set[int]


def _by_head(topic: Topic, since: datetime) -> _Judged:
    """What the head that is active now said of the messages it judged. Two statements."""
    head = FittedHead.objects.filter(workspace_id=topic.workspace_id, name=TOPIC, state="active").defer("body").first()
    if head is None or str(topic.id) not in head.card.get("labels", []):
        return _Judged({}, set())
    since = max(since, head.made_at)
    rows = Judgement.objects.filter(workspace_id=topic.workspace_id, at__gt=since).order_by("-at")
    caught: dict[int, tuple[float, str]] = {}
    let_go: set[int] = set()
    for message_id, verdicts in rows.values_list("message_id", "verdicts")[:MOST_LOOKED_AT]:
        said = next((one for one in verdicts if one["name"] == TOPIC), None)
        if said is not None and said["value"] == str(topic.id):
            caught[message_id] = (float(said["confidence"]), "head")
        elif said is not None:
            let_go.add(message_id)
    return _Judged(caught, let_go)


def _by_nearness(
    workspace_id: int, since: datetime, liked: list[bytes], disliked: list[bytes]
) -> tuple[int, dict[int, float]]:
    """How many messages were compared, and how likely each is of the topic. One statement."""
    rows = recent_vectors(workspace_id, since, MOST_LOOKED_AT)
    if not rows or not liked:
        return len(rows), {}
    pool = unpack([vector for _id, vector in rows])
    chances = likeness(pool, unpack(liked), unpack(disliked))
    return len(rows), {rows[at][0]: float(chance) for at, chance in enumerate(chances.tolist())}


def recent_vectors(workspace_id: int, since: datetime, most: int) -> list[tuple[int, bytes]]:
    """Message and vector of the newest judgements. One statement."""
    wanted = Judgement.objects.filter(workspace_id=workspace_id, at__gt=since).order_by("-at")
    rows = wanted.values_list("message_id", "vector")[:most]
    return [
        (message_id, bytes(vector))
        for message_id, vector in rows.iterator(chunk_size=2_000)
        if is_vector(bytes(vector))
    ]


def _shown(
    workspace_id: int, message_ids: list[int], found: dict[int, tuple[float, str]], thumbs: dict[int, bool]
) -> tuple[Caught, ...]:
    """Two statements."""
    hidden = masked_kinds(workspace_id)
    rows = Message.objects.filter(workspace_id=workspace_id, id__in=message_ids, deleted_at__isnull=True).exclude(
        text=""
    )
    by_id = {row.id: row for row in rows}
    return tuple(
        Caught(one, readable(by_id[one].text, hidden), *found[one], by_id[one].at, thumbs.get(one))
        for one in message_ids
        if one in by_id
    )


def precision_of(thumbs: Iterable[bool]) -> Precision:
    """From thumbs to a share and its interval: Wilson 1927, as in Brown, Cai and DasGupta 2001, formula 4."""
    said = list(thumbs)
    up, total = sum(said), len(said)
    if not total:
        return Precision(0, 0, 0.0, 1.0)
    share, weight = up / total, _Z * _Z / total
    middle = (share + weight / 2) / (1 + weight)
    around = _Z / (1 + weight) * sqrt(share * (1 - share) / total + weight / (4 * total))
    return Precision(up, total, max(0.0, middle - around), min(1.0, middle + around))
