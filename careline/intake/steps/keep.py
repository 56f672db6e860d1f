"""Writes the messages with their files, aliases and search words, and binds private threads to the cases they opened."""

from __future__ import annotations

from careline.files import storing
from careline.files.storing import PreparedFile
from careline.files.typing_content import safe_name
from careline.intake.batch import Batch, SaidItem
from careline.intake.steps.normalise import MOST_CHARS
from careline.kit.bulk import insert_rows, new_row
from careline.threads import search
from careline.threads.facts import NOT_SUMMONED
from careline.threads.models import Attachment, Message, MessageAlias, Thread


def keep(batch: Batch) -> None:
    """Nine statements at most, whatever the number of messages."""
    if not batch.said:
        return
    for item in batch.said:
        item.message = _message(item)
    insert_rows(item.message for item in batch.said if item.message is not None)
    _keep_aliases(batch.said)
    _keep_files(batch.said)
    search.index_messages(
        [
            (
                item.message.id,
                item.row.workspace_id,
                item.message.case_id or 0,
                item.message.at,
                item.shown,
            )
            for item in batch.said
            if item.message
        ]
    )
    _bind(batch.said)


def _message(item: SaidItem) -> Message:
    said = item.said
    assert item.thread is not None and item.at is not None
    facts = {key: value[:300] for key, value in said.facts.items() if not key.startswith("field.")}
    if item.row.detail.startswith("suggests:"):
        facts["suggests_thread"] = item.row.detail.removeprefix("suggests:")
    if said.recipients or said.copied:
        facts |= {"to": ", ".join(said.recipients)[:2000], "copied": ", ".join(said.copied)[:2000]}
    if not said.is_summons:
        facts[NOT_SUMMONED] = "yes"
    if said.reply_address:
        facts["reply_address"] = said.reply_address[:320]
    return new_row(
        Message,
        workspace_id=item.row.workspace_id,
        thread_id=item.thread.id,
        channel_id=item.row.channel_id,
        case_id=item.case.id if item.case else None,
        platform_id=said.platform_id[:400],
        direction="outbound" if said.author.is_us else "inbound",
        surface=item.surface.name,
        is_public=item.surface.is_public,
        author_identity=None if said.author.is_us else item.identity,
        author_name=(said.author.name or said.author.handle or said.author.key)[:160].replace("\0", ""),
        text=said.text[:MOST_CHARS].replace("\0", ""),
        personal=item.personal,
        quoted_text=said.quoted_text[:MOST_CHARS].replace("\0", ""),
        html=item.html,
        language=item.language,
        reply_to=said.reply_to[:400],
        automatic=said.automatic,
        is_history=said.is_history,
        is_echo=said.author.is_us,
        facts=facts,
        at=item.at,
    )


def _keep_aliases(items: list[SaidItem]) -> None:
    aliases = [
        MessageAlias(channel_id=item.row.channel_id, platform_id=alias[:400], message_id=item.message.id)
        for item in items
        if item.message
        for alias in item.said.aliases
    ]
    if aliases:
        MessageAlias.objects.bulk_create(aliases, ignore_conflicts=True)


def _keep_files(items: list[SaidItem]) -> None:
    prepared = [file for item in items for file in item.files if file is not None]
    stored = storing.save_files(prepared)
    attachments = [_attachment(item, index, stored) for item in items for index in range(len(item.said.files))]
    if attachments:
        insert_rows(attachments)
        storing.count_references(attachment.file_id for attachment in attachments if attachment.file_id)


def _attachment(item: SaidItem, index: int, stored: dict[tuple[int, str], int]) -> Attachment:
    file, prepared = item.said.files[index], item.files[index]
    assert item.message is not None
    return Attachment(
        workspace_id=item.row.workspace_id,
        message_id=item.message.id,
        file_id=stored[_key(prepared)] if prepared else None,
        name=safe_name(file.name),
        content_id=file.content_id[:200],
        is_inline=file.is_inline,
        alt_text=file.alt_text[:1000],
        fetch_url="" if prepared else file.url[:2000],
        problem="" if prepared or file.url else "not_kept",
    )


def _key(prepared: PreparedFile) -> tuple[int, str]:
    return prepared.workspace_id, prepared.sha256


def _bind(items: list[SaidItem]) -> None:
    """A private thread follows its newest case, so that a third person's reply in it joins the same one."""
    changed: dict[int, Thread] = {}
    for item in items:
        thread = item.thread
        if (
            thread is not None
            and item.case is not None
            and not thread.is_public
            and thread.bound_case_id != item.case.id
        ):
            thread.bound_case_id = item.case.id
            changed[thread.id] = thread
    if changed:
        insert_rows([changed[key] for key in sorted(changed)], unique=("id",), update=("bound_case_id",))
