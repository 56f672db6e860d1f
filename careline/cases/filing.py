"""Files an agent sends along: attached to their message, counted, within the rules of the surface."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from django.utils.translation import gettext as _

from careline.channels.capabilities import AttachmentRule
from careline.errors import InputRefused, NotFound
from careline.files import storing
from careline.files.models import StoredFile
from careline.files.typing_content import safe_name
from careline.threads.models import Attachment, Message

ALT_TEXT_CHARS: Final = 1500
"""What every network that takes descriptions takes: Mastodon 1,500, Bluesky 2,000 (its own clients' limits, read 2026-11-22)."""


def access_files(workspace_id: int, file_ids: Sequence[int]) -> list[StoredFile]:
    """Files of the workspace in the order asked. Raises NotFound for a foreign or erased one. One statement, none for
    no ids.
    """
    if not file_ids:
        return []
    found = {
        one.id: one
        for one in StoredFile.objects.filter(workspace_id=workspace_id, id__in=file_ids, erased_at__isnull=True)
    }
    if set(found) != set(file_ids):
        raise NotFound("file_not_found", _("A file is no longer there. Attach it again."))
    return [found[file_id] for file_id in dict.fromkeys(file_ids)]


def attach_files(
    workspace_id: int, message: Message, file_ids: Sequence[int], names: Sequence[str] = (), alts: Sequence[str] = ()
) -> None:
    """Attach files with their names and what they show, in the caller's unit of work. Three statements, none for no files."""
    files = access_files(workspace_id, file_ids)
    if not files:
        return
    Attachment.objects.bulk_create(
        [
            Attachment(
                workspace_id=workspace_id,
                message=message,
                file=file,
                name=safe_name(names[at], name_of(file)) if at < len(names) else name_of(file),
                alt_text=" ".join(alts[at].split())[:ALT_TEXT_CHARS] if at < len(alts) else "",
            )
            for at, file in enumerate(files)
        ]
    )
    storing.count_references(file.id for file in files)


def name_of(file: StoredFile) -> str:
    """A plain name for a file that brought none."""
    kind, _slash, ending = file.content_type.partition("/")
    return f"{kind if kind in {'image', 'video', 'audio'} else 'file'}.{ending if ending.isalnum() else 'bin'}"


def check_files(rule: AttachmentRule, files: Sequence[StoredFile], *, has_text: bool) -> None:
    """Refuse files the surface cannot take. Codes: files_not_here, too_many_files, file_without_text, file_kind,
    file_too_large.
    """
    if not files:
        return
    if not rule.per_message:
        raise InputRefused("files_not_here", _("Files cannot be sent here."), field="files")
    if len(files) > rule.per_message:
        raise InputRefused(
            "too_many_files",
            _("At most %(most)d files fit in one message here.") % {"most": rule.per_message},
            field="files",
        )
    if has_text and not rule.with_text:
        raise InputRefused(
            "file_without_text", _("Here a file is sent without text. Send the text on its own."), field="files"
        )
    for file in files:
        _check_file(rule, file)


def _check_file(rule: AttachmentRule, file: StoredFile) -> None:
    fitting = [kind for kind in rule.kinds if any(fnmatchcase(file.content_type, pattern) for pattern in kind.types)]
    if rule.kinds and not fitting:
        raise InputRefused("file_kind", _("Files of this kind cannot be sent here."), field="files")
    if fitting and file.size_bytes > max(kind.max_bytes for kind in fitting):
        most_mb = max(kind.max_bytes for kind in fitting) // (1024 * 1024)
        raise InputRefused(
            "file_too_large",
            _("A file is too large for this channel: at most %(most)d MB.") % {"most": most_mb},
            field="files",
        )
