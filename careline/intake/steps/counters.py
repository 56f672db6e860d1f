"""Counters last: hourly rollups, the channel's last contact, notices for assignees, and the events that tell everybody."""

from __future__ import annotations

from collections import Counter as Tally

from django.db.models import F

from careline.cases.counting import Counted, count
from careline.cases.models import Notice
from careline.cases.queries.visible import audience_columns, audience_names, readers_of
from careline.channels.models import Channel
from careline.intake.batch import Batch, SaidItem
from careline.threads import editing


def counters(batch: Batch) -> None:
    """Four statements at most, then the events of the batch."""
    heard = [item for item in batch.said if not item.said.author.is_us]
    _count(batch, heard)
    if batch.rows:
        Channel.objects.filter(id__in={row.channel_id for row in batch.rows}).update(
            last_in_at=batch.now, last_contact_at=batch.now
        )
    _count_unknown(batch)
    _notify(batch, heard)
    readers = readers_of({item.case.id for item in batch.said if item.case is not None}) if batch.said else {}
    for item in batch.said:
        _record(batch, item, _audience(item, readers))
    editing.tell_threads(batch.work, [item.message for item in batch.said if item.message is not None])


def _count(batch: Batch, heard: list[SaidItem]) -> None:
    happened: list[Counted] = []
    opened: set[int] = set()
    for item in heard:
        if item.said.is_history:
            continue
        happened.append(Counted("received", item.row.workspace_id, item.row.channel_id, batch.now))
        if item.case is not None and item.case.id in batch.new_cases and item.case.id not in opened:
            opened.add(item.case.id)
            happened.append(Counted("opened", item.row.workspace_id, item.row.channel_id, batch.now))
    count(happened)


def _count_unknown(batch: Batch) -> None:
    """Events of kinds this version does not know, so that an administrator sees that a platform says more than we hear. Rare; one statement a channel."""
    channels = Tally(row.channel_id for row in batch.rows if batch.reasons.get(row.id) == "unknown_event")
    for channel_id, number in sorted(channels.items()):
        Channel.objects.filter(id=channel_id).update(unknown_events=F("unknown_events") + number)


def _notify(batch: Batch, heard: list[SaidItem]) -> None:
    notices = {}
    for item in heard:
        if item.case is not None and item.case.assignee_id and not item.said.is_history and not item.said.automatic:
            notices[item.case.id] = Notice(
                workspace_id=item.row.workspace_id, agent_id=item.case.assignee_id, case_id=item.case.id, what="reply"
            )
    Notice.objects.bulk_create(notices.values())
    for notice in notices.values():
        batch.work.record_event(
            notice.workspace_id,
            "agent.notified",
            audience=f"only:agent:{notice.agent_id}",
            case_id=notice.case_id,
            agent_id=notice.agent_id,
            facts={"what": "reply"},
        )


def _audience(item: SaidItem, readers: dict[int, list[int]]) -> str:
    case = item.case
    if case is None:
        return f"team:{item.channel.row.team_id or 0}"
    # The first column's worth: the row itself, which streams judge by, names every reader.
    return audience_columns(audience_names(case.team_id, case.assignee_id, readers.get(case.id, [])))[0]


def _record(batch: Batch, item: SaidItem, audience: str) -> None:
    if item.case is not None and item.case.id in batch.new_cases:
        batch.new_cases.discard(item.case.id)
        _event(batch, item, "case.opened", audience)
    _event(batch, item, "message.echoed" if item.said.author.is_us else "message.received", audience)


def _event(batch: Batch, item: SaidItem, kind: str, audience: str) -> None:
    batch.work.record_event(
        item.row.workspace_id,
        kind,
        audience=audience,
        case_id=item.case.id if item.case else None,
        thread_id=item.thread.id if item.thread else None,
        message_id=item.message.id if item.message else None,
        person_id=item.person.id if item.person else None,
        channel_id=item.row.channel_id,
        version=item.case.version if item.case else 0,
    )
