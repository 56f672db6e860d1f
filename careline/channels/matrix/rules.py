"""What an account on Matrix can do, surface by surface.

Source: Matrix Client-Server API v1.18: "Size limits" (an event is at most 65,536 bytes as JSON, with all the server adds), event replacements,
redactions, reactions, receipts (spec.matrix.org, read 2026-11-22). Synapse lets an account write 10 messages at once and then one every five
seconds unless told otherwise (`rc_message`, its configuration manual, read 2026-11-22); servers differ and say so by 429, which is obeyed.
"""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView
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
)

CONTENT_BYTES: Final = 60_000
"""Of the 65,536 bytes of an event; the rest is for what the server adds: hashes, signatures, the events before it."""
TEXT_BYTES: Final = 28_000
"""An edit says its text twice, so that half of it is what a text may have to be edited later."""
UPLOAD_BYTES: Final = 50 * 1024 * 1024

_DM: Final = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    threading=Threading("flat"),
    identity=IdentityRule(key="user_id", scope="platform"),
    text=TextRule(max_length=TEXT_BYTES, unit="bytes", markup="plain", on_overflow="multi_post"),
    attachments=AttachmentRule(
        per_message=10, kinds=(AttachmentKind("any", max_bytes=UPLOAD_BYTES),), upload="two_step", fetch_auth=True
    ),
    edit=EditRule(out=True, in_event=True),
    delete=DeleteRule(out=True, in_event=True, duty="on_event"),
    moderation=Moderation(repeatable=True),
    receipts=Receipts(sent=True, read=True),
    typing=TypingRule(outbound=True, ttl_s=6),
    reactions=ReactionRule(inbound=True, outbound=True, one_per_user=False),
    clock="private",
)
_GROUP: Final = msgspec.structs.replace(
    _DM,
    name="group",
    visibility="public",
    threading=Threading("reply_to", quote=True),
    receipts=Receipts(sent=True),
    private_surface="dm",
    clock="public",
)

CAPABILITIES: Final = Capabilities(
    proof="A",
    surfaces=(_DM, _GROUP),
    auth=("access_token", "password"),
    inbound=Inbound(
        modes=("poll",),
        verify="none",
        signed_bytes="none",
        ordered="per_thread",
        batch=True,
        dedupe_key="event_id",
        gap="cursor",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="txn_id",
        unknown_outcome="safe_retry",
        limits=(Limit("account", 10, 1.0),),
        rate_signal="body",
    ),
    lifecycle=Lifecycle(refresh=True, revoke_event=True),
)


def effective(channel: ChannelView) -> Capabilities:
    """With the largest file that this account's homeserver takes."""
    told = channel.settings.get("upload_bytes")
    if not isinstance(told, int) or told <= 0:
        return CAPABILITIES
    return msgspec.structs.replace(
        CAPABILITIES, surfaces=tuple(_with_uploads(one, told) for one in CAPABILITIES.surfaces)
    )


def _with_uploads(surface: Surface, most_bytes: int) -> Surface:
    kinds = (AttachmentKind("any", max_bytes=most_bytes),)
    return msgspec.structs.replace(surface, attachments=msgspec.structs.replace(surface.attachments, kinds=kinds))
