"""Acts on messages that stand (hide, like, react, delete ours, and back): written down, claimed one a message, settled.

The same steps as a delivery's: nothing touches the wire before its attempt is committed, and "done" is what the platform
said. Where the surface declares its acts repeatable an unknown outcome is repeated; else a person is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

import msgspec
from django.db.models import Q

from careline.channels import access, registry
from careline.channels.base import Moderated, ModerationAct, ModerationVerb, Outgoing
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.clocks import leases
from careline.errors import ChannelError
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock, crashing, ids
from careline.outbox.claiming import SENDABLE, outbound_rules, take_token
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery, Moderation, ModerationAttempt
from careline.outbox.settling import backoff_s, detail_of, slow_down
from careline.threads import editing
from careline.threads.models import Message
from careline.threads.starting import wire_key
from careline.workspaces.models import Installation

CLAIM_LIMIT: Final = 20
INVERSE: Final[dict[str, ModerationVerb]] = {
    "hide": "unhide",
    "unhide": "hide",
    "like": "unlike",
    "unlike": "like",
    "react": "unreact",
    "unreact": "react",
    "edit": "edit",
}
_OPEN: Final = ("held", "queued", "sending")


@dataclass(frozen=True)
class ModerationClaim:
    """An act this process may try once: its attempt is committed."""

    moderation_id: int
    attempt_id: int
    attempt: int
    channel_id: int


@dataclass(frozen=True)
class WantedAct:
    """What is to be done to one post: `emoji` with reactions, `text` with an edit."""

    verb: ModerationVerb
    platform_id: str
    emoji: str = ""
    text: str = ""


def queue_moderation(
    work: UnitOfWork, message: Message, wanted: WantedAct, *, agent_id: int, case_id: int, undo_s: int = 0
) -> Moderation:
    """Inside a unit of work: an act that goes out after `undo_s` seconds."""
    row = Moderation.objects.create(
        workspace_id=message.workspace_id,
        channel_id=message.channel_id or 0,
        case_id=case_id,
        message=message,
        agent_id=agent_id,
        verb=wanted.verb,
        platform_id=wanted.platform_id[:400],
        emoji=wanted.emoji[:16],
        text=wanted.text,
        state="held" if undo_s else "queued",
        not_before=clock.now() + timedelta(seconds=undo_s),
        idempotency_key=ids.new_token(),
    )
    record_moderation(work, row)
    return row


def claim_due_moderations(limit: int = CLAIM_LIMIT) -> list[ModerationClaim]:
    """Take due acts, the earliest of each message, as far as windows of rate allow. One transaction."""
    now = clock.now()
    if not _due(now).exists() or Installation.objects.filter(is_held=True).exists():
        return []
    with unit_of_work() as work:
        due = list(_due(now).select_for_update(skip_locked=True, of=("self",)).order_by("id")[:limit])
        first = _first_of_each_message(due)
        channels = access.channels_by_id(sorted({row.channel_id for row in first}))
        claims = _start(work, [row for row in first if _may_go(row, channels[row.channel_id], now)], now)
    crashing.pass_point("moderate.attempt_committed")
    return claims


def _due(now: datetime):  # type: ignore[no-untyped-def] # a queryset of Moderation
    open_channels = Channel.objects.filter(state__in=SENDABLE, held_at__isnull=True).filter(
        Q(open_until__isnull=True) | Q(open_until__lte=now)
    )
    return Moderation.objects.filter(
        state__in=["queued", "held"], not_before__lte=now, channel_id__in=open_channels.values("id")
    )


def _first_of_each_message(due: Iterable[Moderation]) -> list[Moderation]:
    """Hiding and showing again must not overtake each other: only the earliest open act of a message may go."""
    candidates = list(due)
    earliest: dict[int, int] = {}
    rows = Moderation.objects.filter(message_id__in={row.message_id for row in candidates}, state__in=_OPEN)
    for message_id, row_id in rows.order_by("-id").values_list("message_id", "id"):
        earliest[message_id] = row_id
    return [row for row in candidates if earliest.get(row.message_id) == row.id]


def _may_go(row: Moderation, channel: Channel, now: datetime) -> bool:
    """Acts count against the limits of the app and the account."""
    scopes = {"app": channel.connection_id, "account": channel.id}
    waits = [
        take_token(f"{limit.scope}:{scopes[limit.scope]}:{limit.n}/{limit.per_s:g}", limit, now)
        for limit in outbound_rules(channel).limits
        if limit.scope in scopes
    ]
    wait_s = max(waits, default=0.0)
    if wait_s > 0:
        Moderation.objects.filter(id=row.id).update(not_before=now + timedelta(seconds=wait_s))
    return wait_s <= 0


def _start(work: UnitOfWork, rows: list[Moderation], now: datetime) -> list[ModerationClaim]:
    attempts = [
        ModerationAttempt(
            workspace_id=row.workspace_id, moderation=row, number=row.tries + 1, owner=leases.OWNER, started_at=now
        )
        for row in rows
    ]
    ModerationAttempt.objects.bulk_create(attempts)
    for row in rows:
        row.state, row.tries = "sending", row.tries + 1
        record_moderation(work, row)
    Moderation.objects.bulk_update(rows, ["state", "tries"])
    return [ModerationClaim(one.moderation_id, one.id, one.number, one.moderation.channel_id) for one in attempts]


def record_moderation(work: UnitOfWork, row: Moderation) -> None:
    """The event of an act's new state."""
    work.record_event(
        row.workspace_id,
        "message.moderated",
        message_id=row.message_id,
        case_id=row.case_id,
        thread_id=row.message.thread_id,
        channel_id=row.channel_id,
        agent_id=row.agent_id,
        facts={"verb": row.verb, "state": row.state},
    )


def load_act(claim: ModerationClaim) -> ModerationAct:
    """The act as its network wants it. Two statements."""
    row = Moderation.objects.select_related("message", "message__thread").get(id=claim.moderation_id)
    thread = row.message.thread
    return ModerationAct(
        verb=cast(ModerationVerb, row.verb),
        platform_id=row.platform_id,
        surface=row.message.surface,
        thread_key=wire_key(thread) if thread else "",
        idempotency_key=row.idempotency_key,
        attempt=claim.attempt,
        emoji=row.emoji,
        mark=_mark_to_undo(row),
    )


def load_edit(claim: ModerationClaim) -> tuple[str, Outgoing]:
    """The platform's id of our message, and the message with its new words. Raises ChannelError where it was deleted meanwhile. Eleven statements
    at most.
    """
    row = Moderation.objects.select_related("message").get(id=claim.moderation_id)
    if row.message.deleted_at is not None:
        raise ChannelError("message_gone", "Our message does not stand any more.", permanent=True)
    delivery_id = (
        Delivery.objects.filter(message_id=row.message_id, platform_id=row.platform_id)
        .values_list("id", flat=True)
        .get()
    )
    outgoing = load_outgoing(delivery_id, claim.attempt)
    changed = msgspec.structs.replace(
        outgoing, text=row.text, html="", files=(), template=None, idempotency_key=row.idempotency_key
    )
    return row.platform_id, changed


def _mark_to_undo(row: Moderation) -> str:
    """What the platform called the like or reaction that this act takes back."""
    done = Moderation.objects.filter(message_id=row.message_id, verb=INVERSE.get(row.verb, ""), state="done")
    return done.order_by("-id").values_list("mark", flat=True).first() or ""


def settle_moderated(claim: ModerationClaim, moderated: Moderated) -> None:
    """The platform did it: the message shows it."""
    with unit_of_work() as work:
        _finish(work, claim.moderation_id, moderated.mark)
        _end_attempt(claim, "sent")
        Channel.objects.filter(id=claim.channel_id).update(last_out_at=clock.now(), fail_count=0, open_until=None)


def _finish(work: UnitOfWork, moderation_id: int, mark: str = "") -> None:
    row = Moderation.objects.select_related("message").get(id=moderation_id)
    if row.verb == "edit":
        editing.apply_edit(work, row.message, text=row.text, at=clock.now())
    if row.verb == "delete":
        # Before the row is locked: a deletion locks its case, and cases come before everything else.
        _delete_words(work, row)
    row = _lock(moderation_id)
    if row.state in {"done", "cancelled"}:
        return
    row.state, row.done_at, row.error_code, row.error_detail = "done", clock.now(), "", ""
    row.mark, row.text = mark[:400] or row.mark, ""
    row.save(update_fields=["state", "done_at", "error_code", "error_detail", "mark", "text"])
    _show(work, row)
    record_moderation(work, row)


def _delete_words(work: UnitOfWork, row: Moderation) -> None:
    """Words go when the last post of the message is gone; each post that is gone has its tombstone at once."""
    editing.bury(row.workspace_id, [(row.channel_id, row.platform_id)], "ours")
    still_there = Moderation.objects.filter(message=row.message, verb="delete").exclude(id=row.id)
    if not still_there.exclude(state="done").exists():
        editing.apply_deletion(work, row.message, at=clock.now())


def _show(work: UnitOfWork, row: Moderation) -> None:
    message = Message.objects.select_for_update().get(id=row.message_id)
    match row.verb:
        case "hide" | "unhide":
            message.hidden_at = row.done_at if row.verb == "hide" else None
        case "like" | "unlike":
            message.liked_at = row.done_at if row.verb == "like" else None
        case "react" | "unreact":
            emoji = row.emoji if row.verb == "react" else ""
            editing.apply_reaction(work, message, author_key=our_key(row.channel_id), emoji=emoji)
            return
        case _:
            return
    message.version += 1
    message.save(update_fields=["hidden_at", "liked_at", "version"])


def our_key(channel_id: int) -> str:
    """The key of our own account, under which our reactions are kept and come back."""
    return Channel.objects.filter(id=channel_id).values_list("account_key", flat=True).first() or "us"


def settle_moderation_error(claim: ModerationClaim, error: ChannelError) -> None:
    """Judge a failed attempt, as of a delivery."""
    row = Moderation.objects.select_related("message").get(id=claim.moderation_id)
    channel = access.channels_by_id([row.channel_id])[row.channel_id]
    with unit_of_work() as work:
        row = _lock(claim.moderation_id)
        _end_attempt(claim, "unknown" if error.outcome_unknown else "failed", error)
        if row.state != "sending":
            return
        slow_down(row.channel_id, error)
        row.error_code, row.error_detail = error.code[:60], detail_of(error)
        _judge(row, error, channel)
        if row.message.deleted_at is not None:
            row.text = ""
        row.save(update_fields=["state", "error_code", "error_detail", "not_before", "text"])
        record_moderation(work, row)


def _judge(row: Moderation, error: ChannelError, channel: Channel) -> None:
    if error.outcome_unknown and not is_repeatable(row, channel):
        row.state = "unknown"
    elif error.permanent:
        row.state = "failed"
    elif error.unauthorised:
        row.state = "queued"
    elif row.tries >= outbound_rules(channel).max_tries:
        row.state = "failed"
    else:
        row.state = "queued"
        row.not_before = clock.now() + timedelta(seconds=backoff_s(row.tries, error.retry_after_s))


def is_repeatable(row: Moderation, channel: Channel) -> bool:
    """Whether an act whose outcome nobody knows may be done again; the same words twice are the same words."""
    found = surface_rules(row.message.surface, channel)
    return row.verb == "edit" or (found is not None and found.moderation.repeatable)


def surface_rules(name: str, channel: Channel) -> Surface | None:
    """The rules of a surface of this account; None where it has no such surface."""
    surfaces = registry.network(channel.network).effective(access.view_channel(channel)).surfaces
    return next((one for one in surfaces if one.name == name), None)


def abandoned_moderations() -> list[ModerationAttempt]:
    """Open attempts of other senders, alive or dead."""
    open_ones = ModerationAttempt.objects.filter(ended_at__isnull=True, moderation__state="sending")
    return list(open_ones.exclude(owner=leases.OWNER).select_related("moderation", "moderation__message"))


def settle_abandoned_moderation(attempt: ModerationAttempt) -> None:
    """The sender died with this one on the wire: it may have been done."""
    row = attempt.moderation
    channel = access.channels_by_id([row.channel_id])[row.channel_id]
    again = is_repeatable(row, channel)
    with unit_of_work() as work:
        row = _lock(row.id)
        if row.state != "sending":
            return
        ModerationAttempt.objects.filter(moderation=row, ended_at__isnull=True).update(
            ended_at=clock.now(), outcome="abandoned", error_code="sender_died"
        )
        row.state, row.error_code = ("queued", "") if again else ("unknown", "sender_died")
        row.not_before = clock.now()
        row.save(update_fields=["state", "error_code", "not_before"])
        record_moderation(work, row)


def _lock(moderation_id: int) -> Moderation:
    return Moderation.objects.select_for_update(of=("self",)).select_related("message").get(id=moderation_id)


def _end_attempt(claim: ModerationClaim, outcome: str, error: ChannelError | None = None) -> None:
    ModerationAttempt.objects.filter(id=claim.attempt_id).update(
        ended_at=clock.now(),
        outcome=outcome,
        error_code=error.code[:60] if error else "",
        error_detail=detail_of(error) if error else "",
    )


def forget_words(message_ids: Collection[int]) -> None:
    """Inside a unit of work: what acts on these messages say goes, and an edit that has not left never does. Three statements."""
    acts = Moderation.objects.filter(message_id__in=message_ids)
    acts.filter(verb="edit", state__in=["held", "queued"]).update(state="cancelled")
    acts.update(emoji="", text="", error_detail="")
    ModerationAttempt.objects.filter(moderation__message_id__in=message_ids).update(error_detail="")


def cancel_moderation(work: UnitOfWork, row: Moderation) -> bool:
    """Inside a unit of work: take back what has not left. False once a sender has it."""
    if row.state not in {"held", "queued"} or row.tries:
        return False
    row.state, row.text = "cancelled", ""
    row.save(update_fields=["state", "text"])
    record_moderation(work, row)
    return True


def retry_moderation(work: UnitOfWork, row: Moderation) -> None:
    """Inside a unit of work: a failed or unknown one goes out again, now."""
    row.state, row.not_before, row.error_code, row.error_detail = "queued", clock.now(), "", ""
    row.save(update_fields=["state", "not_before", "error_code", "error_detail"])
    record_moderation(work, row)


def resolve_moderation(work: UnitOfWork, row: Moderation) -> None:
    """Inside a unit of work: a person looked on the platform, and it was done."""
    _finish(work, row.id)
