"""Messages and acts of a case as the middle pane shows them. Statements are stated per function; none grows with the
number of messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from careline.cases.models import Case, CaseAct
from careline.cases.queries.answering import surface_of
from careline.cases.queries.moderating import abilities, emojis_of, moderation_views
from careline.cases.queries.naming import Names
from careline.cases.rows import ActView, DeliveryView, FileView, MessageView, RevisionView
from careline.channels import registry
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.files.typing_content import INLINE_TYPES
from careline.outbox.models import Delivery, Moderation
from careline.outbox.queries import moderations_of
from careline.threads import facts, queries
from careline.threads.models import Attachment, Message, Revision, Thread
from careline.threads.personal import SENSITIVE, hidden_kinds, hide

# Acts that stand in the timeline as a message or as machine state, not as a line of their own.
SILENT_VERBS = frozenset({"answered"})
MOST_ACTS = 200
# A screen that reads further back than this sees the rest come and go as one page: drawing more at once would take a second.
MOST_MESSAGES = 2000


@dataclass(frozen=True)
class Spoken:
    """The newest messages of a pane, oldest first, with what hangs on them."""

    messages: list[Message]
    attachments: Mapping[int, list[Attachment]]
    deliveries: Mapping[int, list[Delivery]]
    has_earlier: bool
    revisions: Mapping[int, list[Revision]] = field(default_factory=dict)
    moderations: Mapping[int, list[Moderation]] = field(default_factory=dict)
    until: datetime | None = None
    """When the message was said that all of these stand before; None for the newest."""


@dataclass(frozen=True)
class Stretch:
    """Which part of a case is read: the newest `limit` messages older than message `before_id` (0: the newest of all),
    and more than `limit` where it takes more, up to MOST_MESSAGES, to reach back to message `from_id`.
    """

    limit: int = 200
    before_id: int = 0
    from_id: int = 0


def spoken(case: Case, public_thread_ids: Sequence[int], stretch: Stretch) -> Spoken:
    """Messages of the case and, in its public threads, bystanders' words. Seven statements at most, three more to reach
    back to a message.
    """
    before = _place(case, stretch.before_id)
    limit = max(1, min(stretch.limit, MOST_MESSAGES))
    first = _place(case, stretch.from_id)
    if first is not None:
        reach = queries.count_from(case.workspace_id, case.id, public_thread_ids, first, before)
        limit = max(limit, min(reach, MOST_MESSAGES))
    found = queries.newest_of_case(case.workspace_id, case.id, limit + 1, before)
    if public_thread_ids:
        found += queries.newest_of_bystanders(case.workspace_id, case.id, public_thread_ids, limit + 1, before)
    found.sort(key=lambda message: (message.at, message.id))
    shown = found[-limit:]
    message_ids = [message.id for message in shown]
    return Spoken(
        shown,
        queries.attachments_of(message_ids),
        deliveries_of(case.workspace_id, message_ids),
        len(found) > limit,
        queries.revisions_of(shown),
        moderations_of(message_ids),
        before[0] if before else None,
    )


def _place(case: Case, message_id: int) -> tuple[datetime, int] | None:
    at = queries.moment_of(case.workspace_id, message_id) if message_id else None
    return (at, message_id) if at is not None else None


def deliveries_of(workspace_id: int, message_ids: Iterable[int]) -> dict[int, list[Delivery]]:
    """How each message was delivered. One statement."""
    found: dict[int, list[Delivery]] = defaultdict(list)
    for one in Delivery.objects.filter(workspace_id=workspace_id, message_id__in=list(message_ids)).order_by("id"):
        found[one.message_id].append(one)
    return found


@dataclass(frozen=True)
class Setting:
    """Where the messages of a pane were said: the case, its threads and channels, names, and the moment of looking."""

    case: Case
    threads: Mapping[int, Thread]
    channels: Mapping[int, Channel]
    names: Names
    now: datetime
    masked: Collection[str] = SENSITIVE

    def network(self, channel_id: int | None) -> str:
        """The network of a channel, or ''."""
        channel = self.channels.get(channel_id or 0)
        return channel.network if channel else ""


def message_views(said: Spoken, setting: Setting) -> tuple[MessageView, ...]:
    """No statement."""
    rules = _Rules(setting.channels)
    return tuple(_message_view(message, said, setting, rules) for message in said.messages)


class _Rules:
    """The surfaces of the pane's channels, each looked up once."""

    def __init__(self, channels: Mapping[int, Channel]) -> None:
        self._channels = channels
        self._found: dict[tuple[int, str], Surface | None] = {}

    def of(self, message: Message) -> Surface | None:
        key = (message.channel_id or 0, message.surface)
        if key not in self._found:
            channel = self._channels.get(key[0])
            self._found[key] = surface_of(channel, message.surface) if channel else None
        return self._found[key]


def _message_view(message: Message, said: Spoken, setting: Setting, rules: _Rules) -> MessageView:
    case, names, threads = setting.case, setting.names, setting.threads
    network = setting.network(message.channel_id)
    channel = setting.channels.get(message.channel_id or 0)
    surface = rules.of(message)
    ours = str(message.reactions.get(channel.account_key, "")) if channel else ""
    author = message.author_identity
    in_case = message.case_id == case.id
    thread = threads.get(message.thread_id or 0)
    return MessageView(
        id=message.id,
        version=message.version,
        thread_id=message.thread_id or 0,
        direction=message.direction,
        surface=message.surface or (thread.surface if thread else ""),
        channel_name=names.channel(message.channel_id),
        network=network,
        is_public=message.is_public,
        is_customer=author is not None and author.person_id == case.person_id,
        in_case=in_case,
        author_name=message.author_name or (author.name if author else "") or names.agent(message.author_agent_id),
        author_handle=author.handle if author else "",
        author_agent_id=message.author_agent_id or 0,
        text=hide(message.text, message.personal, setting.masked),
        quoted_text=hide(message.quoted_text, kinds=setting.masked),
        hidden=hidden_kinds(message.personal, setting.masked),
        has_html=bool(getattr(message, "has_html", False)),
        language=message.language,
        automatic=message.automatic,
        at=message.at,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        is_echo=message.is_echo,
        files=tuple(file_view(one) for one in said.attachments.get(message.id, ())),
        deliveries=tuple(delivery_view(one) for one in said.deliveries.get(message.id, ())) if in_case else (),
        reactions=_reactions(message),
        facts=facts.small_facts_of(message),
        recipients=facts.recipients_of(message),
        copied=facts.copied_of(message),
        platform_id=message.platform_id or "",
        is_letter=_is_letter(network, message.surface),
        hidden_at=message.hidden_at,
        liked_at=message.liked_at,
        our_reaction=ours,
        revisions=tuple(
            RevisionView(hide(one.text, kinds=setting.masked), one.at) for one in said.revisions.get(message.id, ())
        ),
        moderations=moderation_views(said.moderations.get(message.id, ()), names.agents),
        abilities=abilities(message, surface, setting.now, ours),
        emojis=emojis_of(surface) if surface is not None and surface.reactions.outbound else (),
    )


def _is_letter(network: str, surface: str) -> bool:
    """Whether messages of this surface are letters, which can be forwarded to an address."""
    known = registry.networks().get(network)
    surfaces = known.capabilities.surfaces if known is not None else ()
    return any(one.name == surface and one.threading.model == "email_refs" for one in surfaces)


def file_view(one: Attachment) -> FileView:
    """An attachment, with what its bytes turned out to be."""
    stored = one.file
    content_type = stored.content_type if stored else ""
    return FileView(
        attachment_id=one.id,
        file_id=one.file_id or 0,
        name=one.name,
        content_type=content_type,
        size_bytes=stored.size_bytes if stored else 0,
        width_px=(stored.width_px or 0) if stored else 0,
        height_px=(stored.height_px or 0) if stored else 0,
        is_image=content_type in INLINE_TYPES,
        is_inline=one.is_inline,
        content_id=one.content_id,
        alt_text=one.alt_text,
        problem=one.problem,
    )


def delivery_view(one: Delivery) -> DeliveryView:
    """How a delivery stands."""
    return DeliveryView(
        id=one.id,
        recipient=one.recipient,
        state=one.state,
        error_code=one.error_code,
        error_detail=one.error_detail,
        not_before=one.not_before,
        tries=one.tries,
        part=one.part,
        parts=one.parts,
    )


def _reactions(message: Message) -> tuple[tuple[str, int], ...]:
    counted: dict[str, int] = defaultdict(int)
    for emoji in message.reactions.values():
        counted[str(emoji)] += 1
    return tuple(sorted(counted.items()))


def acts_of(case: Case, until: datetime | None = None) -> list[CaseAct]:
    """The newest acts on a case (before `until`), oldest first. One statement."""
    acts = CaseAct.objects.filter(case_id=case.id, workspace_id=case.workspace_id).exclude(verb__in=SILENT_VERBS)
    if until is not None:
        acts = acts.filter(at__lt=until)
    return list(reversed(acts.order_by("-id")[:MOST_ACTS]))


def act_views(acts: Iterable[CaseAct], names: Names) -> tuple[ActView, ...]:
    """No statement."""
    return tuple(
        ActView(
            id=act.id,
            verb=act.verb,
            agent_id=act.agent_id or 0,
            agent_name=names.agent(act.agent_id),
            why=act.why,
            at=act.at,
            can_undo=act.undone_at is None,
            facts=dict(act.after),
        )
        for act in acts
    )
