"""Dead letters: what could not be digested, kept raw with its reason; shown, revealed to admins, and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from careline.channels.models import Channel
from careline.errors import InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.intake.models import JournalRow
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

PAGE = 100
MOST_AT_ONCE = 10_000


@dataclass(frozen=True)
class DeadLetter:
    """A journal row that died, without its raw bytes. `reason` is a code, `detail` says where it failed."""

    id: int
    channel_id: int
    reason: str
    detail: str
    received_at: datetime
    attempts: int
    size_bytes: int
    is_purged: bool


@dataclass(frozen=True)
class DeadRange:
    """A range to replay: everything of a channel received from `first_at` to `last_at`, both included; None is open."""

    channel_id: int
    first_at: datetime | None = None
    last_at: datetime | None = None
    reason: str = ""


def list_dead(
    workspace_id: int, channel_id: int, *, before_id: int | None = None, limit: int = PAGE
) -> list[DeadLetter]:
    """A channel's dead letters, newest first. A foreign channel has none. One statement."""
    rows = _dead(workspace_id).filter(channel_id=channel_id)
    rows = rows.filter(id__lt=before_id) if before_id else rows
    return [_letter(row) for row in rows.order_by("-id")[:limit]]


def count_dead(workspace_id: int) -> dict[int, int]:
    """Dead letters by channel. One statement."""
    counted = _dead(workspace_id).values("channel_id").annotate(n=Count("id")).order_by()
    return {row["channel_id"]: row["n"] for row in counted}


def replay(viewer: Viewer, which: Sequence[int] | DeadRange) -> int:
    """Give dead letters to the digest again, from their first attempt. Returns how many. Audited.

    Purged ones cannot be replayed and are left. Raises Forbidden; NotFound when a named letter is foreign or no
    longer dead.
    """
    check_may(viewer.role, "replay")
    with unit_of_work() as work:
        chosen = _choose(viewer.workspace_id, which)
        ids = list(chosen.select_for_update().order_by("id").values_list("id", flat=True)[:MOST_AT_ONCE])
        if not ids:
            raise NotFound("dead_letter_not_found", _("There is nothing to replay: these are no longer dead letters."))
        channel_ids = sorted(set(JournalRow.objects.filter(id__in=ids).values_list("channel_id", flat=True)))
        JournalRow.objects.filter(id__in=ids).update(
            state=JournalRow.NEW, attempts=0, reason="", detail="", digested_at=None
        )
        record_audit(
            work,
            "dead_letters_replayed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"channel:{channel_ids[0]}",
            facts={"count": len(ids), "first": ids[0], "last": ids[-1]},
        )
        for channel_id in channel_ids:
            work.record_event(viewer.workspace_id, "channel.changed", channel_id=channel_id, facts={"what": "replayed"})
        transaction.on_commit(_wake_digest)
    return len(ids)


def reveal(viewer: Viewer, letter_id: int) -> bytes:
    """The raw bytes as the platform sent them, for an admin; every look is audited. Raises NotFound when foreign or
    purged.
    """
    check_may(viewer.role, "replay")
    row = JournalRow.objects.filter(id=letter_id, workspace_id=viewer.workspace_id, state=JournalRow.DEAD).first()
    if row is None or row.purged_at is not None:
        raise NotFound("dead_letter_not_found", _("This dead letter does not exist any more."))
    with unit_of_work() as work:
        record_audit(
            work,
            "dead_letter_revealed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            subject=f"journal:{row.id}",
            facts={"channel": row.channel_id},
        )
    return bytes(row.raw)


def check_range(viewer: Viewer, channel_id: int, first_at: datetime | None, last_at: datetime | None) -> DeadRange:
    """A range of the viewer's own channel.

    Raises NotFound for a foreign one, InputRefused when it ends before it begins.
    """
    if not Channel.objects.filter(id=channel_id, workspace_id=viewer.workspace_id).exists():
        raise NotFound("channel_not_found", _("There is no such channel here."))
    if first_at and last_at and last_at < first_at:
        raise InputRefused("range_wrong", _("The end lies before the beginning."), field="last_at")
    return DeadRange(channel_id, first_at, last_at)


def _choose(workspace_id: int, which: Sequence[int] | DeadRange) -> QuerySet[JournalRow]:
    rows = _dead(workspace_id).filter(purged_at__isnull=True)
    if not isinstance(which, DeadRange):
        return rows.filter(id__in=list(which)[:MOST_AT_ONCE])
    rows = rows.filter(channel_id=which.channel_id)
    rows = rows.filter(received_at__gte=which.first_at) if which.first_at else rows
    rows = rows.filter(received_at__lte=which.last_at) if which.last_at else rows
    return rows.filter(reason=which.reason) if which.reason else rows


def _dead(workspace_id: int) -> QuerySet[JournalRow]:
    return JournalRow.objects.filter(workspace_id=workspace_id, state=JournalRow.DEAD)


def _letter(row: JournalRow) -> DeadLetter:
    is_purged = row.purged_at is not None
    return DeadLetter(
        row.id, row.channel_id, row.reason, row.detail, row.received_at, row.attempts, len(bytes(row.raw)), is_purged
    )


def _wake_digest() -> None:
    from careline.intake import digest_wake

    digest_wake.wake()
