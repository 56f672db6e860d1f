"""What a workspace's heads learn from: its agents' corrections, its topics' examples, and a share of the shipped seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from careline.triage.asking import JUDGED_CHARS
from careline.triage.models import Correction, Judgement, Topic, TopicExample
from careline.triage.nearness import far_from, is_vector, unpack
from careline.triage.normalising import normalise
from careline.triage.personal import find_personal
from careline.triage.personal.masking import mask
from careline.triage.protocol import Span
from careline.triage.seeds.reading import LANGUAGES, read_seeds
from careline.workspaces.queries import languages_of

TRAINED: Final = ("kind", "needs_answer", "sentiment")
TOPIC: Final = "topic"
# The label of what is of no topic in use: it keeps a head of one topic from seeing that topic everywhere.
NO_TOPIC: Final = "none"
MOST_ROWS: Final = 2_000
# Seeds are thinned, own rows never repeated: a row on both sides of the held-out line would flatter the figures.
SEEDS_A_ROW: Final = 3
FEWEST_SEEDS: Final = 60
# Of each topic, so that two examples and two hundred corrections stand apart from as much that is neither.
BACKGROUND_A_ROW: Final = 2
FEWEST_BACKGROUND: Final = 20
MOST_BACKGROUND: Final = 400
BACKGROUND_POOL: Final = 2_000
BACKGROUND_DAYS: Final = 30
# A topic known by one example is guessed from.
FEWEST_EXAMPLES: Final = 2

Labelled = tuple[str, str]


@dataclass(frozen=True)
class Lesson:
    """Rows to fit, those of the workspace first. `message_ids`: the messages whose words the rows hold."""

    rows: tuple[Labelled, ...]
    own_rows: int
    message_ids: tuple[int, ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(label for _text, label in self.rows)


def lesson_of(workspace_id: int, name: str, now: datetime) -> Lesson:
    """What there is to learn for one head. Two statements, five for topics."""
    return _topic_lesson(workspace_id, now) if name == TOPIC else _verdict_lesson(workspace_id, name)


def _verdict_lesson(workspace_id: int, name: str) -> Lesson:
    heard = _corrections(workspace_id, name)
    own = _once((one.text, one.value) for one in heard if one.value)[:MOST_ROWS]
    seeds = seed_rows(name, languages_of(workspace_id), max(FEWEST_SEEDS, SEEDS_A_ROW * len(own)))
    return Lesson((*own, *seeds)[:MOST_ROWS], len(own), tuple(one.message_id for one in heard))


@dataclass(frozen=True)
class _Heard:
    message_id: int
    text: str
    value: str


def _corrections(workspace_id: int, name: str) -> list[_Heard]:
    """The newest word on each message that still has its own, newest first, personal data masked. One statement."""
    wanted = Correction.objects.filter(
        workspace_id=workspace_id, verdict=name, undone_at__isnull=True, message__deleted_at__isnull=True
    ).exclude(message__text="")
    columns = (
        "message_id", "value", "message__text", "message__version",
        "message__judgement__personal", "message__judgement__message_version",
    )  # fmt: skip
    found: dict[int, _Heard] = {}
    for message_id, value, text, version, personal, judged in wanted.order_by("-id").values_list(*columns)[:MOST_ROWS]:
        words = _masked(text, personal if judged == version else None)
        found.setdefault(message_id, _Heard(message_id, words, value))
    return list(found.values())


def _masked(text: str, personal: list[object] | None) -> str:
    words = text[:JUDGED_CHARS]
    spans = find_personal(words) if personal is None else msgspec.convert(personal, list[Span])
    return mask(words, spans)


def _once(rows: Iterable[Labelled]) -> list[Labelled]:
    """Each text once, by the first word on it."""
    found: dict[str, Labelled] = {}
    for text, label in rows:
        found.setdefault(normalise(text).casefold(), (text, label))
    return list(found.values())


def seed_rows(name: str, languages: Sequence[str], most: int) -> list[Labelled]:
    """Shipped seeds of the workspace's languages, each label thinned evenly, the same ones every time."""
    spoken = tuple(one for one in LANGUAGES if one in languages) or LANGUAGES
    by_label = _seeds(name, spoken)
    share = max(1, most // max(1, len(by_label)))
    return [
        (text, label) for label, texts in by_label.items() for text in texts[:: max(1, len(texts) // share)][:share]
    ]


@lru_cache(maxsize=16)
def _seeds(name: str, languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for language in languages:
        for seed in read_seeds(language):
            found[str(getattr(seed, name))].append(seed.text)
    return {label: tuple(texts) for label, texts in sorted(found.items())}


def _topic_lesson(workspace_id: int, now: datetime) -> Lesson:
    """Labels are topics in use, by id, and NO_TOPIC: what people said is not, and a background far from every topic."""
    used = set(
        Topic.objects.filter(workspace_id=workspace_id, facet="reason", retired_at__isnull=True).values_list(
            "id", flat=True
        )
    )
    examples = list(
        TopicExample.objects.filter(workspace_id=workspace_id, topic_id__in=used)
        .select_related("message", "message__judgement")
        .order_by("-id")[:MOST_ROWS]
    )
    heard = _corrections(workspace_id, TOPIC)
    said = _said_of_topics(examples, heard, used)
    known = [label for _text, label in said]
    enough = {label for label in set(known) if label == NO_TOPIC or known.count(label) >= FEWEST_EXAMPLES}
    own = [row for row in said if row[1] in enough][:MOST_ROWS]
    if not enough - {NO_TOPIC}:
        return Lesson((), 0)
    background = _background(workspace_id, examples, enough, own, now)
    given = {one.message_id for one in examples if one.message_id is not None} | {one.message_id for one in heard}
    ids = given | {message_id for message_id, _text in background}
    return Lesson((*own, *((text, NO_TOPIC) for _id, text in background)), len(own), tuple(sorted(ids)))


def _said_of_topics(examples: Sequence[TopicExample], heard: Sequence[_Heard], used: set[int]) -> list[Labelled]:
    """One label a text: a correction before an example, "it is" before "it is not"."""
    liked = [(_words_of(one), str(one.topic_id)) for one in examples if one.is_of_topic]
    disliked = [(_words_of(one), NO_TOPIC) for one in examples if not one.is_of_topic]
    corrected = [(one.text, one.value) for one in heard if one.value.isdigit() and int(one.value) in used]
    refused = [(one.text, NO_TOPIC) for one in heard if not one.value]
    return _once(row for row in (*corrected, *liked, *refused, *disliked) if row[0])


def _words_of(example: TopicExample) -> str:
    if example.message is None:
        return str(example.text)
    return _masked(example.message.text, None) if example.message.deleted_at is None else ""


def _background(
    workspace_id: int, examples: Sequence[TopicExample], topics: set[str], own: Sequence[Labelled], now: datetime
) -> list[tuple[int, str]]:
    """Messages of the last days that lie far from every topic, with their words. Two statements; none without vectors."""
    known: dict[int, list[bytes]] = defaultdict(list)
    for example in examples:
        vector = vector_of(example)
        if example.is_of_topic and str(example.topic_id) in topics and is_vector(vector):
            known[example.topic_id].append(vector)
    if not known:
        return []
    recent = Judgement.objects.filter(workspace_id=workspace_id, at__gt=now - timedelta(days=BACKGROUND_DAYS))
    pool = [
        row
        for row in recent.order_by("-at").values_list("message_id", "vector")[:BACKGROUND_POOL]
        if is_vector(bytes(row[1]))
    ]
    if not pool:
        return []
    most = min(MOST_BACKGROUND, max(FEWEST_BACKGROUND, BACKGROUND_A_ROW * len(own) // len(topics)))
    far = far_from(unpack([bytes(row[1]) for row in pool]), [unpack(one) for one in known.values()], most)
    rows = Judgement.objects.filter(message_id__in=[pool[at][0] for at in far.tolist()]).order_by("message_id")
    taken = {normalise(text).casefold() for text, _label in own}
    found: list[tuple[int, str]] = []
    for message_id, text, personal in rows.values_list("message_id", "message__text", "personal"):
        words = _masked(text, personal)
        key = normalise(words).casefold()
        if key and key not in taken:
            taken.add(key)
            found.append((message_id, words))
    return found


def vector_of(example: TopicExample) -> bytes:
    """The vector of an example with its message's judgement at hand; b"" when it is not read yet."""
    if example.message is None:
        return bytes(example.vector)
    return bytes(example.message.judgement.vector) if hasattr(example.message, "judgement") else b""
