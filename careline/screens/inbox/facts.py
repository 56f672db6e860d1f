"""What the modules need of a case beside its HTML: the answer choices with their rules, drafts, versions. Ids are text: a browser's numbers are too short."""

from __future__ import annotations

from datetime import datetime

import msgspec
from markupsafe import Markup

from careline.cases.rows import CasePane, ThreadView
from careline.screens.templating import straight
from careline.workspaces.roles import may
from careline.workspaces.sight import Viewer


class FileRule(msgspec.Struct, frozen=True):
    """A kind of file that may be attached."""

    types: tuple[str, ...]
    most_bytes: int


class Choice(msgspec.Struct, frozen=True):
    """One way to answer. `mode` is public or private; `limit` 0 means none; `closed` is why not, as a code, or ''."""

    thread: str
    surface: str
    mode: str
    channel: str
    handle: str
    network: str
    simulated: bool
    subject: str
    reach: int
    unit: str
    limit: int
    least: int
    most_bytes: int
    url_weight: int
    overflow: str
    most_files: int
    files: tuple[FileRule, ...]
    closes_at: datetime | None
    closed: str
    undo_s: int
    reply_to: str
    person: str
    recipient: str
    copied: tuple[str, ...]
    is_mail: bool
    admins_read: bool
    typing: bool
    opens_from: str
    allows: int
    used: int
    private_link: str
    templates: bool
    alt_texts: bool
    price: str
    price_with_link: str


class CaseFacts(msgspec.Struct, frozen=True):
    """The facts of the case on screen."""

    id: str
    number: int
    version: int
    state: str
    is_answered: bool
    assignee: str
    person: str
    person_id: str
    language: str
    is_public: bool
    tags: tuple[str, ...]
    last_message: str
    choices: tuple[Choice, ...]
    drafts: dict[str, str]
    may_answer: bool
    may_answer_public: bool
    may_note: bool
    may_moderate: bool
    may_manage: bool
    may_block: bool
    is_blocked: bool
    earlier_than: str
    page: str
    """Where it can be answered, when it cannot be from here."""
    n: int


def facts_of(pane: CasePane, viewer: Viewer) -> Markup:
    """The facts as JSON that is safe inside a script element."""
    return safe_json(case_facts(pane, viewer))


def safe_json(struct: object) -> Markup:
    """JSON without a character that could end a script element."""
    text = msgspec.json.encode(struct).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def case_facts(pane: CasePane, viewer: Viewer) -> CaseFacts:
    """What may be done and said here, by this viewer."""
    row = pane.row
    return CaseFacts(
        id=str(row.id),
        number=row.number,
        version=row.version,
        state=row.state,
        is_answered=row.last_direction != "inbound",
        assignee=str(row.assignee_id or ""),
        person=straight(row.person_name),
        person_id=str(row.person_id),
        language=row.language,
        is_public=row.is_public,
        tags=row.tags,
        last_message=str(max((one.id for one in pane.messages), default=0)),
        choices=tuple(choice(thread) for thread in pane.threads if thread.rules.answer_here),
        drafts=pane.drafts,
        may_answer=may(viewer.role, "answer"),
        may_answer_public=may(viewer.role, "answer_public"),
        may_note=may(viewer.role, "note"),
        may_moderate=may(viewer.role, "moderate"),
        may_manage=may(viewer.role, "manage_case"),
        may_block=may(viewer.role, "block_person"),
        is_blocked=pane.person.is_blocked,
        earlier_than=str(pane.messages[0].id) if pane.has_earlier and pane.messages else "",
        page=_page(pane),
        n=pane.n,
    )


def _page(pane: CasePane) -> str:
    """The page of the newest conversation that is only read here, where none of the case can be answered."""
    if any(thread.rules.answer_here for thread in pane.threads):
        return ""
    return next(
        (thread.permalink for thread in pane.threads if thread.permalink.startswith(("https://", "http://"))), ""
    )


def choice(thread: ThreadView) -> Choice:
    """A thread as a way to answer."""
    rules = thread.rules
    return Choice(
        thread=str(thread.id),
        surface=thread.surface,
        mode="public" if thread.is_public else "private",
        channel=thread.channel_name,
        handle=thread.channel_handle,
        network=thread.network,
        simulated=thread.is_simulated,
        subject=thread.subject,
        reach=thread.reach,
        unit=rules.text.unit,
        limit=rules.text.max_length,
        least=rules.text.min_length,
        most_bytes=rules.text.max_bytes,
        url_weight=rules.text.url_weight,
        overflow=rules.text.on_overflow,
        most_files=rules.attachments.per_message,
        files=tuple(FileRule(kind.types, kind.max_bytes) for kind in rules.attachments.kinds),
        closes_at=thread.window_closes_at,
        closed=thread.closed_code,
        undo_s=thread.undo_s,
        reply_to=str(thread.reply_to_message_id or ""),
        person=thread.recipient_name,
        recipient=thread.recipient,
        copied=thread.copied,
        is_mail=rules.threading.model == "email_refs",
        admins_read=rules.visibility == "direct_but_admin_readable",
        typing=rules.typing.outbound,
        opens_from=thread.opens_from,
        allows=thread.window_allows,
        used=thread.window_used,
        private_link=thread.private_link,
        alt_texts=rules.attachments.alt_text,
        templates=rules.templates_required_after_window or rules.initiate == "template",
        price=rules.price,
        price_with_link=rules.price_with_link or rules.price,
    )
