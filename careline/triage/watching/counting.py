"""Five-minute counts per unit, added in the transaction that keeps the verdicts, once a message whatever is judged again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from careline.channels.models import Channel
from careline.kit import ids
from careline.triage.models import Judgement
from careline.triage.protocol import UNKNOWN, Verdict
from careline.triage.telling import JudgedMessage

BUCKET_S: Final = 300
UnitKey = tuple[str, str, str]
"""(place, topic, language), as in Bucket"""


def count_judged(workspace_id: int, judged: Sequence[JudgedMessage]) -> None:
    """Inside the unit of work that keeps the verdicts, before their rows are written. A message with a judgement was counted with it, by
    what it said then; what came before we listened and what machines wrote count for nothing. Three statements.
    """
    fresh = [one for one in judged if not one.message.is_history and not one.message.automatic]
    known = set(
        Judgement.objects.filter(message_id__in=[one.message.id for one in fresh]).values_list("message_id", flat=True)
    )
    fresh = [one for one in fresh if one.message.id not in known]
    places = places_of(workspace_id, {one.message.channel_id for one in fresh if one.message.channel_id})
    counts: dict[tuple[UnitKey, datetime], list[int]] = defaultdict(lambda: [0, 0])
    for one in fresh:
        began_at = bucket_of(one.message.received_at)
        for unit in unit_keys(places.get(one.message.channel_id or 0, ()), one.judged.verdicts):
            cell = counts[unit, began_at]
            cell[0] += 1
            cell[1] += is_negative(one.judged.verdicts)
    _add(workspace_id, [(*unit, began_at, cell[0], cell[1]) for (unit, began_at), cell in counts.items()])


def places_of(workspace_id: int, channel_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """(place of the brand, place of the channel) by channel. A channel is the place for now, whatever its surface. One statement."""
    if not channel_ids:
        return {}
    found = Channel.objects.filter(workspace_id=workspace_id, id__in=channel_ids)
    return {
        channel_id: (f"{'practice' if is_simulated else 'brand'}:{brand_id}", f"channel:{channel_id}")
        for channel_id, brand_id, is_simulated in found.values_list("id", "brand_id", "is_simulated")
    }


def unit_keys(places: Sequence[str], verdicts: Iterable[Verdict]) -> list[UnitKey]:
    """The units a message counts in: the brand as a whole, and topic x channel x language. None without a channel."""
    if not places:
        return []
    brand, channel = places
    return [(brand, "", ""), (channel, said(verdicts, "topic"), said(verdicts, "language"))]


def said(verdicts: Iterable[Verdict], name: str) -> str:
    """The value of a verdict, '' where nothing or nothing certain is said."""
    value = next((one.value for one in verdicts if one.name == name), "")
    return "" if value in {UNKNOWN, "und"} else value[:12] if name == "language" else value[:24]


def is_negative(verdicts: Iterable[Verdict]) -> bool:
    """Whether the customer was unhappy."""
    return said(verdicts, "sentiment") == "negative"


def bucket_of(at: datetime) -> datetime:
    """The beginning of its five minutes, in UTC."""
    return datetime.fromtimestamp(at.timestamp() // BUCKET_S * BUCKET_S, UTC)


def _add(workspace_id: int, rows: Sequence[tuple[str, str, str, datetime, int, int]]) -> None:
    """One statement; rows are sorted, so that batches that overlap cannot deadlock."""
    if not rows:
        return
    values: list[Any] = []
    for place, topic, language, began_at, count, negative in sorted(rows, key=lambda row: row[:4]):
        stamp = connection.ops.adapt_datetimefield_value(began_at)
        values += [ids.new_id(), workspace_id, place, topic, language, stamp, count, negative]
    marks = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO triage_bucket (id, workspace_id, place, topic, language, began_at, count, negative)"  # noqa: S608 - only marks are joined
            f" VALUES {marks} ON CONFLICT (workspace_id, place, topic, language, began_at) DO UPDATE SET"
            " count = triage_bucket.count + excluded.count, negative = triage_bucket.negative + excluded.negative",
            values,
        )
