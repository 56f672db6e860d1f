"""The learning loop: which heads have enough new rows, fitting them outside any transaction, keeping a version only where it is not worse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from django.db import IntegrityError
from django.db.models import Count, Max
from prometheus_client import Counter

from careline.events.recording import unit_of_work
from careline.triage.calling import Child, ChildFailed
from careline.triage.framing import Fitted
from careline.triage.lessons import TOPIC, TRAINED, Lesson, lesson_of
from careline.triage.models import Correction, FittedHead, Topic, TopicExample, TriageSettings
from careline.triage.unlearning import WORDS_GONE, still_said

NAMES: Final = (*TRAINED, TOPIC)
FIRST_ROWS: Final = 10
FIRST_LABELS: Final = 2
NEXT_ROWS: Final = 5
EVERY: Final = timedelta(minutes=1)
LOOK_EVERY: Final = timedelta(seconds=5)
# Held-out accuracy on some tens of rows swings by more than this from one draw to the next; a fall below it is one.
MARGIN: Final = 0.02
KEPT_VERSIONS: Final = 10
READ_AT_ONCE: Final = 100
# Kept in place of a vector, so that a text nobody can read is not read again.
UNREADABLE: Final = b"\0"
FITTED = Counter("careline_triage_fitted_total", "Heads fitted from corrections.", ["outcome"])
_log = structlog.get_logger()


@dataclass(frozen=True)
class Due:
    """A head with enough to learn. `urgent_at`: when a topic last changed by hand, which waits for no minute."""

    workspace_id: int
    name: str
    urgent_at: datetime | None = None


@dataclass
class _Tries:
    """What was looked at and tried with one child, so that what cannot be fitted is not tried without end."""

    looked_at: datetime | None = None
    tried: dict[tuple[int, str], datetime] = field(default_factory=dict)


_tries: WeakKeyDictionary[Child, _Tries] = WeakKeyDictionary()


def learn_due(child: Child, now: datetime) -> bool:
    """Read what was typed, then fit the first head that is due. Returns whether there was anything, so that the caller asks again.

    For the worker's loop, between batches, outside any transaction: it looks every five seconds at most and fits one head a call.
    A child that fails costs nothing but the minute until the next try.
    """
    tries = _tries.setdefault(child, _Tries())
    if tries.looked_at is not None and timedelta(0) <= now - tries.looked_at < LOOK_EVERY:
        return False
    try:
        if read_examples(child):
            return True
        for due in due_heads():
            if _may_try(due, tries, now):
                tries.tried[due.workspace_id, due.name] = now
                if learn(child, due, now):
                    return True
    except ChildFailed as failed:
        _log.warning("triage_not_learned", error=failed.code)
        FITTED.labels("failed").inc()
    tries.looked_at = now
    return False


def _may_try(due: Due, tries: _Tries, now: datetime) -> bool:
    tried_at = tries.tried.get((due.workspace_id, due.name))
    if tried_at is None or now - tried_at >= EVERY:
        return True
    return due.urgent_at is not None and due.urgent_at > tried_at


def read_examples(child: Child) -> int:
    """Vectors for what people typed. Returns how many were read. One statement, one more for each. Raises ChildFailed."""
    waiting = TopicExample.objects.filter(vector=b"", message__isnull=True).order_by("id")
    rows = list(waiting.values_list("id", "text")[:READ_AT_ONCE])
    if not rows:
        return 0
    vectors = _encode(child, [text for _id, text in rows])
    with unit_of_work():
        for (example_id, _text), vector in zip(rows, vectors, strict=True):
            TopicExample.objects.filter(id=example_id).update(vector=vector)
    return len(rows)


def _encode(child: Child, texts: list[str]) -> list[bytes]:
    """Vectors; UNREADABLE for the one text the child cannot bear. Raises ChildFailed when it bears none."""
    try:
        return child.encode(texts)
    except ChildFailed:
        child.encode(())  # a child that cannot even start is no fault of a text
        if len(texts) == 1:
            return [UNREADABLE]
        half = len(texts) // 2
        return [*_encode(child, texts[:half]), *_encode(child, texts[half:])]


def due_heads() -> list[Due]:
    """The heads with enough new rows, those whose topics changed by hand first. A head whose words are gone begins anew. Six statements."""
    newest = FittedHead.objects.values("workspace_id", "name").annotate(
        to=Max("counted_to"), made=Max("made_at"), version=Max("version")
    )
    gone = set(FittedHead.objects.filter(why=WORDS_GONE).values_list("workspace_id", "name", "version"))
    heads = {
        (row["workspace_id"], row["name"]): (row["to"], row["made"])
        for row in newest
        if (row["workspace_id"], row["name"], row["version"]) not in gone
    }
    off = set(TriageSettings.objects.filter(is_on=False).values_list("workspace_id", flat=True))
    urgent = _changed_topics(heads)
    enough = [key for key in _corrected(heads) if key not in urgent]
    return [
        *(Due(workspace_id, TOPIC, at) for (workspace_id, _name), at in urgent.items() if workspace_id not in off),
        *(Due(*key) for key in enough if key[0] not in off),
    ]


_Heads = dict[tuple[int, str], tuple[int, datetime]]


def _changed_topics(heads: _Heads) -> dict[tuple[int, str], datetime]:
    """Workspaces whose topics in use, or just retired, changed after the head was made. One statement."""
    wanted = Topic.objects.filter(facet="reason", is_draft=False, changed_at__isnull=False)
    rows = wanted.values_list("workspace_id").annotate(at=Max("changed_at")).order_by("workspace_id")
    known = {(workspace_id, TOPIC): at for workspace_id, at in rows}
    return {key: at for key, at in known.items() if key not in heads or at > heads[key][1]}


def _corrected(heads: _Heads) -> list[tuple[int, str]]:
    """Two statements, and one for each pair that was ever corrected and is past its first head."""
    said = Correction.objects.filter(verdict__in=NAMES, undone_at__isnull=True)
    thumbs = TopicExample.objects.filter(source="thumb", topic__retired_at__isnull=True, topic__facet="reason")
    totals = said.values("workspace_id", "verdict").annotate(
        rows=Count("id"), labels=Count("value", distinct=True), newest=Max("id")
    )
    found = []
    for row in totals.order_by("workspace_id", "verdict"):
        key = (row["workspace_id"], row["verdict"])
        if key not in heads:
            is_due = row["rows"] >= FIRST_ROWS and row["labels"] >= FIRST_LABELS
        else:
            is_due = row["newest"] > heads[key][0] and _new_rows(*key, heads[key][0]) >= NEXT_ROWS
        found += [key] if is_due else []
    for workspace_id, count in thumbs.values_list("workspace_id").annotate(rows=Count("id")).order_by("workspace_id"):
        key = (workspace_id, TOPIC)
        if key not in found and key in heads and count and _new_rows(*key, heads[key][0]) >= NEXT_ROWS:
            found.append(key)
    return found


def _new_rows(workspace_id: int, name: str, counted_to: int) -> int:
    """Corrections, and for topics thumbs, that no version has taken into account."""
    said = Correction.objects.filter(workspace_id=workspace_id, verdict=name, undone_at__isnull=True, id__gt=counted_to)
    count = said.count()
    if name == TOPIC:
        count += TopicExample.objects.filter(workspace_id=workspace_id, source="thumb", id__gt=counted_to).count()
    return count


def newest_row(workspace_id: int, name: str) -> int:
    """The id up to which everything is known now. Two statements."""
    said = Correction.objects.filter(workspace_id=workspace_id, verdict=name).aggregate(newest=Max("id"))["newest"] or 0
    if name != TOPIC:
        return int(said)
    given = TopicExample.objects.filter(workspace_id=workspace_id).aggregate(newest=Max("id"))["newest"] or 0
    return max(int(said), int(given))


def learn(child: Child, due: Due, now: datetime) -> bool:
    """Fit one head and keep it. Returns whether a version was made. Raises ChildFailed."""
    before = _newest(due.workspace_id, due.name)
    active = FittedHead.objects.filter(workspace_id=due.workspace_id, name=due.name, state="active").first()
    counted_to = newest_row(due.workspace_id, due.name)
    lesson = lesson_of(due.workspace_id, due.name, now)
    if len(lesson.labels) < FIRST_LABELS:
        return due.name == TOPIC and active is not None and _take_away(active)
    fitted = child.fit(due.name, lesson.rows, bytes(active.body) if active else b"", lesson.own_rows)
    why = reason_to_refuse(fitted, lesson, active)
    row = FittedHead(
        workspace_id=due.workspace_id,
        name=due.name,
        version=before + 1,
        state="refused" if why else "active",
        body=fitted.body,
        card=fitted.card,
        own_rows=lesson.own_rows,
        counted_to=counted_to,
        accuracy_before=fitted.accuracy_before,
        why=why,
        message_ids=list(lesson.message_ids),
        made_at=now,
    )
    return _keep(row, active)


def reason_to_refuse(fitted: Fitted, lesson: Lesson, active: FittedHead | None) -> str:
    """'' when the new head may be used, else a code. All figures are of rows held out from whoever guessed them.

    The active head has seen most of the rows, so that its accuracy on them flatters it: the bar is that or what its own held-out
    rows gave, whichever is lower. Other labels than before make another task: then it must beat saying the commonest label. A first
    head is compared with the shipped one, on what people here said only: that has learned the seeds by heart.
    """
    accuracy = number_of(fitted.card, "accuracy")
    if active is None:
        return "below_shipped" if _is_below_shipped(fitted) else ""
    if set(_labels(active.card)) != set(lesson.labels):
        return "below_commonest" if accuracy < _commonest(lesson.rows) - MARGIN else ""
    known = [fitted.accuracy_before, number_of(active.card, "accuracy")]
    bar = min((one for one in known if one is not None), default=0.0)
    return "below_active" if accuracy < bar - MARGIN else ""


def _is_below_shipped(fitted: Fitted) -> bool:
    own, shipped = fitted.accuracy_own, fitted.accuracy_before
    return own is not None and shipped is not None and own < shipped - MARGIN


def number_of(card: dict[str, object], name: str) -> float:
    """A figure of a card, 0 where it is missing."""
    found = card.get(name, 0.0)
    return float(found) if isinstance(found, int | float) else 0.0


def _labels(card: dict[str, object]) -> list[str]:
    found = card.get("labels", [])
    return [str(one) for one in found] if isinstance(found, list | tuple) else []


def _commonest(rows: Iterable[tuple[str, str]]) -> float:
    labels = [label for _text, label in rows]
    return max(labels.count(label) for label in set(labels)) / len(labels)


def _newest(workspace_id: int, name: str) -> int:
    versions = FittedHead.objects.filter(workspace_id=workspace_id, name=name)
    return int(versions.aggregate(newest=Max("version"))["newest"] or 0)


def _keep(row: FittedHead, fitted_against: FittedHead | None) -> bool:
    """One unit of work. Nothing is kept where another worker was first, a person went back meanwhile, or words are gone."""
    try:
        with unit_of_work() as work:
            versions = FittedHead.objects.filter(workspace_id=row.workspace_id, name=row.name)
            known = list(versions.select_for_update().order_by("id").values_list("id", "version", "state"))
            active_id = next((one_id for one_id, _version, state in known if state == "active"), None)
            newest = max((version for _id, version, _state in known), default=0)
            if not still_said(row.message_ids):
                return False
            if newest != row.version - 1 or active_id != (fitted_against.id if fitted_against else None):
                return False
            if row.state == "active":
                versions.filter(state="active").update(state="earlier")
            row.save(force_insert=True)
            old = versions.filter(version__lte=row.version - KEPT_VERSIONS).exclude(state="active")
            old.delete()
            facts = {"name": row.name, "version": row.version, "state": row.state}
            work.record_event(row.workspace_id, "triage.learned", facts=facts)
    except IntegrityError:  # the same version, by another worker, in the same moment
        return False
    FITTED.labels(row.state).inc()
    return True


def _take_away(active: FittedHead) -> bool:
    """No topic is left to tell from another: the head rests."""
    with unit_of_work() as work:
        changed = FittedHead.objects.filter(id=active.id, state="active").update(state="earlier")
        facts = {"name": active.name, "version": 0, "state": "active"}
        work.record_event(active.workspace_id, "triage.learned", facts=facts)
    return bool(changed)
