"""Groups of recent messages that no topic has, as proposals for one: size, central examples, a name of their most typical words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log
from typing import Final

from django.db.models import Q

from careline.kit import clock
from careline.threads.models import Message
from careline.threads.search import words_of
from careline.triage.catching import CAUGHT_FROM, DAYS
from careline.triage.lessons import TOPIC, vector_of
from careline.triage.models import Judgement, TopicExample
from careline.triage.nearness import claimed, clusters, is_vector, unpack
from careline.triage.queries import masked_kinds
from careline.triage.topics import FoundMessage, readable

# Grouping is quadratic: three thousand take a tenth of a second and nine megabytes (tests/test_nearness.py holds a bound).
MOST_GROUPED: Final = 3_000
FEWEST_IN_GROUP: Final = 5
MOST_GROUPS: Final = 12
MOST_SHOWN: Final = 5
NAME_WORDS: Final = 3
MOST_NAMED_FROM: Final = 60
_SHORTEST_WORD: Final = 3


@dataclass(frozen=True)
class Proposal:
    """A group. `central`: the messages nearest to its middle."""

    name: str
    size: int
    central: tuple[FoundMessage, ...]


def propose_topics(workspace_id: int) -> list[Proposal]:
    """The largest groups among the newest messages of the last thirty days that no topic has, drafts included. Six
    statements."""
    rows = _unclaimed(workspace_id, _without_topic(workspace_id))
    if len(rows) < FEWEST_IN_GROUP:
        return []
    groups = clusters(unpack([vector for _id, vector in rows]), fewest=FEWEST_IN_GROUP, most=MOST_GROUPS)
    ids = [[rows[at][0] for at in group.tolist()] for group in groups]
    wanted = {message_id for group in ids for message_id in group[:MOST_NAMED_FROM]}
    background = [message_id for message_id, _vector in rows[:: max(1, len(rows) // 300)]]
    heard = Message.objects.filter(workspace_id=workspace_id, id__in=wanted | set(background), deleted_at__isnull=True)
    hidden = masked_kinds(workspace_id)
    texts = {row.id: readable(row.text, hidden) for row in heard if row.text}
    usual = [texts[one] for one in background if one in texts]
    return [_proposal(group, texts, usual) for group in ids]


def _without_topic(workspace_id: int) -> list[tuple[int, bytes]]:
    """Newest messages that somebody should answer and no topic has. One statement."""
    since = clock.now() - timedelta(days=DAYS)
    wanted = Judgement.objects.filter(workspace_id=workspace_id, at__gt=since).order_by("-at")
    rows = wanted.values_list("message_id", "vector", "verdicts")[:MOST_GROUPED]
    return [
        (message_id, bytes(vector))
        for message_id, vector, verdicts in rows
        if is_vector(bytes(vector)) and not _is_settled(verdicts)
    ]


def _unclaimed(workspace_id: int, rows: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Without what lies near a draft or a topic in use. One statement."""
    wanted = TopicExample.objects.filter(workspace_id=workspace_id, is_of_topic=True).filter(
        Q(topic__is_draft=True) | Q(topic__retired_at__isnull=True)
    )
    known: dict[int, list[bytes]] = defaultdict(list)
    for example in wanted.select_related("message__judgement").order_by("-id")[:MOST_GROUPED]:
        vector = vector_of(example)
        if is_vector(vector):
            known[example.topic_id].append(vector)
    if not rows or not known:
        return rows
    taken = claimed(unpack([vector for _id, vector in rows]), map(unpack, known.values()), CAUGHT_FROM)
    return [row for row, is_taken in zip(rows, taken.tolist(), strict=True) if not is_taken]


def _is_settled(verdicts: Sequence[dict[str, object]]) -> bool:
    """Whether it has a topic already, or is noise."""
    said = {one["name"]: str(one["value"]) for one in verdicts}
    return said.get(TOPIC, "").isdigit() or said.get("kind") == "noise"


def _proposal(group: Sequence[int], texts: dict[int, str], usual: Sequence[str]) -> Proposal:
    own = [texts[one] for one in group[:MOST_NAMED_FROM] if one in texts]
    central = tuple(FoundMessage(one, texts[one]) for one in group if one in texts)[:MOST_SHOWN]
    return Proposal(typical_words(own, usual), len(group), central)


def typical_words(own: Sequence[str], usual: Sequence[str]) -> str:
    """The words that stand in more of these texts than chance and the other texts explain, at most three, the most typical first."""
    here, there = _texts_with(own), _texts_with(usual)
    total, others = len(own), max(1, len(usual))

    def weight(word: str) -> float:
        share, usual_share = here[word] / total, (there[word] + 0.5) / (others + 1)
        return share * log(share / usual_share)

    known = [
        word for word in here if here[word] >= max(2, total // 5) and len(word) >= _SHORTEST_WORD and not word.isdigit()
    ]
    best = sorted(known, key=lambda word: (-weight(word), word))[:NAME_WORDS]
    return " ".join(best).capitalize()


def _texts_with(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in set(words_of(text)))
