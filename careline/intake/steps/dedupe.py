"""Once: what is here already, in the database or earlier in this batch, is not written again; what its author deleted stays deleted."""

from __future__ import annotations

from django.db.models import Q

from careline.intake.batch import Batch, SaidItem
from careline.threads.models import Message, MessageAlias, Tombstone


def dedupe(batch: Batch) -> None:
    """Drop known messages from `batch.said`. Three statements."""
    if not batch.said:
        return
    wanted = _by_channel(batch.said)
    known = _known(wanted)
    fresh: list[SaidItem] = []
    for item in batch.said:
        key = (item.row.channel_id, item.said.platform_id[:400])
        if key in known:
            batch.reasons[item.row.id] = known[key]
        else:
            known[key] = "duplicate"
            fresh.append(item)
    batch.said = fresh


def _by_channel(items: list[SaidItem]) -> Q:
    keys: dict[int, list[str]] = {}
    for item in items:
        keys.setdefault(item.row.channel_id, []).append(item.said.platform_id[:400])
    wanted = Q()
    for channel_id, platform_ids in keys.items():
        wanted |= Q(channel_id=channel_id, platform_id__in=platform_ids)
    return wanted


def _known(wanted: Q) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    for rows, reason in (
        (Message.objects, "duplicate"),
        (MessageAlias.objects, "duplicate"),
        (Tombstone.objects, "deleted_by_author"),
    ):
        for channel_id, platform_id in rows.filter(wanted).values_list("channel_id", "platform_id"):
            found[(channel_id or 0, platform_id or "")] = reason
    return found
