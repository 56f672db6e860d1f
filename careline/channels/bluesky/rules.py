"""What Bluesky can do, surface by surface.

Lengths, counts and sizes: lexicons app.bsky.feed.post, app.bsky.embed.images, chat.bsky.convo.defs (bluesky-social/atproto, 2026-08-20); a PDS
refuses 301 graphemes (tried on the real one, 2026-11-22). Limits: docs.bsky.app/docs/advanced-guides/rate-limits, read 2026-11-22: 5,000 points
an hour and 35,000 a day, 3 for each record made.
"""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView
from careline.channels.bluesky import setup
from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    DeleteRule,
    IdentityRule,
    Inbound,
    Lifecycle,
    Limit,
    Moderation,
    Outbound,
    ReactionRule,
    Surface,
    TextRule,
    Threading,
)

IMAGE_BYTES: Final = 2_000_000
POLLS_PER_RECHECK: Final = 20

_IDENTITY = IdentityRule(key="did", scope="global", mutable_handle=True)
_IMAGES = AttachmentRule(
    per_message=4, kinds=(AttachmentKind("image", ("image/*",), IMAGE_BYTES),), upload="two_step", alt_text=True
)


def _public(name: str) -> Surface:
    return Surface(
        name=name,
        visibility="public",
        threading=Threading("tree", quote=True),
        identity=_IDENTITY,
        text=TextRule(
            max_length=300, unit="graphemes", max_bytes=3000, markup="facets_bytes", on_overflow="multi_post"
        ),
        attachments=_IMAGES,
        delete=DeleteRule(out=True, duty="recheck", recheck_every_s=round(POLLS_PER_RECHECK * setup.POLL_S)),
        moderation=Moderation(hide=name == "comment", like=True, repeatable=True),
        reactions=ReactionRule(inbound=True),
        private_surface="dm",
        clock="public",
    )


_DM = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    threading=Threading("flat"),
    identity=_IDENTITY,
    text=TextRule(max_length=1000, unit="graphemes", max_bytes=10_000, markup="facets_bytes", on_overflow="multi_post"),
    delete=DeleteRule(in_event=True, duty="on_event"),
    moderation=Moderation(repeatable=True),
    reactions=ReactionRule(inbound=True, outbound=True, one_per_user=False),
    clock="private",
)

CAPABILITIES: Final = Capabilities(
    proof="A",
    surfaces=(_public("post"), _public("comment"), _public("reply"), _DM),
    auth=("app_password",),
    inbound=Inbound(
        modes=("poll",),
        verify="none",
        signed_bytes="none",
        ordered="none",
        batch=True,
        dedupe_key="at:// address of the record; rev of the chat event",
        gap="cursor",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="client_id",
        unknown_outcome="lookup",
        limits=(Limit("account", 1666, 3600.0), Limit("account", 11_666, 86_400.0)),
        rate_signal="headers",
    ),
    lifecycle=Lifecycle(token_ttl_s=7200, refresh=True),
)


def effective(channel: ChannelView) -> Capabilities:
    """Without access to direct messages there is no private surface; rechecks follow the account's pace."""
    has_chat = setup.has_chat(channel)
    surfaces = [_at_pace(one, channel, has_chat) for one in CAPABILITIES.surfaces if one.is_public or has_chat]
    return msgspec.structs.replace(CAPABILITIES, surfaces=tuple(surfaces))


def _at_pace(surface: Surface, channel: ChannelView, has_chat: bool) -> Surface:
    if not surface.is_public:
        return surface
    every_s = max(1, round(POLLS_PER_RECHECK * setup.poll_s(channel)))
    delete = msgspec.structs.replace(surface.delete, recheck_every_s=every_s)
    return msgspec.structs.replace(surface, delete=delete, private_surface="dm" if has_chat else "")
