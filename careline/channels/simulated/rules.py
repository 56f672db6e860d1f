"""What the simulated network can do, surface by surface; its rules are those that large platforms have."""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    DeleteRule,
    EditRule,
    IdentityRule,
    Inbound,
    Lifecycle,
    Limit,
    Moderation,
    Outbound,
    ReactionRule,
    Receipts,
    Surface,
    TextRule,
    Threading,
    TypingRule,
    Window,
)

POST_GRAPHEMES: Final = 280
DM_CHARS: Final = 2000
FILE_BYTES: Final = 5 * 1024 * 1024
FILES_PER_MESSAGE: Final = 4
DAY_S: Final = 24 * 3600

_FILES = AttachmentRule(
    per_message=FILES_PER_MESSAGE,
    kinds=(
        AttachmentKind("image", ("image/jpeg", "image/png", "image/webp", "image/gif"), FILE_BYTES),
        AttachmentKind("document", ("application/pdf",), FILE_BYTES),
    ),
    upload="two_step",
    alt_text=True,
)
_IDENTITY = IdentityRule(key="user_id", scope="platform", mutable_handle=True)
_NAMELESS = msgspec.structs.replace(_IDENTITY, names="asked")
_EDIT = EditRule(out=True, within_s=3600, in_event=True)
_DELETE = DeleteRule(out=True, in_event=True, duty="on_event", purge_within_s=DAY_S)
_REACTIONS = ReactionRule(inbound=True, outbound=True)


def _public(name: str, threading: Threading) -> Surface:
    return Surface(
        name=name,
        visibility="public",
        initiate="after_contact",
        reply_rule="same_thread",
        threading=threading,
        identity=_IDENTITY,
        text=TextRule(max_length=POST_GRAPHEMES, unit="graphemes", on_overflow="multi_post"),
        attachments=_FILES,
        edit=_EDIT,
        delete=_DELETE,
        moderation=Moderation(hide=name == "comment", like=True, repeatable=True),
        receipts=Receipts(sent=True, failed_async=True),
        reactions=_REACTIONS,
        private_surface="dm",
        clock="public",
    )


_DM = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    reply_rule="same_thread",
    threading=Threading("flat", quote=True),
    identity=_NAMELESS,
    text=TextRule(max_length=DM_CHARS, unit="chars", on_overflow="reject"),
    attachments=_FILES,
    windows=(
        Window("inbound_message", DAY_S),
        Window("inbound_message", 7 * DAY_S, author="human_only", tag="human_agent"),
        Window("inbound_comment", 7 * DAY_S, max_messages=1, author="human_only", tag="private_reply"),
    ),
    edit=_EDIT,
    delete=_DELETE,
    moderation=Moderation(block=True, like=True, repeatable=True),
    receipts=Receipts(sent=True, delivered=True, read=True, failed_async=True),
    typing=TypingRule(inbound=True, outbound=True, ttl_s=6),
    reactions=_REACTIONS,
    clock="private",
)

_LIMITS = (Limit("account", 300, 60.0), Limit("thread", 20, 60.0))
OUTBOUND: Final[dict[str, Outbound]] = {
    "lookup": Outbound(idempotency="none", unknown_outcome="lookup", limits=_LIMITS),
    "never_retry": Outbound(idempotency="none", unknown_outcome="never_retry", limits=_LIMITS),
    "safe_retry": Outbound(idempotency="client_id", unknown_outcome="safe_retry", limits=_LIMITS),
}
"""By the channel setting `sending`: how the account behaves when an outcome is unknown."""

CAPABILITIES: Final = Capabilities(
    proof="A",
    surfaces=(
        _public("post", Threading("tree", quote=True)),
        _public("comment", Threading("two_level", max_depth=2)),
        _public("reply", Threading("tree", quote=True)),
        _DM,
    ),
    auth=("api_key",),
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="standard_webhooks",
        signed_bytes="ts_body",
        handshake="crc",
        ack_deadline_s=10.0,
        ordered="none",
        batch=True,
        retry_for_s=DAY_S,
        dedupe_key="event id",
        gap="cursor",
        self_echo=True,
    ),
    outbound=OUTBOUND["lookup"],
    lifecycle=Lifecycle(revoke_event=True, health_check=True),
)


def with_templates(surface: Surface) -> Surface:
    """The same surface where an approved text may be sent when no window is open."""
    return msgspec.structs.replace(surface, templates_required_after_window=bool(surface.windows))


def without_repeating(surface: Surface) -> Surface:
    """The same surface on a platform where an act that may have been done must not be done again."""
    return msgspec.structs.replace(surface, moderation=msgspec.structs.replace(surface.moderation, repeatable=False))
