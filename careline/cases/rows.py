"""What the doors get to see of cases: frozen, complete, without a table behind them. `queries` fills these, templates
and API render them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from careline.channels.capabilities import Surface

ViewName = Literal[
    "mine", "team", "unassigned", "all", "waiting", "snoozed", "done", "spam", "aside", "audit", "mentions"
]


class ListFilters(msgspec.Struct, frozen=True):
    """What narrows a list; empty means no narrowing. `channel_id` 0, `tag` '' and so on mean any."""

    view: str = "mine"
    channel_id: int = 0
    team_id: int = 0
    assignee_id: int = 0
    language: str = ""
    tag: str = ""
    query: str = ""
    is_public: bool | None = None
    kind: str = ""
    topic_id: int = 0


class CaseRow(msgspec.Struct, frozen=True):
    """One row of a list. Everything is on the case row itself: no joins."""

    id: int
    number: int
    version: int
    person_id: int
    person_name: str
    channel_id: int
    channel_name: str
    network: str
    title: str
    state: str
    waiting_reason: str
    outcome: str
    team_id: int
    assignee_id: int
    assignee_name: str
    language: str
    is_public: bool
    is_simulated: bool
    is_harm: bool
    reach: int
    tags: tuple[str, ...]
    last_text: str
    last_direction: str
    last_at: datetime
    unanswered_count: int
    priority: int
    queue_key: int
    waiting_since: datetime | None
    due_at: datetime | None
    due_span_s: int
    snoozed_until: datetime | None
    audience: str
    kind: str = ""
    topic_id: int = 0
    risks: tuple[str, ...] = ()


class CasePage(msgspec.Struct, frozen=True):
    """A keyset page. `n` is the event number the rows are true for: a stream opened `since=n` misses nothing."""

    rows: tuple[CaseRow, ...]
    next_cursor: str
    n: int


class FileView(msgspec.Struct, frozen=True):
    """A file of a message. `file_id` 0 while it is being fetched or could not be (`problem`)."""

    attachment_id: int
    file_id: int
    name: str
    content_type: str
    size_bytes: int
    width_px: int
    height_px: int
    is_image: bool
    is_inline: bool
    content_id: str
    alt_text: str
    problem: str


class DeliveryView(msgspec.Struct, frozen=True):
    """How one delivery stands."""

    id: int
    recipient: str
    state: str
    error_code: str
    error_detail: str
    not_before: datetime
    tries: int
    part: int = 1
    parts: int = 1


class ModerationView(msgspec.Struct, frozen=True):
    """One act on a message: hide, unhide, like, unlike, react, unreact or delete, and how it stands."""

    id: int
    verb: str
    emoji: str
    state: str
    agent_name: str
    error_code: str
    error_detail: str
    not_before: datetime
    done_at: datetime | None


class RevisionView(msgspec.Struct, frozen=True):
    """What a message said from `at` until it was changed."""

    text: str
    at: datetime


class MessageView(msgspec.Struct, frozen=True):
    """One message in the timeline. `is_customer` is false for bystanders of a public thread (they are shown folded).

    `abilities` are the acts the platform allows on it now; `emojis` what may be chosen to react with.
    """

    id: int
    version: int
    thread_id: int
    direction: str
    surface: str
    channel_name: str
    network: str
    is_public: bool
    is_customer: bool
    in_case: bool
    author_name: str
    author_handle: str
    author_agent_id: int
    text: str
    quoted_text: str
    has_html: bool
    language: str
    automatic: str
    at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    is_echo: bool
    files: tuple[FileView, ...]
    deliveries: tuple[DeliveryView, ...]
    reactions: tuple[tuple[str, int], ...]
    facts: dict[str, str]
    recipients: tuple[str, ...]
    copied: tuple[str, ...]
    platform_id: str
    is_letter: bool
    hidden_at: datetime | None = None
    liked_at: datetime | None = None
    our_reaction: str = ""
    revisions: tuple[RevisionView, ...] = ()
    moderations: tuple[ModerationView, ...] = ()
    abilities: tuple[str, ...] = ()
    emojis: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Kinds of personal data that are masked in `text`, `quoted_text` and `revisions`."""


class ThreadView(msgspec.Struct, frozen=True):
    """One thread of a case, as a choice for answering. `window_closes_at` None means no window; `closed_code` says why
    not, or ''. `window_used` of `window_allows` messages are sent, where the window counts. `opens_from` names the
    public surface whose message a private answer would open a conversation from, or ''. `private_link` is an address for
    our public answer, by which the customer comes to us in private; '' where none is needed or known.
    """

    id: int
    key: str
    channel_id: int
    channel_name: str
    channel_handle: str
    network: str
    is_simulated: bool
    surface: str
    is_public: bool
    subject: str
    permalink: str
    reach: int
    last_inbound_at: datetime | None
    rules: Surface
    window_closes_at: datetime | None
    closed_code: str
    window_allows: int
    window_used: int
    opens_from: str
    undo_s: int
    reply_to_message_id: int
    recipient_name: str
    recipient: str
    copied: tuple[str, ...]
    parent_author: str
    parent_text: str
    private_link: str = ""


class IdentityView(msgspec.Struct, frozen=True):
    """One identity of a person, with why it is theirs."""

    id: int
    network: str
    handle: str
    name: str
    key: str
    link_id: int
    evidence: str
    evidence_value: str
    confidence: float
    is_suggestion: bool
    at: datetime


class OtherCase(msgspec.Struct, frozen=True):
    """Another case of the same person; `can_join` when an agent may join the two in one key."""

    id: int
    number: int
    title: str
    state: str
    outcome: str
    network: str
    channel_name: str
    last_at: datetime
    can_join: bool


class ActView(msgspec.Struct, frozen=True):
    """Something done to the case; undoable while `can_undo`."""

    id: int
    verb: str
    agent_id: int
    agent_name: str
    why: str
    at: datetime
    can_undo: bool
    facts: dict[str, object]


class PersonCard(msgspec.Struct, frozen=True):
    """The person pane."""

    id: int
    version: int
    name: str
    language: str
    is_blocked: bool
    identities: tuple[IdentityView, ...]
    suggestions: tuple[IdentityView, ...]
    cases: tuple[OtherCase, ...]
    first_seen_at: datetime
    facts: dict[str, object]


class SignView(msgspec.Struct, frozen=True):
    """One thing that is said of the case. `number` is the sentiment, -1 to +1. `words` is the message's text in parts, (part, is it
    what the verdict leans on); `examples` are (text, label, nearness) of the nearest labelled texts.
    """

    name: str
    value: str
    label: str
    confidence: float
    by: str
    state: str
    message_id: int
    number: float | None = None
    words: tuple[tuple[str, bool], ...] = ()
    examples: tuple[tuple[str, str, float], ...] = ()


class CasePane(msgspec.Struct, frozen=True):
    """Everything the middle and right pane show. `entries` interleaves messages and acts by time; the newest `limit`
    of them.
    """

    row: CaseRow
    fields: tuple[tuple[str, str, str], ...]
    """(key, label, value) of the workspace's case fields."""
    messages: tuple[MessageView, ...]
    acts: tuple[ActView, ...]
    threads: tuple[ThreadView, ...]
    person: PersonCard
    priority_reasons: tuple[tuple[str, int], ...]
    drafts: dict[str, str]
    has_earlier: bool
    follows_number: int
    merged_into_number: int
    n: int
    signs: tuple[SignView, ...] = ()
    sentiment_first: float | None = None
    is_set_aside: bool = False
    copies: int = 0
    """Messages of others that say nearly the same."""


class NoticeView(msgspec.Struct, frozen=True):
    """A notification of an agent: `what` is assigned, mention, reply or late."""

    id: int
    what: str
    case_number: int
    person_name: str
    actor_name: str
    at: datetime
    seen_at: datetime | None
