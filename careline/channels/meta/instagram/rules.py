"""What Instagram can do, surface by surface.

Sources, read 2026-11-22: instagram-platform/private-replies (updated 2026-06-30: one message, within 7 days, text), .../instagram-messaging (1,000 bytes of UTF-8,
images 8 MB, sound and video 25 MB), messenger-platform/overview/rate-limiting (2026-03-23: 300 texts and 10 files a second, 750 private replies an hour).
2,200 characters of a comment stand in no document that was found, so unsure. Deleted comments are told to nobody: they are asked for.
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
    Window,
)

COMMENT_CHARS: Final = 2200
DM_BYTES: Final = 1000
DAY_S: Final = 24 * 3600
WEEK_S: Final = 7 * DAY_S
RECHECK_S: Final = 1800
HEART: Final = "\u2764\ufe0f"
_MB: Final = 1024 * 1024
_IDENTITY: Final = IdentityRule(key="Instagram-scoped id", scope="app")
_NAMELESS: Final = IdentityRule(key="Instagram-scoped id", scope="app", names="asked")

_COMMENT: Final = Surface(
    name="comment",
    visibility="public",
    threading=Threading("two_level", max_depth=2),
    identity=_IDENTITY,
    text=TextRule(max_length=COMMENT_CHARS, unit="utf16", on_overflow="multi_post"),
    delete=DeleteRule(out=True, duty="recheck", recheck_every_s=RECHECK_S),
    moderation=Moderation(hide=True, repeatable=True),
    private_surface="dm",
    clock="public",
)
_MENTION: Final = msgspec.structs.replace(
    _COMMENT, name="mention", identity=_NAMELESS, delete=DeleteRule(), moderation=Moderation(), private_surface=""
)
_DM: Final = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    threading=Threading("flat"),
    identity=_NAMELESS,
    text=TextRule(max_length=DM_BYTES, unit="bytes", on_overflow="multi_post"),
    attachments=AttachmentRule(
        per_message=1,
        with_text=False,
        kinds=(
            AttachmentKind("image", ("image/jpeg", "image/png", "image/gif"), 8 * _MB),
            AttachmentKind("video", ("video/mp4", "video/ogg", "video/quicktime", "video/webm"), 25 * _MB),
            AttachmentKind("audio", ("audio/aac", "audio/mp4", "audio/wav"), 25 * _MB),
            AttachmentKind("document", ("application/pdf",), 25 * _MB),
        ),
        upload="two_step",
    ),
    windows=(
        Window("inbound_message", DAY_S),
        Window("inbound_message", WEEK_S, author="human_only", tag="HUMAN_AGENT"),
        Window("inbound_comment", WEEK_S, max_messages=1, author="human_only", tag="private_reply"),
    ),
    edit=EditRule(in_event=True),
    delete=DeleteRule(in_event=True, duty="on_event"),
    moderation=Moderation(repeatable=True),
    receipts=Receipts(read=True),
    typing=TypingRule(outbound=True, ttl_s=20),
    reactions=ReactionRule(inbound=True, outbound=True, allowed=(HEART,)),
    clock="private",
)

CAPABILITIES: Final = Capabilities(
    proof="C",
    surfaces=(_DM, _COMMENT, _MENTION),
    auth=("instagram_login",),
    needs_approval=True,
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="hub_signature",
        signed_bytes="raw_body",
        handshake="hub_challenge",
        ack_deadline_s=5.0,
        batch=True,
        retry_for_s=36 * 3600,
        dedupe_key="mid, comment id",
        gap="history",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="never_retry",
        limits=(Limit("account", 300, 1.0),),
        rate_signal="headers",
    ),
    lifecycle=Lifecycle(token_ttl_s=60 * DAY_S, refresh=True),
)


def has_human_agent(channel: ChannelView) -> bool:
    """Whether Meta has granted the feature Human Agent to the app."""
    return channel.setting("human_agent").lower() in {"true", "1", "on", "yes"}


def effective(channel: ChannelView) -> Capabilities:
    """Without Human Agent the private window is 24 hours for everybody."""
    if has_human_agent(channel):
        return CAPABILITIES
    windows = tuple(one for one in _DM.windows if one.tag != "HUMAN_AGENT")
    surfaces = (msgspec.structs.replace(_DM, windows=windows), *CAPABILITIES.surfaces[1:])
    return msgspec.structs.replace(CAPABILITIES, surfaces=surfaces)
