"""What web chat can do, what an administrator fills in, and on which sites the widget may appear."""

from __future__ import annotations

import re

from careline.channels.base import ChannelView, SettingField
from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    IdentityRule,
    Inbound,
    Lifecycle,
    Outbound,
    Receipts,
    Surface,
    TypingRule,
)

DEFAULT_COLOR = "#0b6b63"
DEFAULT_MAIL_AFTER_MIN = 5
# What a visitor may write at once; an agent's answer has no limit of the platform's.
LONGEST_TEXT = 8000

CHAT = Surface(
    name="chat",
    visibility="private",
    initiate="after_contact",
    identity=IdentityRule(key="visitor", scope="channel"),
    attachments=AttachmentRule(
        per_message=5, kinds=(AttachmentKind("any", max_bytes=10 * 1024 * 1024),), upload="two_step"
    ),
    receipts=Receipts(sent=True, delivered=True, read=True),
    typing=TypingRule(inbound=True, outbound=True),
    clock="webchat",
)

CAPABILITIES = Capabilities(
    proof="A",
    surfaces=(CHAT,),
    inbound=Inbound(
        modes=("socket",),
        verify="visitor_token",
        signed_bytes="shared_secret",
        ordered="per_thread",
        dedupe_key="client id",
    ),
    outbound=Outbound(idempotency="client_id", unknown_outcome="safe_retry", rate_signal="none"),
    lifecycle=Lifecycle(health_check=False),
)


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS = (
    SettingField(
        "origins",
        _("Sites that may show the chat"),
        hint=_("Separated by spaces, such as https://www.example.com or https://*.example.com."),
    ),
    SettingField(
        "title", _("Title"), required=False, hint=_("Shown at the top of the chat; the brand's name when empty.")
    ),
    SettingField("color", _("Colour of the button"), required=False, default=DEFAULT_COLOR),
    SettingField(
        "side",
        _("Side of the page"),
        kind="choice",
        default="end",
        choices=(("end", _("End")), ("start", _("Start"))),
    ),
    SettingField("greeting_en", _("Greeting (English)"), required=False),
    SettingField("greeting_es", _("Greeting (Spanish)"), required=False),
    SettingField(
        "mail_after_min",
        _("Minutes before an unread answer also goes by e-mail"),
        kind="number",
        required=False,
        default=str(DEFAULT_MAIL_AFTER_MIN),
        hint=_("Only to visitors who left an address. 0 switches it off."),
    ),
    SettingField(
        "identity_secret",
        _("Identity secret"),
        kind="secret",
        required=False,
        hint=_("With it your site can prove who is signed in; keep it on your server."),
    ),
)

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def script_tag(base_url: str, key: str) -> str:
    """The one tag a site needs. `key` is the connection's hook token."""
    return f'<script async src="{base_url}/widget/{key}.js"></script>'


def allowed_origins(channel: ChannelView) -> tuple[str, ...]:
    """Well-formed origins of the setting, lower case. What is malformed allows nothing."""
    words = re.split(r"[\s,;]+", channel.setting("origins").lower())
    return tuple(word for word in (one.rstrip("/") for one in words) if _ORIGIN.fullmatch(word))


def is_allowed(origin: str, allowed: tuple[str, ...]) -> bool:
    """Whether a page of this origin may show the chat. `*.` stands for one or more labels, never for none."""
    origin = origin.lower()
    if origin in allowed:
        return True
    wild = (one.split("*", 1) for one in allowed if "*" in one)
    return bool(_ORIGIN.fullmatch(origin)) and any(
        origin.startswith(scheme) and origin.endswith(domain) for scheme, domain in wild
    )


def color(channel: ChannelView) -> str:
    """The button's colour; the default for anything that is not #rrggbb."""
    chosen = channel.setting("color", DEFAULT_COLOR)
    return chosen if _COLOR.fullmatch(chosen) else DEFAULT_COLOR


def ink_on(background: str) -> str:
    """Black or white, whichever reads better on #rrggbb (WCAG 2.2 relative luminance, W3C 2024-12-12)."""
    channels = (int(background[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def mail_after_min(channel: ChannelView) -> int:
    """Minutes before an unread answer also goes by e-mail; 0 is off."""
    typed = channel.setting("mail_after_min", str(DEFAULT_MAIL_AFTER_MIN)).strip()
    return min(int(typed), 1440) if typed.isascii() and typed.isdigit() else DEFAULT_MAIL_AFTER_MIN
