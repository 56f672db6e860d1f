"""Answer a customer: message, delivery and event in one unit of work, after every stop that the platform and the desk
know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from django.utils.translation import gettext as _

from careline.cases.actions.snoozing import wait_change
from careline.cases.applying import apply_outbound, close
from careline.cases.changing import CaseChange, changing_case, hours_of_calendar
from careline.cases.counting import Counted, count, counted
from careline.cases.filing import access_files, attach_files, check_files
from careline.cases.models import Draft
from careline.cases.placing import Place, find_place
from careline.cases.queries.answering import recipient_of
from careline.channels.base import TemplateUse
from careline.channels.capabilities import AttachmentRule, TextRule
from careline.channels.templates import fill_template
from careline.errors import Conflict, InputRefused
from careline.files.models import StoredFile
from careline.kit import ids
from careline.outbox.models import Delivery
from careline.outbox.parting import cuts_of
from careline.outbox.queries import sent_moments
from careline.outbox.windows import WindowState, window_of
from careline.people.models import Person
from careline.threads import search
from careline.threads.facts import is_summons
from careline.threads.models import Message
from careline.threads.starting import wire_key
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

Mode = Literal["public", "private"]
Then = Literal["stay", "waiting", "done"]
BY_TEMPLATE: Final = ("window_needs_template", "window_not_open")
"""Where an approved template may be sent although a text may not."""


@dataclass(frozen=True)
class Written:
    """What an agent wrote, as the composer sends it; `file_names` and `file_alts` (what a picture shows) go with `file_ids`. `seen_version` 0: no
    collision check; `client_key` '' gives no protection from double posts.
    """

    thread_id: int
    text: str
    mode: Mode
    file_ids: tuple[int, ...] = ()
    file_names: tuple[str, ...] = ()
    file_alts: tuple[str, ...] = ()
    reply_to_message_id: int = 0
    subject: str = ""
    to: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    client_key: str = ""
    seen_version: int = 0
    snippet_id: int = 0
    override: bool = False
    then: Then = "stay"
    parts: int = 1
    template: TemplateUse | None = None


def write_reply(  # noqa: PLR0913 - the composer's fields, all by name
    viewer: Viewer,
    number: int,
    *,
    thread_id: int,
    text: str,
    mode: Mode,
    file_ids: Sequence[int] = (),
    file_names: Sequence[str] = (),
    file_alts: Sequence[str] = (),
    reply_to_message_id: int = 0,
    subject: str = "",
    to: Sequence[str] = (),
    copied: Sequence[str] = (),
    client_key: str = "",
    seen_version: int = 0,
    snippet_id: int = 0,
    override: bool = False,
    then: Then = "stay",
    parts: int = 1,
    template_id: int = 0,
    values: Sequence[str] = (),
) -> Message:
    """Answer in a thread of the case; `mode` private on a public thread goes to the customer alone, in the same case.

    `parts` is how many posts the writer agreed to where a long text goes out as several. A repeated `client_key`
    returns the first message. With an approved template (`template_id`, a value for each parameter) the text is the template's.

    Raises Forbidden; NotFound for a foreign case, thread, file or template; InputRefused (template_value_missing, template_file_missing, text_empty, text_too_long,
    needs_parts, files_*, window codes of outbox.windows, mode_wrong); Conflict('changed_since_seen') unless `override`,
    ('person_blocked').
    """
    written = Written(
        thread_id=thread_id,
        text=text.strip(),
        mode=mode,
        file_ids=tuple(file_ids),
        file_names=tuple(file_names),
        file_alts=tuple(file_alts),
        reply_to_message_id=reply_to_message_id,
        subject=subject.strip(),
        to=tuple(to),
        copied=tuple(copied),
        client_key=client_key,
        seen_version=seen_version,
        snippet_id=snippet_id,
        override=override,
        then=then,
        parts=parts,
    )
    return _answer(viewer, number, written, template_id, values)


def _answer(viewer: Viewer, number: int, written: Written, template_id: int, values: Sequence[str]) -> Message:
    is_public = written.mode == "public"
    if is_public:
        check_may(viewer.role, "answer_public")
    with changing_case(viewer, number, "answer") as change:
        key = delivery_key(viewer.agent_id, change.case.id, written.client_key)
        first = _posted_before(key) if written.client_key else None
        if first is not None:
            return first
        check_unchanged(change, written)
        reply_id = written.reply_to_message_id
        place = find_place(change, written.thread_id, is_public=is_public, reply_to_message_id=reply_id)
        if template_id:
            words, use = fill_template(place.channel, template_id, values)
            written = replace(written, text=words, template=use)
        state = check_allowed(change, place, written)
        return send(viewer, change, _naming_comment(place, state), written, key)


def _posted_before(key: str) -> Message | None:
    found = Delivery.objects.select_related("message").filter(idempotency_key=key).first()
    return found.message if found else None


def delivery_key(agent_id: int, case_id: int, client_key: str) -> str:
    """The same for the same click, however often it is posted; a new one without a client key."""
    return hashlib.blake2b(f"{agent_id}|{case_id}|{client_key or ids.new_token()}".encode(), digest_size=24).hexdigest()


def check_unchanged(change: CaseChange, written: Written) -> None:
    """Stop when the customer or another agent spoke after the version the writer saw."""
    case, seen = change.case, written.seen_version
    if not seen or written.override:
        return
    if case.heard_version > seen or (case.answered_version > seen and case.answered_by_id != change.agent_id):
        raise Conflict("changed_since_seen", _("Something new was said in this case. Read it, then send."))


def _naming_comment(place: Place, state: WindowState) -> Place:
    """A private answer names the public word it answers where that alone lets us write, or nothing was said there yet."""
    if place.comment is None or (state.opens != "inbound_comment" and wire_key(place.thread)):
        return place
    return replace(place, facts={**place.facts, "from_message": place.comment.platform_id or ""})


def check_allowed(change: CaseChange, place: Place, written: Written) -> WindowState:
    """Every stop of the surface: text, files, window, and a blocked person. Returns the window that lets us write."""
    files = access_files(change.case.workspace_id, written.file_ids)
    check_text(place.surface.text, written.text, has_files=bool(files), parts=written.parts)
    _check_attached(place, written, files)
    if Person.objects.filter(id=change.case.person_id, blocked_at__isnull=False).exists():
        raise Conflict("person_blocked", _("This person is blocked. Undo the block before you answer."))
    state = window_of(
        place.surface,
        place.thread.last_inbound_at,
        change.now,
        "human",
        last_comment_at=place.comment.at if place.comment else None,
        sent_at=_sent_at(place),
        wanted=max(1, written.parts),
        is_summons=place.reply is None or is_summons(place.reply),
    )
    if state.closed_code and not (written.template and state.closed_code in BY_TEMPLATE):
        raise InputRefused(state.closed_code, _closed_words(state), field="thread_id")
    return state


def _check_attached(place: Place, written: Written, files: Sequence[StoredFile]) -> None:
    """What the surface takes; with a template the one file it begins with, and no other."""
    if written.template is None:
        check_files(place.surface.attachments, files, has_text=bool(written.text))
        return
    media = written.template.media
    if media is not None and not files:
        raise InputRefused("template_file_missing", _("Choose the file that this template begins with."), field="files")
    rule = AttachmentRule(per_message=1, kinds=(media,)) if media else AttachmentRule()
    check_files(rule, files, has_text=True)


def _closed_words(state: WindowState) -> str:
    if state.closed_code == "not_summoned":
        return _(
            "The platform takes answers only to words that name or quote this account. Answer such words, or in private."
        )
    if state.closed_code == "window_used_up":
        return _("The platform allows %(allows)d here until the customer writes again, and %(used)d are used.") % {
            "allows": state.allows,
            "used": state.used,
        }
    return _("The platform does not let us write here any more. Choose another way to answer.")


def check_text(rule: TextRule, text: str, *, has_files: bool, parts: int = 1) -> None:
    """Refuse an empty or over-long text, counted in the surface's own unit. One that the surface takes as several posts
    wants the writer's word on their number.
    """
    if not text and not (has_files and rule.empty_ok_with_media):
        raise InputRefused("text_empty", _("Write something first."), field="text")
    if rule.fits(text) or rule.on_overflow in {"split", "truncate"}:
        return
    if rule.on_overflow == "multi_post":
        number = len(rule.parts(text))
        if parts == number:
            return
        raise InputRefused(
            "needs_parts",
            _("This goes out as %(number)d posts. Look at them, then send.") % {"number": number},
            field="text",
        )
    over = rule.length(text) - rule.max_length
    raise InputRefused(
        "text_too_long", _("The text is %(over)d too long for this channel.") % {"over": max(1, over)}, field="text"
    )


def _sent_at(place: Place) -> Sequence[datetime]:
    if not any(window.max_messages for window in place.surface.windows):
        return ()
    return sent_moments([place.thread.id]).get(place.thread.id, ())


def send(viewer: Viewer, change: CaseChange, place: Place, written: Written, key: str) -> Message:
    """Message, files, delivery, search, figures, case and events of an answer that passed every check."""
    message = _write_message(viewer, change, place, written)
    attach_files(viewer.workspace_id, message, written.file_ids, written.file_names, written.file_alts)
    _queue_deliveries(change, place, written, message, key)
    search.index_messages(
        [(message.id, viewer.workspace_id, change.case.id, message.at, f"{viewer.name} {message.text}")]
    )
    happened = _apply(viewer, change, place, message, written.then)
    if written.template is None:
        Draft.objects.filter(case_id=change.case.id, agent_id=viewer.agent_id, mode=written.mode).delete()
    change.save("answered", extra={"message_id": message.id})
    change.record("message.written", message_id=message.id, thread_id=place.thread.id)
    count(happened)
    return message


def _write_message(viewer: Viewer, change: CaseChange, place: Place, written: Written) -> Message:
    facts: dict[str, object] = {
        "to": list(written.to),
        "copied": list(written.copied),
        "subject": written.subject,
        "snippet_id": written.snippet_id,
        "template": written.template.name if written.template else "",
    }
    return Message.objects.create(
        workspace_id=viewer.workspace_id,
        thread=place.thread,
        channel_id=place.channel.id,
        case_id=change.case.id,
        direction="outbound",
        surface=place.surface.name,
        is_public=place.surface.is_public,
        author_agent_id=viewer.agent_id,
        author_name=viewer.name,
        text=written.text,
        language=change.case.language,
        reply_to=(place.reply.platform_id or "") if place.reply else "",
        facts={name: value for name, value in facts.items() if value},
        at=change.now,
    )


def _queue_deliveries(change: CaseChange, place: Place, written: Written, message: Message, key: str) -> None:
    """One delivery, or one for each post of a long text: in order, each with a key of its own."""
    undo_s = max(0, place.channel.undo_s)
    facts: dict[str, object] = {
        **place.facts,
        "subject": written.subject,
        "to": list(written.to),
        "copied": list(written.copied),
        "template": msgspec.to_builtins(written.template) if written.template else None,
    }
    cuts = _cuts(place.surface.text, message.text)
    for number, (start, end) in enumerate(cuts, start=1):
        Delivery.objects.create(
            workspace_id=message.workspace_id,
            channel_id=place.channel.id,
            thread_id=place.thread.id,
            case_id=change.case.id,
            message=message,
            recipient=(written.to[0] if written.to else recipient_of(place.reply, place.identity))[:320],
            state="held" if undo_s else "queued",
            not_before=change.now + timedelta(seconds=undo_s),
            idempotency_key=key if number == 1 else f"{key}-{number}",
            part=number,
            parts=len(cuts),
            text_start=start,
            text_end=end,
            facts={name: value for name, value in facts.items() if value},
        )


def _cuts(rule: TextRule, text: str) -> list[tuple[int, int]]:
    if rule.on_overflow != "multi_post" or rule.fits(text):
        return [(0, 0)]
    return cuts_of(text, rule.parts(text))


def _apply(viewer: Viewer, change: CaseChange, place: Place, message: Message, then: Then) -> list[Counted]:
    case = change.case
    was_first = case.first_answered_at is None
    hours = hours_of_calendar(place.channel.calendar)
    apply_outbound(case, text=message.text, at=message.at, agent_id=viewer.agent_id, hours=hours)
    case.assignee_id = case.assignee_id or viewer.agent_id
    case.last_agent_id = viewer.agent_id
    happened = [counted(case, "answered", message.at, viewer.agent_id)]
    if was_first and case.first_answered_at is not None:
        happened.append(counted(case, "first_answers", message.at, viewer.agent_id))
        happened += (
            [counted(case, "first_answers_in_time", message.at, viewer.agent_id)] if case.first_answer_in_time else []
        )
    if then == "waiting" or (then == "stay" and case.state == "done"):
        wait_change(change, "customer")
    elif then == "done":
        close(case, "solved", change.now)
        happened.append(counted(case, "closed", message.at, viewer.agent_id))
    return happened
