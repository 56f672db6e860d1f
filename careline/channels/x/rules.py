"""What X lets an account do, surface by surface, by its plan.

Sources, read 2026-11-22: docs.x.com/fundamentals/counting-characters (280, weighted); docs.x.com/x-api/fundamentals/edit-posts (30 minutes, five times, never
a reply to others); .../rate-limits and .../pricing (xdevplatform/docs, 2026-08-22); the announcement of 2026-02-23: outside Enterprise and Public
Utility plans a reply is taken only where its addressee named or quoted us. Who may be written in private decides the customer; there is no window.
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
    Receipts,
    Surface,
    TextRule,
    Threading,
    TypingRule,
)
from careline.channels.x import setup, weighing

MOST_WEIGHT: Final = 280
MOST_PRIVATE: Final = 10_000
QUARTER_S: Final = 900.0
DAY_S: Final = 86_400
LOOKS_PER_RECHECK: Final = 24
"""With a look every 15 minutes the posts of the last day are asked for every six hours, each time for money."""
ENTERPRISE: Final = "enterprise"
"""Of the setting `plan`: Enterprise and Public Utility apps may answer everybody, and like."""
_MB: Final = 1024 * 1024
_MEDIA: Final = (
    AttachmentKind("image", ("image/jpeg", "image/png", "image/webp"), 5 * _MB),
    AttachmentKind("image", ("image/gif",), 15 * _MB),
    AttachmentKind("video", ("video/mp4", "video/quicktime"), 512 * _MB, max_seconds=140),
)


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


def _public(name: str) -> Surface:
    return Surface(
        name=name,
        visibility="public",
        reply_rule="author_must_mention_us",
        threading=Threading("tree", quote=True, auto_mentions=True),
        identity=IdentityRule(key="user_id", scope="global"),
        text=TextRule(MOST_WEIGHT, weighing.UNIT, url_weight=weighing.LINK_WEIGHT, on_overflow="multi_post"),
        attachments=AttachmentRule(4, kinds=_MEDIA, upload="two_step", alt_text=True),
        edit=EditRule(in_event=True),
        delete=DeleteRule(
            out=True, duty="recheck", recheck_every_s=round(LOOKS_PER_RECHECK * setup.POLL_S), purge_within_s=DAY_S
        ),
        moderation=Moderation(hide=name == "comment", repeatable=True),
        private_surface="dm",
        private_way="link",
        clock="public",
        price="$0.01",
        price_with_link="$0.20",
    )


_DM: Final = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    threading=Threading("flat"),
    identity=IdentityRule(key="user_id", scope="global"),
    text=TextRule(MOST_PRIVATE, "chars", on_overflow="multi_post"),
    attachments=AttachmentRule(1, kinds=_MEDIA, upload="two_step", fetch_auth=True),
    receipts=Receipts(read=True),
    typing=TypingRule(inbound=True),
    clock="private",
    price="$0.015",
)

CAPABILITIES: Final = Capabilities(
    proof="C",
    surfaces=(_public("post"), _public("comment"), _DM),
    auth=("oauth2_pkce",),
    needs_approval=True,
    cost_note=_(
        "X charges each item: $0.015 a post, $0.20 with a link, $0.01 where you were named, $0.015 a direct message; $0.001 to $0.005 for what is read."
    ),
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="x_webhooks",
        signed_bytes="raw_body",
        handshake="crc",
        ack_deadline_s=10.0,
        batch=False,
        dedupe_key="id of the post or of the direct message",
        gap="cursor",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="never_retry",
        limits=(
            Limit("account", 100, QUARTER_S, surfaces=("post", "comment")),
            Limit("account", 15, QUARTER_S, surfaces=("dm",)),
            Limit("account", 1440, DAY_S, surfaces=("dm",)),
        ),
        rate_signal="headers",
    ),
    lifecycle=Lifecycle(token_ttl_s=7200, refresh=True, revoke_event=True),
)


def effective(channel: ChannelView) -> Capabilities:
    """What the plan allows; rechecks follow the account's pace."""
    every_s = max(1, round(LOOKS_PER_RECHECK * setup.poll_s(channel)))
    is_rich = channel.setting("plan") == ENTERPRISE
    surfaces = tuple(_effective(one, every_s, is_rich) if one.is_public else one for one in CAPABILITIES.surfaces)
    return msgspec.structs.replace(CAPABILITIES, surfaces=surfaces)


def _effective(surface: Surface, every_s: int, is_rich: bool) -> Surface:
    delete = msgspec.structs.replace(surface.delete, recheck_every_s=every_s)
    if not is_rich:
        return msgspec.structs.replace(surface, delete=delete)
    moderation = msgspec.structs.replace(surface.moderation, like=True)
    free = {"price": "", "price_with_link": ""}  # such plans have contracts of their own
    return msgspec.structs.replace(surface, delete=delete, reply_rule="same_thread", moderation=moderation, **free)
