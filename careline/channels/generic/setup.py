"""What the generic channel can do, and what an administrator fills in to connect one."""

from __future__ import annotations

from careline.channels.base import SettingField
from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    DeleteRule,
    EditRule,
    IdentityRule,
    Inbound,
    Moderation,
    Outbound,
    ReactionRule,
    Receipts,
    Surface,
    TextRule,
    Threading,
    TypingRule,
)

_FILES = AttachmentRule(per_message=10, kinds=(AttachmentKind("any", max_bytes=10 * 1024 * 1024),))


def _surface(name: str, *, public: bool) -> Surface:
    return Surface(
        name=name,
        visibility="public" if public else "private",
        initiate="after_contact",
        threading=Threading(model="reply_to"),
        identity=IdentityRule(key="user_id", scope="channel"),
        text=TextRule(max_length=20_000, unit="codepoints"),
        attachments=_FILES,
        edit=EditRule(out=True, in_event=True),
        delete=DeleteRule(out=True, in_event=True, duty="on_event"),
        moderation=Moderation(repeatable=True),
        receipts=Receipts(sent=True, delivered=True, read=True, failed_async=True),
        typing=TypingRule(inbound=True, outbound=True),
        reactions=ReactionRule(inbound=True),
        private_surface="message" if public else "",
        clock="public" if public else "private",
    )


CAPABILITIES = Capabilities(
    proof="A",
    auth=("api_key",),
    surfaces=(_surface("message", public=False), _surface("post", public=True)),
    inbound=Inbound(
        batch=True, self_echo=True, ordered="per_thread", dedupe_key="event_id, or the message's id", gap="replay"
    ),
    outbound=Outbound(idempotency="header", unknown_outcome="safe_retry", rate_signal="retry_after"),
)


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS = (
    SettingField(
        "secret",
        _("Signing secret"),
        kind="secret",
        hint=_("Signs both directions after the Standard Webhooks specification: whsec_ followed by base64."),
    ),
    SettingField(
        "outbound_url",
        _("Address that takes our answers"),
        kind="address",
        required=False,
        hint=_("Careline posts every answer here, signed. Leave empty for a channel that only listens."),
    ),
)
