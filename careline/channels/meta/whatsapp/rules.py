"""What WhatsApp can do.

Sources, read 2026-11-22, under developers.facebook.com/documentation/business-messaging/whatsapp: throughput (updated 2026-05-21: 80 messages a second,
20 for a number that the Business app uses too), business-phone-numbers/media (sizes), webhooks/reference/messages/{edit,revoke} (updated 2026-07-20 and
2026-05-21: coexistence numbers only), messages/text-messages (4,096 characters, captions 1,024), webhooks/overview (repeated for up to 7 days).
One message in 6 s to the same customer, 45 at once on credit: platform-overview, pair rate limit; the outbox obeys its refusal (131056) too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    Outbound,
    ReactionRule,
    Receipts,
    Surface,
    TextRule,
    Threading,
    Window,
)
from careline.channels.meta.setup import _

TEXT_CHARS: Final = 4096
CAPTION_CHARS: Final = 1024
DAY_S: Final = 24 * 3600
_MB: Final = 1024 * 1024
IMAGES: Final = ("image/jpeg", "image/png")
VIDEOS: Final = ("video/mp4", "video/3gpp")
PDF: Final = ("application/pdf",)
AUDIO: Final = ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")

# A template's heading takes the files of its kind, of documents PDF alone (whatsapp/templates/template-media, updated 2026-05-21; Meta's description v23.0).
TEMPLATE_MEDIA: Final[Mapping[str, AttachmentKind]] = {
    "IMAGE": AttachmentKind("image", IMAGES, 5 * _MB),
    "VIDEO": AttachmentKind("video", VIDEOS, 16 * _MB),
    "DOCUMENT": AttachmentKind("document", PDF, 100 * _MB),
}

CAPABILITIES: Final = Capabilities(
    proof="C",
    surfaces=(
        Surface(
            name="dm",
            visibility="private",
            initiate="template",
            threading=Threading("flat"),
            identity=IdentityRule(key="user_id, else phone number", scope="business", id_change_event=True),
            text=TextRule(max_length=TEXT_CHARS, unit="utf16", on_overflow="multi_post"),
            attachments=AttachmentRule(
                per_message=1,
                kinds=(
                    AttachmentKind("image", IMAGES, 5 * _MB),
                    AttachmentKind("video", VIDEOS, 16 * _MB),
                    AttachmentKind("audio", AUDIO, 16 * _MB),
                    AttachmentKind("document", ("*/*",), 100 * _MB),
                ),
                upload="two_step",
                fetch_auth=True,
                fetch_ttl_s=300,
            ),
            windows=(Window("inbound_message", DAY_S, after="template"),),
            templates_required_after_window=True,
            templates_need_approval=True,
            edit=EditRule(in_event=True),
            delete=DeleteRule(in_event=True, duty="on_event"),
            receipts=Receipts(sent=True, delivered=True, read=True, failed_async=True),
            reactions=ReactionRule(inbound=True, outbound=True),
            clock="private",
        ),
    ),
    auth=("system_user_token",),
    needs_approval=True,
    cost_note=_("Templates outside the 24 hours cost per message, by country and category."),
    inbound=Inbound(
        modes=("webhook",),
        verify="hub_signature",
        signed_bytes="raw_body",
        handshake="hub_challenge",
        ack_deadline_s=5.0,
        batch=True,
        retry_for_s=7 * DAY_S,
        dedupe_key="wamid; wamid and status",
        gap="replay",
        self_echo=True,
    ),
    outbound=Outbound(
        idempotency="none",
        unknown_outcome="never_retry",
        limits=(Limit("account", 80, 1.0), Limit("recipient", 45, 270.0)),
        rate_signal="body",
    ),
    lifecycle=Lifecycle(health_check=True),
)
