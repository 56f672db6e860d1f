"""What a Telegram bot can do, surface by surface.

Source: core.telegram.org/bots/api (Bot API 10.1, 2026-06-11): sendMessage, sendPhoto, getFile, deleteMessage, BusinessBotRights, ReactionTypeEmoji;
Telegram Bot Support, "My bot is hitting limits" (telegra.ph/Hitting-limits-bot-FAQ); "Getting updates": kept for 24 hours. Read 2026-11-22.
"""

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
    Surface,
    TextRule,
    Threading,
    TypingRule,
    Window,
)

TEXT_UNITS: Final = 4096
"""The documentation says characters; counted in UTF-16 units, as entities are, a text never is longer than either reading allows."""
CAPTION_UNITS: Final = 1024
PHOTO_BYTES: Final = 10 * 1024 * 1024
FILE_BYTES: Final = 50 * 1024 * 1024
DAY_S: Final = 24 * 3600
_EMOJI: Final = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓"
    " 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
)
EMOJI: Final = tuple(_EMOJI.split())

_DM: Final = Surface(
    name="dm",
    visibility="private",
    initiate="after_contact",
    reply_rule="same_thread",
    threading=Threading("flat", quote=True),
    identity=IdentityRule(key="user_id", scope="platform"),
    text=TextRule(max_length=TEXT_UNITS, unit="utf16", markup="plain", on_overflow="multi_post"),
    attachments=AttachmentRule(per_message=10, kinds=(AttachmentKind("any", max_bytes=FILE_BYTES),), fetch_auth=True),
    edit=EditRule(out=True, in_event=True),
    delete=DeleteRule(out=True, within_s=2 * DAY_S),
    moderation=Moderation(repeatable=True),
    typing=TypingRule(outbound=True, ttl_s=5),
    reactions=ReactionRule(inbound=True, outbound=True, allowed=EMOJI),
    clock="private",
)
_BUSINESS: Final = msgspec.structs.replace(
    _DM,
    name="business",
    windows=(Window("inbound_message", DAY_S),),
    delete=DeleteRule(out=True, in_event=True, duty="on_event"),
    reactions=ReactionRule(),
)
_GROUP: Final = msgspec.structs.replace(
    _DM,
    name="group",
    visibility="public",
    threading=Threading("reply_to", quote=True),
    private_surface="dm",
    private_way="link",
    clock="public",
)
_COMMENT: Final = msgspec.structs.replace(_GROUP, name="comment", threading=Threading("thread_root", quote=True))

CAPABILITIES: Final = Capabilities(
    proof="B",
    surfaces=(_DM, _BUSINESS, _GROUP, _COMMENT),
    auth=("bot_token",),
    inbound=Inbound(
        modes=("webhook", "poll"),
        verify="secret_header",
        signed_bytes="shared_secret",
        ack_deadline_s=10.0,
        ordered="total",
        batch=False,
        retry_for_s=DAY_S,
        dedupe_key="update_id",
        gap="cursor",
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="never_retry",
        limits=(Limit("account", 30, 1.0), Limit("thread", 20, 60.0)),
        rate_signal="body",
    ),
    lifecycle=Lifecycle(health_check=True),
)
