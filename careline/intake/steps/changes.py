"""Edits, deletions, receipts, reactions, reach and lost access. A change that came before its message waits for it, for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from careline.cases.forgetting import refresh_cases
from careline.channels import alerting
from careline.channels.base import AccessLost, Counted, Deleted, Edited, Happening, Moved, Reacted, ReceiptSeen
from careline.intake.batch import Batch, ChangeItem
from careline.outbox import receipts
from careline.outbox.models import Delivery
from careline.threads import editing
from careline.threads.models import Message, MessageAlias, Thread, Tombstone
from careline.threads.starting import move_thread

WAITS_FOR: Final = timedelta(minutes=10)


def changes(batch: Batch) -> None:
    """Apply every change in order. A few statements each: changes are rare beside messages."""
    for item in batch.changes:
        if not _apply(batch, item, item.happening) and not _give_up(batch, item):
            batch.waits.add(item.row.id)
    if batch.reworded:
        refresh_cases(batch.work, list(batch.reworded.values()))


def _apply(batch: Batch, item: ChangeItem, happening: Happening) -> bool:
    """Whether the change found what it is about."""
    match happening:
        case Edited():
            message = _find(item, happening.platform_id)
            if message is not None:
                _note(batch, item, message)
                _name(message, happening.aliases)
                if editing.apply_edit(batch.work, message, text=happening.text, html=happening.html, at=happening.at):
                    batch.reworded[message.id] = message
            return message is not None
        case Deleted():
            return _delete(batch, item, happening)
        case ReceiptSeen():
            return receipts.apply_receipt(batch.work, item.row.channel_id, happening)
        case Reacted():
            message = _find(item, happening.platform_id)
            if message is not None:
                editing.apply_reaction(batch.work, message, author_key=happening.author.key, emoji=happening.emoji)
            return message is not None
        case Counted():
            _count(batch, item, happening)
            return True
        case Moved():
            _move(batch, item, happening)
            return True
        case AccessLost():
            alerting.record_unauthorised(item.row.channel_id, "access_lost", happening.reason[:200], work=batch.work)
            return True
        case _:
            return True


def _name(message: Message, aliases: tuple[str, ...]) -> None:
    rows = [MessageAlias(channel_id=message.channel_id or 0, platform_id=one[:400], message=message) for one in aliases]
    MessageAlias.objects.bulk_create(rows, ignore_conflicts=True)


def _count(batch: Batch, item: ChangeItem, counted: Counted) -> None:
    """Reach only grows: platforms count in several places at once."""
    seen = Thread.objects.filter(channel_id=item.row.channel_id, key=counted.thread_key, reach__lt=counted.reach)
    for thread_id in list(seen.values_list("id", flat=True)):
        Thread.objects.filter(id=thread_id).update(reach=counted.reach)
        batch.work.record_event(item.row.workspace_id, "thread.changed", thread_id=thread_id)


def _move(batch: Batch, item: ChangeItem, moved: Moved) -> None:
    """What waits to be sent in the thread goes with it."""
    twin = Thread.objects.filter(channel_id=item.row.channel_id, key=moved.to).values_list("id", flat=True).first()
    standing = move_thread(batch.work, item.row.channel_id, moved.thread_key, moved.to)
    if standing is not None and twin is not None and twin != standing.id:
        Delivery.objects.filter(thread_id=twin).update(thread_id=standing.id)


def _delete(batch: Batch, item: ChangeItem, deleted: Deleted) -> bool:
    """The grave is dug even when the message is not here yet: should it arrive late, it must not speak."""
    message = _find(item, deleted.platform_id)
    Tombstone.objects.bulk_create(
        [
            Tombstone(
                workspace_id=item.row.workspace_id,
                channel_id=item.row.channel_id,
                platform_id=deleted.platform_id[:400],
            )
        ],
        ignore_conflicts=True,
    )
    if message is not None:
        editing.apply_deletion(batch.work, message, at=deleted.at)
        batch.reworded[message.id] = message
        _note(batch, item, message)
    return True


def _note(batch: Batch, item: ChangeItem, message: Message) -> None:
    """Tie the row to its message: what was said about a deleted message must not stay in the journal either."""
    batch.about[item.row.id] = message.id
    if message.deleted_at is not None:
        batch.silenced.add(message.id)


def _find(item: ChangeItem, platform_id: str) -> Message | None:
    found = (
        Message.objects.select_for_update(of=("self",))
        .filter(channel_id=item.row.channel_id, platform_id=platform_id[:400])
        .first()
    )
    if found is not None:
        return found
    alias = (
        MessageAlias.objects.select_related("message")
        .filter(channel_id=item.row.channel_id, platform_id=platform_id[:400])
        .first()
    )
    return alias.message if alias else None


def _give_up(batch: Batch, item: ChangeItem) -> bool:
    if batch.now - item.row.received_at < WAITS_FOR:
        return False
    batch.reasons[item.row.id] = "target_unknown"
    return True
