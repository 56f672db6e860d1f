"""The HTML of one message and the pictures that came along in it, for its sandboxed frame."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _

from careline.cases.queries.visible import visible_cases
from careline.errors import NotFound
from careline.threads.models import Message
from careline.threads.personal_html import hide_html
from careline.threads.queries import attachments_of
from careline.triage.queries import masked_kinds
from careline.workspaces.sight import Viewer


class FramedHtml(msgspec.Struct, frozen=True):
    """Cleaned HTML with the inline files it names as (content id, file id, name)."""

    message_id: int
    html: str
    language: str
    inline_files: tuple[tuple[str, int, str], ...]


def message_html(viewer: Viewer, message_id: int) -> FramedHtml:
    """A message the viewer may see: one of their cases, or a public word. Raises NotFound. Four statements."""
    message = Message.objects.filter(id=message_id, workspace_id=viewer.workspace_id, deleted_at__isnull=True).first()
    if message is None or not sees_message(viewer, message):
        raise NotFound("message_not_found", _("This message does not exist, or you may not see it."))
    inline = [one for one in attachments_of([message.id]).get(message.id, ()) if one.content_id and one.file_id]
    return FramedHtml(
        message_id=message.id,
        html=hide_html(message.html, kinds=masked_kinds(viewer.workspace_id)),
        language=message.language,
        inline_files=tuple((one.content_id, one.file_id or 0, one.name) for one in inline),
    )


def sees_message(viewer: Viewer, message: Message) -> bool:
    """Whether the message stands in a case the viewer may see, or was said in public to everybody. One statement."""
    if message.case_id is not None and visible_cases(viewer).filter(id=message.case_id).exists():
        return True
    return message.is_public and message.direction != "note" and visible_cases(viewer).exists()
