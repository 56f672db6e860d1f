"""What a Facebook Page can do, surface by surface.

Sources, read 2026-11-22, under developers.facebook.com/documentation/business-messaging/messenger-platform: policy (2026-09-28), discovery/private-replies
(2026-04-16), overview/rate-limiting (2026-03-23: 300 texts and 10 files a second, 750 private replies an hour), reference/send-api (2,000 characters, 25 MB).
8,000 characters of a comment stand in no document that was found: public reports of refusals, so unsure.
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

COMMENT_CHARS: Final = 8000
DM_CHARS: Final = 2000
DAY_S: Final = 24 * 3600
WEEK_S: Final = 7 * DAY_S
_MB: Final = 1024 * 1024
_IDENTITY: Final = IdentityRule(key="page-scoped id", scope="page")
_NAMELESS: Final = IdentityRule(key="page-scoped id", scope="page", names="asked")


def _public(name: str) -> Surface:
    return Surface(
        name=name,
        visibility="public",
        threading=Threading("two_level", max_depth=2),
        identity=_IDENTITY,
        text=TextRule(max_length=COMMENT_CHARS, unit="utf16", on_overflow="multi_post"),
        attachments=AttachmentRule(
            per_message=1,
            kinds=(AttachmentKind("image", ("image/jpeg", "image/png", "image/gif"), 4 * _MB),),
            upload="two_step",
        ),
        edit=EditRule(out=name == "comment", in_event=True),
        delete=DeleteRule(out=name == "comment", in_event=True, duty="on_event"),
        moderation=Moderation(hide=name == "comment", like=True, repeatable=True),
        reactions=ReactionRule(inbound=True),
        private_surface="dm",
        clock="public",
    )


_DM: Final = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    threading=Threading("flat"),
    identity=_NAMELESS,
    text=TextRule(max_length=DM_CHARS, unit="utf16", on_overflow="multi_post"),
    attachments=AttachmentRule(
        per_message=1,
        with_text=False,
        kinds=(AttachmentKind("any", ("*/*",), 25 * _MB),),
        upload="two_step",
    ),
    windows=(
        Window("inbound_message", DAY_S),
        Window("inbound_message", WEEK_S, author="human_only", tag="HUMAN_AGENT"),
        Window("inbound_comment", WEEK_S, max_messages=1, author="human_only", tag="private_reply"),
    ),
    edit=EditRule(in_event=True),
    receipts=Receipts(delivered=True, read=True),
    typing=TypingRule(outbound=True, ttl_s=20),
    reactions=ReactionRule(inbound=True),
    clock="private",
)

CAPABILITIES: Final = Capabilities(
    proof="C",
    surfaces=(_DM, _public("comment"), _public("post")),
    auth=("page_token",),
    needs_approval=True,
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="hub_signature",
        signed_bytes="raw_body",
        handshake="hub_challenge",
        ack_deadline_s=5.0,
        batch=True,
        retry_for_s=36 * 3600,
        dedupe_key="mid, comment id; hash of the rest",
        gap="history",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="never_retry",
        limits=(Limit("account", 300, 1.0),),
        rate_signal="headers",
    ),
    lifecycle=Lifecycle(health_check=True),
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
