"""What happens to a message after it was said: edits keep a revision, deletions leave a tombstone and take every word
with them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F

from careline.events.recording import UnitOfWork
from careline.files import storing
from careline.kit import clock
from careline.threads import search
from careline.threads.cleaning import clean_html
from careline.threads.models import Attachment, Message, MessageAlias, Revision, Tombstone
from careline.threads.personal import find_places, hide

REVISIONS_KEPT: Final = 50
WORDLESS: Final[dict[str, object]] = {
    "text": "",
    "quoted_text": "",
    "html": "",
    "personal": [],
    "reactions": {},
    "facts": {},
}


@dataclass(frozen=True)
class Edit:
    """New words of a message; `html` is already cleaned."""

    message: Message
    text: str
    at: datetime
    html: str = ""


WordsListener = Callable[[UnitOfWork, Sequence[Message]], None]
_listeners: list[WordsListener] = []


GoneListener = Callable[[Sequence[int]], None]
_gone_listeners: list[GoneListener] = []


def on_words_gone(listener: GoneListener) -> GoneListener:
    """Register what keeps something made of words (verdicts, vectors): called with message ids in the same unit of work,
    whoever took the words and why.
    """
    _gone_listeners.append(listener)
    return listener


def on_words_changed(listener: WordsListener) -> WordsListener:
    """Register what shows words a floor above (cases): called in the same unit of work, after edits and deletions."""
    _listeners.append(listener)
    return listener


def _tell(work: UnitOfWork, messages: Sequence[Message]) -> None:
    for listener in _listeners:
        listener(work, messages)


def apply_edits(
    work: UnitOfWork, edits: Sequence[Edit], audiences: dict[int, list[str]] | None = None
) -> list[Message]:
    """Take the author's changes, the earlier words kept as revisions. Returns the messages that really changed, for
    their cases.

    Edits of deleted messages and edits older than one already taken change nothing. `audiences` by case id. Five
    statements.
    """
    fresh = [edit for edit in _in_order(edits) if _is_news(edit)]
    revisions: list[Revision] = []
    changed: dict[int, Message] = {}
    for edit in fresh:
        message = changed.get(edit.message.id, edit.message)
        if message.text == edit.text and message.html == edit.html:
            continue
        revisions.append(Revision(message_id=message.id, text=message.text, at=message.edited_at or message.at))
        message.text, message.html, message.edited_at, message.version = (
            edit.text,
            edit.html,
            edit.at,
            message.version + 1,
        )
        message.personal = find_places(edit.text)
        changed[message.id] = message
    if not changed:
        return []
    messages = [changed[message_id] for message_id in sorted(changed)]
    Revision.objects.bulk_create(revisions)
    Message.objects.bulk_update(messages, ["text", "html", "personal", "edited_at", "version"])
    search.reindex([_search_row(message) for message in messages if message.case_id])
    record_each(work, "message.edited", messages, audiences)
    _tell(work, messages)
    return messages


def apply_edit(work: UnitOfWork, message: Message, *, text: str, at: datetime, html: str = "") -> bool:
    """One author's change; the HTML is cleaned here. Returns whether anything changed."""
    edit = Edit(message, text.replace("\0", ""), at, clean_html(html) if html else "")
    return bool(apply_edits(work, [edit]))


def apply_deletion(work: UnitOfWork, message: Message, *, at: datetime) -> None:
    """One author's deletion; its tombstone is the caller's. Deleting twice changes nothing."""
    if message.deleted_at is None:
        purge_words([message], at)
        record_each(work, "message.deleted", [message], None)
        _tell(work, [message])


def apply_reaction(work: UnitOfWork, message: Message, *, author_key: str, emoji: str) -> None:
    """A reaction set, or taken back with an empty emoji; one per author. Two statements."""
    if message.deleted_at is not None:
        return
    others = {key: value for key, value in message.reactions.items() if key != author_key}
    message.reactions = {**others, author_key: emoji[:16]} if emoji else others
    message.version += 1
    message.save(update_fields=["reactions", "version"])
    record_each(work, "message.reacted", [message], None)


def _in_order(edits: Iterable[Edit]) -> list[Edit]:
    return sorted(edits, key=lambda edit: (edit.message.id, edit.at))


def _is_news(edit: Edit) -> bool:
    message = edit.message
    return message.deleted_at is None and (message.edited_at is None or edit.at >= message.edited_at)


def _search_row(message: Message) -> search.SearchRow:
    return (
        message.id,
        message.workspace_id,
        message.case_id or 0,
        message.at,
        f"{message.author_name} {hide(message.text, message.personal)}",
    )


def record_each(
    work: UnitOfWork, kind: str, messages: Sequence[Message], audiences: dict[int, list[str]] | None
) -> None:
    """An event per message, to whoever may see its case; one without a case concerns a public thread only."""
    for message in messages:
        for audience in (audiences or {}).get(message.case_id or 0, ["workspace"]):
            work.record_event(
                message.workspace_id,
                kind,
                audience=audience,
                message_id=message.id,
                thread_id=message.thread_id,
                case_id=message.case_id,
                channel_id=message.channel_id,
                version=message.version,
            )
    tell_threads(work, messages)


def tell_threads(work: UnitOfWork, messages: Iterable[Message]) -> None:
    """What is public stands in the open cases of others too, whoever may see the message's own case."""
    threads = {(one.workspace_id, one.thread_id) for one in messages if one.is_public and one.thread_id}
    for workspace_id, thread_id in sorted(threads):
        work.record_event(workspace_id, "thread.changed", thread_id=thread_id)


def apply_deletions(
    work: UnitOfWork,
    workspace_id: int,
    channel_id: int,
    platform_ids: Collection[str],
    *,
    at: datetime | None = None,
    reason: str = "author",
    audiences: dict[int, list[str]] | None = None,
) -> list[Message]:
    """Honour the author's deletions by platform id: words go, tombstones stand, also for what was never heard or comes
    again later.

    Returns the messages that lost their words, for their cases. Ten statements at most, whatever
    the number.
    """
    wanted = {one[:400] for one in platform_ids if one}
    if not wanted:
        return []
    aliased = MessageAlias.objects.filter(channel_id=channel_id, platform_id__in=wanted).values_list(
        "message_id", flat=True
    )
    found = Message.objects.filter(workspace_id=workspace_id, channel_id=channel_id, deleted_at__isnull=True)
    direct = list(found.filter(platform_id__in=wanted).order_by("id"))
    rest = list(found.filter(id__in=list(aliased)).order_by("id")) if len(direct) < len(wanted) else []
    messages = list({message.id: message for message in (*direct, *rest)}.values())
    bury(workspace_id, [(channel_id, platform_id) for platform_id in sorted(wanted)], reason)
    purge_words(messages, at or clock.now())
    record_each(work, "message.deleted", messages, audiences)
    _tell(work, messages)
    return messages


def bury(workspace_id: int, named: Iterable[tuple[int, str]], reason: str) -> None:
    """Tombstones for (channel id, platform id). One statement."""
    rows = [
        Tombstone(
            workspace_id=workspace_id, channel_id=channel_id, platform_id=platform_id, reason=reason, at=clock.now()
        )
        for channel_id, platform_id in named
    ]
    Tombstone.objects.bulk_create(rows, ignore_conflicts=True)


def purge_words(messages: Sequence[Message], at: datetime) -> None:
    """Empty messages for good: body, quotes, HTML, facts, revisions, attachments with their file references, search
    index. Six statements.
    """
    if not messages:
        return
    message_ids = [message.id for message in messages]
    Message.objects.filter(id__in=message_ids).update(**WORDLESS, deleted_at=at, version=F("version") + 1)
    for message in messages:
        message.text = message.quoted_text = message.html = ""
        message.reactions, message.facts, message.personal = {}, {}, []
        message.deleted_at, message.version = at, message.version + 1
    Revision.objects.filter(message_id__in=message_ids).delete()
    drop_attachments(message_ids)
    search.unindex_messages(message_ids)
    for listener in _gone_listeners:
        listener(message_ids)


def drop_attachments(message_ids: Collection[int]) -> None:
    """Forget attachments; a file nobody refers to any more is swept with its key. Three statements."""
    attached = Attachment.objects.filter(message_id__in=message_ids)
    file_ids = [file_id for file_id in attached.values_list("file_id", flat=True) if file_id is not None]
    attached.delete()
    storing.count_references(file_ids, by=-1)


def withdraw_message(work: UnitOfWork, message: Message) -> None:
    """A message of ours that never left: as if it had not been written. Its row stays for its delivery, wordless and
    nowhere shown.
    """
    purge_words([message], clock.now())
    tell_threads(work, [message])
    Message.objects.filter(id=message.id).update(case_id=None, thread_id=None)
    message.case_id = message.thread_id = None
