"""What Threads can do. Public only: it has no messages.

Sources, read 2026-11-22, under developers.facebook.com/documentation/threads: posts (updated 2026-04-14: 500 characters, emoji counted as their bytes of UTF-8),
overview (250 posts in 24 hours), retrieve-and-manage-replies (1,000 replies), reply-management (2026-02-13: only top-level replies are hidden), posts/delete-posts
(100 deletions a day). Pictures must lie at a public address, which Careline does not give, so none are sent.
"""

from __future__ import annotations

from typing import Final

import msgspec
import regex

from careline.channels.capabilities import (
    Capabilities,
    DeleteRule,
    IdentityRule,
    Inbound,
    Lifecycle,
    Limit,
    Moderation,
    Outbound,
    Surface,
    TextRule,
    Threading,
)
from careline.kit import counting

UNIT: Final = "emoji_bytes"
DAY_S: Final = 24 * 3600
RECHECK_S: Final = 1800
_PIECE: Final = regex.compile(r"\X")
_EMOJI: Final = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")


def measure(text: str) -> int:
    """Characters, but an emoji as many as its bytes of UTF-8."""
    pieces = _PIECE.findall(text)
    return sum(len(one.encode()) if _EMOJI.search(one) else len(one) for one in pieces)


counting.register_unit(UNIT, measure)

_REPLY: Final = Surface(
    name="reply",
    visibility="public",
    threading=Threading("tree"),
    identity=IdentityRule(key="user name", mutable_handle=True),
    text=TextRule(max_length=500, unit=UNIT, on_overflow="multi_post"),
    delete=DeleteRule(out=True, duty="recheck", recheck_every_s=RECHECK_S),
    moderation=Moderation(hide=True, repeatable=True),
    clock="public",
)

CAPABILITIES: Final = Capabilities(
    proof="D",
    surfaces=(
        _REPLY,
        msgspec.structs.replace(_REPLY, name="mention", moderation=Moderation(repeatable=True)),
    ),
    auth=("oauth",),
    needs_approval=True,
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="hub_signature",
        signed_bytes="raw_body",
        handshake="hub_challenge",
        ack_deadline_s=5.0,
        batch=False,
        retry_for_s=36 * 3600,
        dedupe_key="post id",
        gap="history",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="lookup",
        limits=(Limit("account", 1000, float(DAY_S)),),
        rate_signal="body",
    ),
    lifecycle=Lifecycle(token_ttl_s=60 * DAY_S, refresh=True),
)
