"""Topics as people see them: each with its examples, and who may touch which. Reads only; the verbs are in actions/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from careline.errors import NotFound
from careline.threads import search
from careline.threads.models import Message
from careline.triage.asking import JUDGED_CHARS
from careline.triage.models import Topic, TopicExample
from careline.triage.nearness import is_vector
from careline.triage.personal import find_personal
from careline.triage.personal.masking import KINDS, mask
from careline.triage.queries import masked_kinds

MOST_TOPICS: Final = 500
MOST_FOUND: Final = 40
# So many make a topic that can be told from others: measured with five on Banking77 and CLINC150 (docs/triage.md).
ENOUGH_EXAMPLES: Final = 5


@dataclass(frozen=True)
class TopicLine:
    """A topic in a list. `state`: draft, used or retired. `likes` and `dislikes` are its examples and counter-examples."""

    id: int
    name: str
    facet: str
    state: str
    likes: int
    dislikes: int


@dataclass(frozen=True)
class ExampleLine:
    """An example in readable form, personal data masked. `is_read`: its vector is there."""

    id: int
    text: str
    is_of_topic: bool
    source: str
    is_read: bool


@dataclass(frozen=True)
class FoundMessage:
    """A message to choose as an example, personal data masked."""

    id: int
    text: str


def list_topics(workspace_id: int) -> list[TopicLine]:
    """All of them, by name. One statement."""
    counts = {
        "likes": Count("examples", filter=Q(examples__is_of_topic=True)),
        "dislikes": Count("examples", filter=Q(examples__is_of_topic=False)),
    }
    rows = Topic.objects.filter(workspace_id=workspace_id).annotate(**counts).order_by("name", "id")
    columns = ("id", "name", "facet", "is_draft", "retired_at", "likes", "dislikes")
    return [
        TopicLine(one, name, facet, _state(is_draft, retired_at), likes, dislikes)
        for one, name, facet, is_draft, retired_at, likes, dislikes in rows.values_list(*columns)[:MOST_TOPICS]
    ]


def state_of(topic: Topic) -> str:
    """draft, used or retired."""
    return _state(topic.is_draft, topic.retired_at)


def _state(is_draft: bool, retired_at: datetime | None) -> str:
    if retired_at is None:
        return "used"
    return "draft" if is_draft else "retired"


def access_topic(workspace_id: int, topic_id: int, *, locked: bool = False) -> Topic:
    """A topic of this workspace. Raises NotFound for a foreign one. One statement."""
    wanted = Topic.objects.filter(workspace_id=workspace_id, id=topic_id)
    found = (wanted.select_for_update() if locked else wanted).first()
    if found is None:
        raise NotFound("topic_not_found", _("There is no such topic."))
    return found


def list_examples(topic: Topic) -> list[ExampleLine]:
    """What people gave, thumbs too, newest first. Two statements."""
    rows = TopicExample.objects.filter(topic=topic).select_related("message", "message__judgement").order_by("-id")
    hidden = masked_kinds(topic.workspace_id)
    return [
        ExampleLine(row.id, readable(row.message.text if row.message else row.text, hidden), row.is_of_topic, row.source, _is_read(row))
        for row in rows
    ]  # fmt: skip


def _is_read(row: TopicExample) -> bool:
    if row.message is None:
        return is_vector(bytes(row.vector))
    return hasattr(row.message, "judgement") and is_vector(bytes(row.message.judgement.vector))


def find_messages(workspace_id: int, query: str) -> list[FoundMessage]:
    """What customers wrote with these words, newest first. Three statements."""
    condition = search.match_condition(query)
    if condition is None:
        return []
    case_ids = [case_id for case_id, _hit in search.find_case_ids(workspace_id, query, MOST_FOUND)]
    heard = Message.objects.filter(
        workspace_id=workspace_id, case_id__in=case_ids, direction="inbound", deleted_at__isnull=True, automatic=""
    )
    words = search.words_of(query)
    rows = [row for row in heard.exclude(text="").order_by("-id")[: MOST_FOUND * 5] if _holds(row.text, words)]
    return found_messages(workspace_id, rows[:MOST_FOUND])


def _holds(text: str, words: Sequence[str]) -> bool:
    """Whether every word stands in the text, the last one as a beginning, as the search itself reads them."""
    held = search.words_of(text)
    return set(words[:-1]) <= set(held) and any(word.startswith(words[-1]) for word in held)


def found_messages(workspace_id: int, rows: Sequence[Message]) -> list[FoundMessage]:
    """Messages to show. One statement."""
    hidden = masked_kinds(workspace_id)
    return [FoundMessage(row.id, readable(row.text, hidden)) for row in rows]


def readable(text: str, hidden: Sequence[str]) -> str:
    """The words with these kinds of personal data masked, at most as long as what is judged."""
    words = text[:JUDGED_CHARS]
    return mask(words, find_personal(words), keep=[kind for kind in KINDS if kind not in hidden])
