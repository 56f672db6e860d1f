"""`trace`: every room a message passed, with time and error, from any id that names it. No message text leaves here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from careline.channels.models import Channel
from careline.errors import NotFound
from careline.events.models import Event
from careline.intake.models import JournalRow
from careline.outbox.models import Attempt, Delivery
from careline.threads.models import Message, MessageAlias

MOST_ROWS = 200


@dataclass(frozen=True)
class Step:
    """One thing that happened.

    `room` is journal, digest, message, delivery, attempt or event; `error` is empty when it went well.
    """

    at: datetime
    room: str
    what: str
    row_id: int
    error: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """Everything known of one message, oldest first. Ids are 0 where there is no such row (yet)."""

    workspace_id: int
    asked: str
    message_id: int
    case_id: int
    channel_id: int
    channel_name: str
    network: str
    steps: tuple[Step, ...]


def trace(reference: str, *, workspace_id: int | None = None) -> Trace:
    """Follow a message by journal, message, delivery or event id, platform id or event key. At most 12 statements.

    With `workspace_id` only rows of that workspace are found (screens, API); without, all (the command). Raises
    NotFound.
    """
    wanted = reference.strip()
    messages = _find_messages(wanted, workspace_id)
    journal = _find_journal(wanted, workspace_id, messages)
    messages = messages or _messages_of(journal, workspace_id)
    deliveries = _find_deliveries(wanted, workspace_id, messages)
    messages = messages or _messages_by_id({row.message_id for row in deliveries}, workspace_id)
    if not (messages or journal or deliveries):
        raise NotFound("trace_not_found", f"Nothing here is known by {wanted[:80]!r}.")
    return _assemble(wanted, messages, journal, deliveries)


def _find_messages(wanted: str, workspace_id: int | None) -> list[Message]:
    channels = _channel_ids(workspace_id)  # both keys are indexed behind their channel
    aliased = MessageAlias.objects.filter(channel_id__in=channels, platform_id=wanted).values_list(
        "message_id", flat=True
    )
    match = Q(channel_id__in=channels, platform_id=wanted) | Q(id__in=list(aliased))
    match = match | Q(id=int(wanted)) if _is_id(wanted) else match
    found = Message.objects.filter(match, **_within(workspace_id))
    return list(found.defer("text", "html", "quoted_text").order_by("id")[:MOST_ROWS])


def _find_journal(wanted: str, workspace_id: int | None, messages: list[Message]) -> list[JournalRow]:
    match = Q(message_id__in=[row.id for row in messages])
    match = match | Q(channel_id__in=_channel_ids(workspace_id), event_key=wanted[:300])
    match = match | Q(id=int(wanted)) if _is_id(wanted) else match
    return list(JournalRow.objects.filter(match, **_within(workspace_id)).defer("raw").order_by("id")[:MOST_ROWS])


def _messages_of(journal: list[JournalRow], workspace_id: int | None) -> list[Message]:
    return _messages_by_id({row.message_id for row in journal if row.message_id is not None}, workspace_id)


def _messages_by_id(ids: set[int], workspace_id: int | None) -> list[Message]:
    if not ids:
        return []
    found = Message.objects.filter(id__in=ids, **_within(workspace_id))
    return list(found.defer("text", "html", "quoted_text").order_by("id"))


def _find_deliveries(wanted: str, workspace_id: int | None, messages: list[Message]) -> list[Delivery]:
    match = Q(message_id__in=[row.id for row in messages]) | Q(idempotency_key=wanted[:80])
    match = match | Q(channel_id__in=_channel_ids(workspace_id), platform_id=wanted)
    match = match | Q(id=int(wanted)) if _is_id(wanted) else match
    return list(Delivery.objects.filter(match, **_within(workspace_id)).order_by("id")[:MOST_ROWS])


def _assemble(wanted: str, messages: list[Message], journal: list[JournalRow], deliveries: list[Delivery]) -> Trace:
    attempts = list(Attempt.objects.filter(delivery_id__in=[row.id for row in deliveries]).order_by("id")[:MOST_ROWS])
    events = _events_about(messages, deliveries)
    steps = [step for row in journal for step in _journal_steps(row)]
    steps += [step for row in messages for step in _message_steps(row)]
    steps += [step for row in deliveries for step in _delivery_steps(row)]
    steps += [step for row in attempts for step in _attempt_steps(row)]
    steps += [_event_step(row) for row in events]
    first = messages[0] if messages else None
    channel_id = _channel_of(messages, journal, deliveries)
    channel = Channel.objects.filter(id=channel_id).first()
    return Trace(
        workspace_id=_workspace_of(messages, journal, deliveries),
        asked=wanted,
        message_id=first.id if first else 0,
        case_id=(first.case_id if first else None) or 0,
        channel_id=channel_id,
        channel_name=channel.name if channel else "",
        network=channel.network if channel else "",
        steps=tuple(sorted(steps, key=lambda step: (step.at, _ROOMS.index(step.room)))),
    )


def _channel_of(messages: list[Message], journal: list[JournalRow], deliveries: list[Delivery]) -> int:
    known = [row.channel_id or 0 for row in messages] + [row.channel_id for row in journal]
    return next(filter(None, known + [row.channel_id for row in deliveries]), 0)


def _workspace_of(messages: list[Message], journal: list[JournalRow], deliveries: list[Delivery]) -> int:
    known = [row.workspace_id for row in messages] + [row.workspace_id for row in journal]
    return (known + [row.workspace_id for row in deliveries])[0]


_ROOMS = ("journal", "digest", "message", "delivery", "attempt", "event")


def _events_about(messages: list[Message], deliveries: list[Delivery]) -> list[Event]:
    workspaces = {row.workspace_id for row in messages} | {row.workspace_id for row in deliveries}
    about = Q(message_id__in=[row.id for row in messages]) | Q(delivery_id__in=[row.id for row in deliveries])
    return list(Event.objects.filter(about, workspace_id__in=workspaces).order_by("n")[:MOST_ROWS])


def _journal_steps(row: JournalRow) -> list[Step]:
    facts = {"event_key": row.event_key, "partition": str(row.partition), "attempts": str(row.attempts)}
    facts |= {"purged": row.purged_at.isoformat()} if row.purged_at else {}
    steps = [Step(row.received_at, "journal", "received", row.id, facts=facts)]
    if row.state == JournalRow.DEAD:
        error = f"{row.reason}: {row.detail}".strip(": ")
        steps.append(Step(row.digested_at or row.received_at, "digest", "dead", row.id, error))
    elif row.state == JournalRow.DONE:
        steps.append(Step(row.digested_at or row.received_at, "digest", row.reason or "done", row.id))
    else:
        steps.append(Step(row.received_at, "digest", "waiting", row.id))
    return steps


def _message_steps(row: Message) -> list[Step]:
    facts = {"direction": row.direction, "surface": row.surface, "platform_id": row.platform_id or ""}
    facts |= {"thread": str(row.thread_id or ""), "case": str(row.case_id or "")}
    steps = [
        Step(row.received_at, "message", "stored", row.id, facts={key: value for key, value in facts.items() if value})
    ]
    steps += [Step(row.edited_at, "message", "edited", row.id)] if row.edited_at else []
    steps += [Step(row.deleted_at, "message", "deleted", row.id)] if row.deleted_at else []
    return steps


def _delivery_steps(row: Delivery) -> list[Step]:
    marks = (("sent", row.sent_at), ("delivered", row.delivered_at), ("read", row.read_at))
    steps = [Step(row.created_at, "delivery", "created", row.id, facts={"idempotency_key": row.idempotency_key})]
    steps += [Step(at, "delivery", what, row.id) for what, at in marks if at]
    if row.state not in {"sent", "delivered", "read"}:
        error = f"{row.error_code}: {row.error_detail}".strip(": ")
        at = max(row.created_at, row.not_before)
        steps.append(Step(at, "delivery", row.state, row.id, error, {"tries": str(row.tries)}))
    return steps


def _attempt_steps(row: Attempt) -> list[Step]:
    number = {"number": str(row.number), "owner": row.owner}
    steps = [Step(row.started_at, "attempt", "started", row.id, facts=number)]
    if row.ended_at:
        error = f"{row.error_code}: {row.error_detail}".strip(": ")
        steps.append(Step(row.ended_at, "attempt", row.outcome or "ended", row.id, error, {"number": str(row.number)}))
    return steps


def _event_step(row: Event) -> Step:
    return Step(row.at, "event", row.kind, row.id, facts={"n": str(row.n)})


def _channel_ids(workspace_id: int | None) -> list[int]:
    return list(Channel.objects.filter(**_within(workspace_id)).values_list("id", flat=True))


def _within(workspace_id: int | None) -> dict[str, int]:
    return {} if workspace_id is None else {"workspace_id": workspace_id}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
