"""Spikes as a lead reads them: named, with the cases their examples stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from django.db.models import Count, QuerySet

from careline.cases.queries.visible import visible_cases
from careline.channels.models import Channel
from careline.threads.models import Message
from careline.threads.personal import hide
from careline.triage.models import Judgement, Spike, Topic
from careline.triage.personal.masking import KINDS
from careline.workspaces.models import Agent, Brand
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

PAGE: Final = 20
MOST_OPEN: Final = 50
_EXAMPLE_CHARS: Final = 160


class SpikeExample(msgspec.Struct, frozen=True):
    """A message that stands for the rest, without personal data, and its case."""

    number: int
    name: str
    text: str
    channel_name: str
    network: str


class SpikeCause(msgspec.Struct, frozen=True):
    """What is said more than usual: words, or the name of a topic; in how many messages, and in how many it usually is."""

    kind: str
    words: str
    messages: int
    usual: float


class SpikeView(msgspec.Struct, frozen=True):
    """One spike. The names are empty where the unit has none or the thing is gone; `alike` counts near-duplicates."""

    row: Spike
    topic_id: int = 0
    topic_name: str = ""
    channel_id: int = 0
    channel_name: str = ""
    network: str = ""
    brand_name: str = ""
    alike: int = 0
    dismissed_by: str = ""
    causes: tuple[SpikeCause, ...] = ()
    examples: tuple[SpikeExample, ...] = ()

    @property
    def is_going_on(self) -> bool:
        return self.row.state == "open"


class SpikePage(msgspec.Struct, frozen=True):
    """What goes on, worst first, and a page of earlier ones, newest first; `older` is the id to go on before, 0 at the end."""

    open: tuple[SpikeView, ...]
    earlier: tuple[SpikeView, ...]
    older: int


def open_spikes(viewer: Viewer) -> tuple[SpikeView, ...]:
    """What goes on and nobody dismissed, customers' before practice, worst first. Nine statements at most, one when there is none.
    Raises Forbidden without the verb see_lead.
    """
    check_may(viewer.role, "see_lead")
    return _views(viewer, _open(viewer.workspace_id))


def _open(workspace_id: int) -> list[Spike]:
    going_on = Spike.objects.filter(workspace_id=workspace_id, state="open", ended_at__isnull=True)
    found = going_on.order_by("is_simulated", "-severity", "-id")[:MOST_OPEN]
    # Of equals the one that says where comes before the brand as a whole, which it is a part of.
    return sorted(
        found, key=lambda one: (one.is_simulated, -one.severity, one.place.startswith(("brand:", "practice:")))
    )


def list_spikes(viewer: Viewer, before_id: int = 0) -> SpikePage:
    """The page of spikes; what goes on only on its first. Ten statements at most. Raises Forbidden without the verb see_lead."""
    check_may(viewer.role, "see_lead")
    now_open = [] if before_id else _open(viewer.workspace_id)
    past: QuerySet[Spike] = Spike.objects.filter(workspace_id=viewer.workspace_id).exclude(state="open")
    found = list((past.filter(id__lt=before_id) if before_id else past).order_by("-id")[: PAGE + 1])
    views = _views(viewer, [*now_open, *found[:PAGE]])
    older = found[PAGE - 1].id if len(found) > PAGE else 0
    return SpikePage(views[: len(now_open)], views[len(now_open) :], older)


def _views(viewer: Viewer, rows: Sequence[Spike]) -> tuple[SpikeView, ...]:
    if not rows:
        return ()
    workspace_id = viewer.workspace_id
    topics = {str(one.id): one.name for one in _named(Topic, workspace_id, _topic_ids(rows))}
    channels = {one.id: one for one in Channel.objects.filter(workspace_id=workspace_id)}
    brands = {one.id: one.name for one in Brand.objects.filter(workspace_id=workspace_id)}
    agents = {one.id: one.name for one in _named(Agent, workspace_id, (row.judged_by_id for row in rows))}
    alike = _alike(workspace_id, [row.cluster_id for row in rows if row.cluster_id])
    examples = _examples(viewer, [int(one) for row in rows for one in row.examples], channels)
    views = []
    for row in rows:
        kind, _colon, place = row.place.partition(":")
        channel = channels.get(int(place)) if kind == "channel" else None
        views.append(
            SpikeView(
                row,
                topic_id=int(row.topic) if row.topic in topics else 0,
                topic_name=topics.get(row.topic, ""),
                channel_id=channel.id if channel else 0,
                channel_name=channel.name if channel else "",
                network=channel.network if channel else "",
                brand_name=brands.get(int(place), "") if kind in {"brand", "practice"} else "",
                alike=alike.get(row.cluster_id or 0, 0),
                dismissed_by=agents.get(row.judged_by_id or 0, ""),
                causes=tuple(_causes(row, topics)),
                examples=tuple(examples[int(one)] for one in row.examples if int(one) in examples),
            )
        )
    return tuple(views)


def _named(model: Any, workspace_id: int, ids: Iterable[int | None]) -> list[Any]:
    """Rows of the workspace by id. One statement, none where none is wanted."""
    wanted = {one for one in ids if one}
    return list(model.objects.filter(workspace_id=workspace_id, id__in=wanted)) if wanted else []


def _topic_ids(rows: Sequence[Spike]) -> set[int]:
    named = {row.topic for row in rows} | {str(cause[0]).removeprefix("topic:") for row in rows for cause in row.causes}
    return {int(one) for one in named if one.isascii() and one.isdigit() and len(one) < 20}


def _causes(row: Spike, topics: dict[str, str]) -> Iterable[SpikeCause]:
    """Copies are told by their number, not as a cause; a topic that is the unit itself says nothing."""
    for term, _surplus, _z, messages, usual in row.causes:
        kind, _colon, words = str(term).partition(":")
        named = topics.get(words, "") if kind == "topic" else words
        if kind != "cluster" and named and not (kind == "topic" and words == row.topic):
            yield SpikeCause(kind, named, int(messages), float(usual))


def _alike(workspace_id: int, clusters: Sequence[int]) -> dict[int, int]:
    if not clusters:
        return {}
    kept = Judgement.objects.filter(workspace_id=workspace_id, cluster_id__in=clusters).order_by()
    return dict(kept.values_list("cluster_id").annotate(Count("message_id")))


def _examples(viewer: Viewer, ids: Sequence[int], channels: dict[int, Channel]) -> dict[int, SpikeExample]:
    """Those that still have their words and whose case the viewer may see. Two statements."""
    messages = Message.objects.filter(workspace_id=viewer.workspace_id, id__in=ids, deleted_at__isnull=True)
    found = [message for message in messages.exclude(text="") if message.case_id]
    numbers = dict(visible_cases(viewer).filter(id__in={one.case_id for one in found}).values_list("id", "number"))
    return {
        one.id: SpikeExample(
            number=numbers[one.case_id or 0],
            name=one.author_name,
            text=_short(hide(one.text, one.personal, KINDS)),
            channel_name=channel.name if (channel := channels.get(one.channel_id or 0)) else "",
            network=channel.network if channel else "",
        )
        for one in found
        if one.case_id in numbers
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXAMPLE_CHARS else line[: _EXAMPLE_CHARS - 1].rstrip() + "…"
