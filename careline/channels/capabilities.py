"""What a network can do, declared per channel and per surface. Screens and outbox obey this and know no network by name.

Shapes follow reference/platforms.md section 4 (2026-11-21). All are frozen; an adapter returns them from `Network.capabilities`, and from
`Network.effective` where the account's plan or server decides.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from careline.kit import counting

Visibility = Literal["public", "private", "direct_but_admin_readable", "e2ee"]
AuthorKind = Literal["human", "machine"]


class Threading(msgspec.Struct, frozen=True):
    """How the platform hangs messages together. `max_depth` 0 means no limit."""

    model: Literal["flat", "reply_to", "two_level", "tree", "thread_root", "email_refs"] = "flat"
    quote: bool = False
    max_depth: int = 0
    auto_mentions: bool = False


class IdentityRule(msgspec.Struct, frozen=True):
    """What names a person here. Keys of different scopes are never compared.

    `names`: authors come with a name (`told`), or may come with nothing but their key (`asked`): those are asked for after the
    digest, each once, by `Network.who_is`.
    """

    key: str = "user_id"
    scope: Literal["global", "platform", "app", "page", "business", "channel"] = "platform"
    mutable_handle: bool = True
    may_lack_phone: bool = True
    id_change_event: bool = False
    names: Literal["told", "asked"] = "told"


class TextRule(msgspec.Struct, frozen=True):
    """Length of one message. `max_length` 0 means no limit; `unit` is a name known to kit.counting.

    What happens to a longer text: `reject` it; `multi_post`: the outbox sends it as several, in order, each once, after
    the writer agreed; `split`: one call takes it and the platform divides it; `truncate`: the platform cuts it off.
    """

    max_length: int = 0
    unit: str = "chars"
    min_length: int = 1
    max_bytes: int = 0
    url_weight: int = 0
    markup: Literal["plain", "html", "markdown_x", "entities", "facets_bytes", "blocks"] = "plain"
    on_overflow: Literal["reject", "split", "multi_post", "truncate"] = "reject"
    empty_ok_with_media: bool = True

    def length(self, text: str) -> int:
        """Length as this platform counts it."""
        return counting.measure(text, self.unit)

    def fits(self, text: str) -> bool:
        """Within every limit."""
        within = not self.max_length or self.length(text) <= self.max_length
        return within and (not self.max_bytes or counting.measure(text, "bytes") <= self.max_bytes)

    def parts(self, text: str) -> list[str]:
        """The posts a text goes out as where `on_overflow` is multi_post: each within every limit, no word lost."""
        by_length = counting.split(text, self.unit, self.max_length) if self.max_length else [text.strip()]
        if not self.max_bytes:
            return by_length
        return [part for long in by_length for part in counting.split(long, "bytes", self.max_bytes)]


class AttachmentKind(msgspec.Struct, frozen=True):
    """One kind of file. `types` are MIME types or families such as `image/*`."""

    kind: Literal["image", "video", "audio", "document", "any"]
    types: tuple[str, ...] = ("*/*",)
    max_bytes: int = 25 * 1024 * 1024
    max_seconds: int = 0


class AttachmentRule(msgspec.Struct, frozen=True):
    """Files with a message. `per_message` 0 means none may be sent."""

    per_message: int = 0
    with_text: bool = True
    kinds: tuple[AttachmentKind, ...] = ()
    upload: Literal["inline", "presign", "url", "two_step"] = "inline"
    fetch_auth: bool = False
    fetch_ttl_s: int = 0
    alt_text: bool = False


class Window(msgspec.Struct, frozen=True):
    """How long after a customer's act we may write, and who may. `max_messages` 0 means no limit.

    The count begins anew with each act that opens the window: `inbound_comment` with `max_messages` 1 is a private
    reply once per comment.
    """

    opens: Literal["inbound_message", "inbound_comment", "ad_click", "subscribe"]
    lasts_s: int
    max_messages: int = 0
    author: Literal["any", "human_only"] = "any"
    tag: str = ""
    after: Literal["template", "closed", "pay"] = "closed"


class EditRule(msgspec.Struct, frozen=True):
    """Changing what was said: ours (`out`), theirs (`in_event`)."""

    out: bool = False
    within_s: int = 0
    max_times: int = 0
    in_event: bool = False


class DeleteRule(msgspec.Struct, frozen=True):
    """Taking back what was said (`out`, within `within_s` of saying it, 0 for ever), and our duty to honour theirs."""

    out: bool = False
    within_s: int = 0
    in_event: bool = False
    duty: Literal["none", "on_event", "recheck"] = "none"
    recheck_every_s: int = 0
    purge_within_s: int = 0


class Moderation(msgspec.Struct, frozen=True):
    """What we may do to others' words under our posts.

    `repeatable`: doing any of it again changes nothing more (hiding what is hidden, deleting what is gone), so that an
    act whose outcome is unknown may be repeated; else a person is asked. It also covers reactions and deleting ours.
    """

    hide: bool = False
    delete_theirs: bool = False
    block: bool = False
    like: bool = False
    report: bool = False
    repeatable: bool = False


class Receipts(msgspec.Struct, frozen=True):
    """Which signs of arrival exist."""

    accepted: bool = True
    sent: bool = False
    delivered: bool = False
    read: bool = False
    failed_async: bool = False


class TypingRule(msgspec.Struct, frozen=True):
    """Typing signs, in and out; a sign fades after `ttl_s`."""

    inbound: bool = False
    outbound: bool = False
    ttl_s: int = 6


class ReactionRule(msgspec.Struct, frozen=True):
    """Reactions, in and out; an empty `allowed` means any emoji."""

    inbound: bool = False
    outbound: bool = False
    allowed: tuple[str, ...] = ()
    one_per_user: bool = True


class Surface(msgspec.Struct, frozen=True):
    """One kind of place on a network: dm, post, comment, reply, review, email, call, chat ...

    `private_way` says how a public word leads to `private_surface`: by our `message`, or by a `link` in our public answer
    (`Network.private_link`), since only the customer may begin.
    """

    name: str
    visibility: Visibility
    initiate: Literal["never", "after_contact", "template", "free"] = "never"
    reply_rule: Literal["none", "author_must_mention_us", "one_per_item", "same_thread"] = "same_thread"
    threading: Threading = Threading()
    identity: IdentityRule = IdentityRule()
    text: TextRule = TextRule()
    attachments: AttachmentRule = AttachmentRule()
    windows: tuple[Window, ...] = ()
    templates_required_after_window: bool = False
    templates_need_approval: bool = False
    quick_replies: bool = False
    edit: EditRule = EditRule()
    delete: DeleteRule = DeleteRule()
    moderation: Moderation = Moderation()
    receipts: Receipts = Receipts()
    typing: TypingRule = TypingRule()
    reactions: ReactionRule = ReactionRule()
    answer_here: bool = True
    private_surface: str = ""
    private_way: Literal["message", "link"] = "message"
    clock: Literal["public", "private", "webchat", "email", "log", "review"] = "private"
    price: str = ""
    """What the platform takes for one message, as it says it (`$0.015`), and `price_with_link` for one with a link: shown beside the composer."""
    price_with_link: str = ""

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"


class Inbound(msgspec.Struct, frozen=True):
    """How deliveries reach us, and what may be trusted about them."""

    modes: tuple[Literal["webhook", "poll", "stream", "socket", "push_relay", "form"], ...] = ("webhook",)
    verify: str = "standard_webhooks"
    signed_bytes: Literal["raw_body", "ts_body", "url_form", "jwt", "shared_secret", "none"] = "ts_body"
    handshake: str = "none"
    ack_deadline_s: float = 10.0
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    ordered: Literal["none", "per_thread", "total"] = "none"
    batch: bool = False
    retry_for_s: int = 0
    dedupe_key: str = "event id"
    gap: Literal["replay", "cursor", "history", "refetch", "none"] = "none"
    self_echo: bool = False


class Limit(msgspec.Struct, frozen=True):
    """At most `n` sends in `per_s` seconds within a scope, on these `surfaces` (empty: on all); the outbox keeps a token bucket for each."""

    scope: Literal["app", "account", "thread", "recipient"]
    n: int
    per_s: float
    surfaces: tuple[str, ...] = ()


class Outbound(msgspec.Struct, frozen=True):
    """How sends behave. `never_retry`: an unknown outcome waits for its echo or a person; `lookup`: the adapter can ask; `safe_retry`: repeating is harmless."""

    idempotency: Literal["header", "client_id", "txn_id", "message_id", "none"] = "none"
    result: Literal["sync_id", "async_status"] = "sync_id"
    unknown_outcome: Literal["safe_retry", "lookup", "never_retry"] = "never_retry"
    limits: tuple[Limit, ...] = ()
    rate_signal: Literal["headers", "retry_after", "body", "none"] = "retry_after"
    max_tries: int = 8


class Lifecycle(msgspec.Struct, frozen=True):
    """How a connection lives. Times in seconds, 0 meaning it does not end."""

    token_ttl_s: int = 0
    refresh: bool = False
    revoke_event: bool = False
    subscription_ttl_s: int = 0
    health_check: bool = True
    silent_after_s: int = 0


class Capabilities(msgspec.Struct, frozen=True):
    """Everything the core needs to know about a network."""

    proof: Literal["A", "B", "C", "D"]
    surfaces: tuple[Surface, ...]
    auth: tuple[str, ...] = ()
    needs_approval: bool = False
    cost_note: str = ""
    inbound: Inbound = Inbound()
    outbound: Outbound = Outbound()
    lifecycle: Lifecycle = Lifecycle()

    def surface(self, name: str) -> Surface:
        """The surface of that name. Raises KeyError."""
        for surface in self.surfaces:
            if surface.name == name:
                return surface
        raise KeyError(name)
