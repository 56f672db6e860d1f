"""Hide, like, react to or delete a message that stands, each with its way back; what became of it is the outbox's to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import regex
from django.utils.translation import gettext as _

from careline.cases.actions.replying import check_text
from careline.cases.changing import CaseChange, changes_of, changing_case
from careline.cases.queries.answering import surface_of
from careline.cases.queries.moderating import abilities, emojis_of
from careline.cases.queries.visible import access_case_by_id, case_not_found
from careline.channels.access import channels_by_id
from careline.channels.base import ModerationVerb
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.outbox import moderating
from careline.outbox.models import Delivery, Moderation
from careline.outbox.moderating import WantedAct
from careline.threads.models import Attachment, Message, Revision
from careline.threads.queries import thread_ids_of_case
from careline.workspaces.audit import record_audit
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

# A deletion cannot be taken back once it is done, so it always waits.
DELETE_UNDO_S: Final = 8
_EMOJI: Final = regex.compile(r"[\p{Emoji}\p{Emoji_Component}\u200d\ufe0f]+")
_AUDITED: Final = {
    "hide": "message_hidden",
    "unhide": "message_shown",
    "delete": "message_deleted",
    "edit": "message_edited",
}


def moderate_message(
    viewer: Viewer, number: int, message_id: int, verb: ModerationVerb, *, emoji: str = "", text: str = ""
) -> Moderation:
    """Do one act to a message of the case, or of its public threads; `text` are the new words of an edit. Returns the first row of it.

    Raises Forbidden; NotFound for a foreign case or message; InputRefused('act_not_possible', 'emoji_wrong', 'text_empty', 'text_too_long',
    'text_same').
    """
    with changing_case(viewer, number, "moderate", also_merged=True) as change:
        message = _access_message(change, message_id)
        channel, surface = _rules(message)
        reaction = str(message.reactions.get(channel.account_key, ""))
        if verb not in abilities(message, surface, change.now, reaction):
            raise InputRefused("act_not_possible", _("The platform does not let us do that to this message now."))
        chosen = _check_emoji(verb, emoji or reaction, surface)
        words = _check_words(message, surface, text) if verb == "edit" else ""
        rows = [
            _queue(change, message, WantedAct(verb, platform_id, chosen, words), channel)
            for platform_id in _posts(message, verb)
        ]
        _write_audit(change, message, verb)
        return rows[0]


def _access_message(change: CaseChange, message_id: int) -> Message:
    case = change.case
    message = (
        Message.objects.select_related("thread")
        .filter(id=message_id, workspace_id=case.workspace_id)
        .exclude(direction="note")
        .first()
    )
    if message is None or not (message.case_id == case.id or _is_overheard(change, message)):
        raise NotFound("message_not_found", _("This message does not exist, or you may not see it."))
    return message


def _is_overheard(change: CaseChange, message: Message) -> bool:
    """A bystander's public word in a thread of the case."""
    return message.is_public and message.thread_id in thread_ids_of_case(change.case.workspace_id, change.case.id)


def _rules(message: Message) -> tuple[Channel, Surface]:
    channel = channels_by_id([message.channel_id or 0]).get(message.channel_id or 0)
    surface = surface_of(channel, message.surface) if channel else None
    if channel is None or surface is None:
        raise InputRefused("act_not_possible", _("The platform does not let us do that to this message now."))
    return channel, surface


def _check_emoji(verb: str, emoji: str, surface: Surface) -> str:
    if verb not in {"react", "unreact"}:
        return ""
    allowed = emojis_of(surface) if surface.reactions.allowed else ()
    if not _EMOJI.fullmatch(emoji) or len(emoji) > 16 or (allowed and emoji not in allowed):
        raise InputRefused("emoji_wrong", _("Choose one of the reactions this platform knows."), field="emoji")
    return emoji


def _check_words(message: Message, surface: Surface, text: str) -> str:
    """New words of one post of ours, which keep every limit of the surface."""
    if Delivery.objects.filter(message=message).count() != 1 or Attachment.objects.filter(message=message).exists():
        raise InputRefused("act_not_possible", _("The platform does not let us do that to this message now."))
    words = text.strip()
    check_text(msgspec.structs.replace(surface.text, on_overflow="reject"), words, has_files=False)
    if words == message.text:
        raise InputRefused("text_same", _("These are the words that stand there already."), field="text")
    return words


def _posts(message: Message, verb: str) -> list[str]:
    """The posts an act is for: deleting a text of several posts deletes each, the last first."""
    whole = [message.platform_id or ""]
    if verb != "delete":
        return whole
    parts = Delivery.objects.filter(message=message, parts__gt=1).exclude(platform_id="").order_by("-part")
    return list(parts.values_list("platform_id", flat=True)) or whole


def _queue(change: CaseChange, message: Message, wanted: WantedAct, channel: Channel) -> Moderation:
    return moderating.queue_moderation(
        change.work,
        message,
        wanted,
        agent_id=change.agent_id or 0,
        case_id=change.case.id,
        undo_s={"delete": max(DELETE_UNDO_S, channel.undo_s), "edit": channel.undo_s}.get(wanted.verb, 0),
    )


def _write_audit(change: CaseChange, message: Message, verb: str) -> None:
    """What the public can no longer read, or reads again, is nobody's private matter."""
    if verb in _AUDITED:
        record_audit(
            change.work,
            _AUDITED[verb],
            workspace_id=change.case.workspace_id,
            agent_id=change.agent_id,
            subject=f"message:{message.id}",
            facts={"case": change.case.number},
        )


def undo_moderation(viewer: Viewer, moderation_id: int) -> Moderation:
    """Take it back: before it left it never happens, afterwards the inverse act follows.

    Raises Conflict('already_deleted') for a deletion that is on its way.
    """
    with _changing_moderation(viewer, moderation_id) as (change, row):
        if _cancel_all(change, row):
            return row
        inverse = moderating.INVERSE.get(row.verb)
        if inverse is None:
            raise Conflict("already_deleted", _("It is already being deleted and cannot be brought back."))
        _write_audit(change, row.message, inverse)
        again = WantedAct(inverse, row.platform_id, row.emoji, _words_before(row) if inverse == "edit" else "")
        return moderating.queue_moderation(
            change.work, row.message, again, agent_id=viewer.agent_id, case_id=change.case.id
        )


def _words_before(row: Moderation) -> str:
    """What an edit of ours changed. Raises Conflict where they are not known any more."""
    before = Revision.objects.filter(message_id=row.message_id).order_by("-id").values_list("text", flat=True).first()
    if row.state != "done" or not before:
        raise Conflict("being_edited", _("It is being changed just now. Try again in a moment."))
    return before


def _cancel_all(change: CaseChange, row: Moderation) -> bool:
    """A deletion of several posts is taken back whole or not at all."""
    rows = [row]
    if row.verb == "delete":
        mine = Moderation.objects.filter(message_id=row.message_id, verb="delete", created_at__gte=row.created_at)
        rows = list(mine.exclude(state="cancelled").select_for_update().order_by("id")) or [row]
    if any(one.tries or one.state not in {"held", "queued"} for one in rows):
        return False
    for one in rows:
        moderating.cancel_moderation(change.work, one)
    return True


def retry_moderation(viewer: Viewer, moderation_id: int) -> None:
    """Do a failed or unknown act again, now. Raises Conflict('not_failed')."""
    with _changing_moderation(viewer, moderation_id) as (change, row):
        if row.state not in {"failed", "unknown"}:
            raise Conflict("not_failed", _("Only what failed can be done again."))
        moderating.retry_moderation(change.work, row)


def resolve_moderation(viewer: Viewer, moderation_id: int, *, was_done: bool) -> None:
    """The agent looked on the platform: it was done, or was not and is done again. Raises Conflict('not_unknown')."""
    with _changing_moderation(viewer, moderation_id) as (change, row):
        if row.state != "unknown":
            raise Conflict("not_unknown", _("What became of this is known by now."))
        if was_done:
            moderating.resolve_moderation(change.work, row)
        else:
            moderating.retry_moderation(change.work, row)


@contextmanager
def _changing_moderation(viewer: Viewer, moderation_id: int) -> Iterator[tuple[CaseChange, Moderation]]:
    """A unit of work around an act and the case it was done from, the case locked first."""
    check_may(viewer.role, "moderate")
    with unit_of_work() as work:
        mine = Moderation.objects.filter(id=moderation_id, workspace_id=viewer.workspace_id)
        case_id = mine.values_list("case_id", flat=True).first()
        if case_id is None:
            raise case_not_found()
        case = access_case_by_id(viewer, case_id, lock=True)
        row = mine.select_related("message").select_for_update(of=("self",)).get()
        yield changes_of(work, [case], viewer.agent_id)[0], row
