"""From messages to questions for the engine, and from its answers to rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from careline.kit.bulk import new_row
from careline.threads.models import Message
from careline.triage.models import Judgement
from careline.triage.protocol import Asked, Judged, Span, Verdict
from careline.triage.telling import JudgedMessage
from careline.workspaces.queries import languages_of

# A letter of a hundred pages is judged by its beginning.
JUDGED_CHARS: Final = 4000


def messages_to_judge(workspace_id: int, message_ids: Iterable[int]) -> list[Message]:
    """What customers wrote and did not delete, in id order. One statement."""
    wanted = Message.objects.filter(
        workspace_id=workspace_id, id__in=set(message_ids), direction="inbound", deleted_at__isnull=True, automatic=""
    )
    return list(wanted.exclude(text="").order_by("id"))


def asked_of(workspace_id: int, messages: Sequence[Message]) -> list[Asked]:
    """A question for each message; it is a reply where we spoke before. Two statements."""
    languages = languages_of(workspace_id)
    threads = {message.thread_id for message in messages if message.thread_id}
    answered = set(
        Message.objects.filter(thread_id__in=threads, direction="outbound").values_list("thread_id", flat=True)
    )
    return [
        Asked(
            message.id,
            message.text[:JUDGED_CHARS],
            workspace_id=workspace_id,
            languages=languages,
            is_public=message.is_public,
            is_reply=bool(message.reply_to) or message.thread_id in answered,
        )
        for message in messages
    ]


def judgement_of(one: JudgedMessage, engine: str, now: datetime) -> Judgement:
    """The row of one judgement."""
    return new_row(
        Judgement,
        message_id=one.message.id,
        workspace_id=one.message.workspace_id,
        verdicts=msgspec.to_builtins(one.judged.verdicts),
        personal=msgspec.to_builtins(one.judged.personal),
        vector=one.judged.vector,
        signature=list(one.judged.signature),
        engine=engine[:60],
        message_version=one.message.version,
        at=now,
    )


def judged_of(row: Judgement) -> Judged:
    """A judgement as it came from the engine."""
    return Judged(
        row.message_id,
        msgspec.convert(tuple(row.verdicts), tuple[Verdict, ...]),
        msgspec.convert(tuple(row.personal), tuple[Span, ...]),
        bytes(row.vector),
        tuple(row.signature),
    )
