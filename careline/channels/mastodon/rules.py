"""What Mastodon can do, surface by surface, and how an account's own server changes that.

Source: docs.joinmastodon.org (entities/V2_Instance, methods/statuses, api/rate-limits), read 2026-11-22.
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
    Limit,
    Moderation,
    Outbound,
    ReactionRule,
    Surface,
    TextRule,
    Threading,
    Visibility,
)
from careline.channels.mastodon import lengths, setup, wire

ROOM_FOR_NAMES: Final = 40
"""Left free for the @name that a post must begin with: a user's name has at most 30 letters on a Mastodon server (USERNAME_LENGTH_LIMIT)."""
POLLS_PER_RECHECK: Final = 20


def _surface(name: str, visibility: Visibility, private_surface: str = "") -> Surface:
    return Surface(
        name=name,
        visibility=visibility,
        initiate="after_contact" if name == "dm" else "never",
        threading=Threading("flat" if name == "dm" else "tree", quote=True, auto_mentions=True),
        identity=IdentityRule(key="user@server", scope="global", mutable_handle=False),
        text=_text(wire.StatusLimits().max_characters),
        attachments=_attachments(wire.StatusLimits().max_media_attachments, wire.MediaLimits()),
        edit=EditRule(out=True, in_event=True),
        delete=DeleteRule(
            out=True, in_event=True, duty="recheck", recheck_every_s=round(POLLS_PER_RECHECK * setup.POLL_S)
        ),
        moderation=Moderation(like=True, repeatable=True),
        reactions=ReactionRule(inbound=True),
        private_surface=private_surface,
        clock="private" if name == "dm" else "public",
    )


def _text(max_characters: int, link_weight: int = lengths.LINK_WEIGHT) -> TextRule:
    return TextRule(
        max_length=max(1, max_characters - ROOM_FOR_NAMES),
        unit=lengths.UNIT,
        url_weight=link_weight,
        on_overflow="multi_post",
    )


def _attachments(most: int, limits: wire.MediaLimits) -> AttachmentRule:
    video = limits.video_size_limit
    kinds = (
        AttachmentKind("image", ("image/*",), limits.image_size_limit),
        AttachmentKind("video", ("video/*",), video),
        AttachmentKind("audio", ("audio/*",), video),
    )
    return AttachmentRule(per_message=most, kinds=kinds, upload="two_step", alt_text=True)


CAPABILITIES: Final = Capabilities(
    proof="B",
    surfaces=(
        _surface("post", "public", "dm"),
        _surface("reply", "public", "dm"),
        _surface("dm", "direct_but_admin_readable"),
    ),
    auth=("access_token",),
    inbound=Inbound(
        modes=("stream", "poll"),
        verify="none",
        signed_bytes="none",
        batch=True,
        dedupe_key="id of the post, its edit, the notification",
        gap="cursor",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="header",
        unknown_outcome="lookup",
        limits=(Limit("account", 150, 300.0),),
        rate_signal="headers",
    ),
)


def effective(channel: ChannelView) -> Capabilities:
    """Lengths and sizes as the account's server has them; rechecks follow the account's pace."""
    most = _number(channel, "max_characters", wire.StatusLimits().max_characters)
    limits = wire.MediaLimits()
    files = _attachments(
        _number(channel, "max_files", wire.StatusLimits().max_media_attachments),
        wire.MediaLimits(
            image_size_limit=_number(channel, "image_bytes", limits.image_size_limit),
            video_size_limit=_number(channel, "video_bytes", limits.video_size_limit),
        ),
    )
    every_s = max(1, round(POLLS_PER_RECHECK * setup.poll_s(channel)))
    surfaces = tuple(
        msgspec.structs.replace(
            one,
            text=_text(most, _number(channel, "link_weight", lengths.LINK_WEIGHT)),
            attachments=files,
            delete=msgspec.structs.replace(one.delete, recheck_every_s=every_s),
        )
        for one in CAPABILITIES.surfaces
    )
    return msgspec.structs.replace(CAPABILITIES, surfaces=surfaces)


def _number(channel: ChannelView, name: str, default: int) -> int:
    value = channel.settings.get(name)
    return value if isinstance(value, int) and value > 0 else default
