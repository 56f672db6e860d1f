"""What e-mail can do, what an administrator fills in to connect a mailbox, and the live check of it."""

from __future__ import annotations

from careline.channels.base import ChannelView, SettingField
from careline.channels.capabilities import (
    AttachmentKind,
    AttachmentRule,
    Capabilities,
    IdentityRule,
    Inbound,
    Lifecycle,
    Limit,
    Outbound,
    Receipts,
    Surface,
    TextRule,
    Threading,
)

MAX_FILE_BYTES = 25 * 1024 * 1024
DEFAULT_PER_MINUTE = 30

CAPABILITIES = Capabilities(
    proof="A",
    auth=("password", "xoauth2"),
    surfaces=(
        Surface(
            name="email",
            visibility="private",
            initiate="free",
            threading=Threading(model="email_refs", quote=True),
            identity=IdentityRule(key="email", scope="global", mutable_handle=False),
            text=TextRule(max_length=0, unit="chars", markup="html"),
            attachments=AttachmentRule(
                per_message=50, kinds=(AttachmentKind("any", max_bytes=MAX_FILE_BYTES),), upload="inline"
            ),
            receipts=Receipts(accepted=True, sent=True, delivered=True, read=True, failed_async=True),
            clock="email",
        ),
    ),
    inbound=Inbound(
        modes=("stream", "poll", "webhook"),
        verify="standard_webhooks",
        delivery="at_least_once",
        ordered="none",
        dedupe_key="Message-ID and a hash of the content",
        batch=True,
        gap="cursor",
        self_echo=False,
    ),
    outbound=Outbound(
        idempotency="message_id",
        unknown_outcome="never_retry",
        limits=(Limit("account", DEFAULT_PER_MINUTE, 60), Limit("recipient", 60, 3600)),
        rate_signal="body",
        max_tries=12,
    ),
    lifecycle=Lifecycle(health_check=True),
)


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


_SECURITY = (("tls", _("TLS")), ("starttls", _("STARTTLS")), ("none", _("None (only a server on this machine)")))
_PROVIDERS = (
    ("", _("None")),
    ("google", _("Google Workspace, Gmail")),
    ("microsoft", _("Microsoft 365, Outlook")),
    ("other", _("Another provider")),
)

FIELDS = (
    SettingField(
        "address",
        _("Mail address"),
        kind="address",
        hint=_("The address customers write to. It is also the sender of every answer."),
    ),
    SettingField("from_name", _("Sender name"), required=False, hint=_("Empty: the name of the brand.")),
    SettingField(
        "sign_in",
        _("Sign in with"),
        kind="choice",
        default="password",
        choices=(("password", _("A password or app password")), ("oauth", _("OAuth (XOAUTH2)"))),
    ),
    SettingField("user", _("User name"), required=False, hint=_("Usually the mail address. Empty: the mail address.")),
    SettingField("password", _("Password"), kind="secret", required=False),
    SettingField("oauth_provider", _("OAuth provider"), kind="choice", required=False, default="", choices=_PROVIDERS),
    SettingField(
        "oauth_tenant", _("Directory (tenant) ID"), required=False, hint=_("Microsoft 365 only. Empty: common.")
    ),
    SettingField(
        "oauth_token_url",
        _("Token address"),
        required=False,
        hint=_("For another provider: the https address that gives out tokens."),
    ),
    SettingField("oauth_client_id", _("Client ID"), required=False),
    SettingField("oauth_client_secret", _("Client secret"), kind="secret", required=False),
    SettingField(
        "oauth_refresh_token",
        _("Refresh token"),
        kind="secret",
        required=False,
        hint=_("Empty: Careline signs in as the application itself."),
    ),
    SettingField(
        "oauth_scope", _("Scope"), required=False, hint=_("Empty: what the provider needs for IMAP and SMTP.")
    ),
    SettingField(
        "shared_mailbox",
        _("Shared mailbox"),
        required=False,
        hint=_("Its address, when the token belongs to somebody who may read it."),
    ),
    SettingField("imap_host", _("IMAP server"), hint=_("For example imap.gmail.com or outlook.office365.com.")),
    SettingField("imap_security", _("IMAP encryption"), kind="choice", default="tls", choices=_SECURITY),
    SettingField("imap_port", _("IMAP port"), kind="number", required=False, hint=_("Empty: 993 with TLS, else 143.")),
    SettingField(
        "folders",
        _("Folders"),
        default="INBOX",
        hint=_("Separated by commas. The first is watched without delay, the others every minute."),
    ),
    SettingField(
        "import_since",
        _("Import mail since"),
        required=False,
        hint=_(
            "A day such as 2026-01-31. Empty: only from now on. Older mail is history: done, no clock, nothing sent."
        ),
    ),
    SettingField(
        "max_mail_mb",
        _("Largest mail to fetch, MB"),
        kind="number",
        required=False,
        default="40",
        hint=_("Of a larger one the beginning is shown with a notice."),
    ),
    SettingField("smtp_host", _("SMTP server"), hint=_("For example smtp.gmail.com or smtp.office365.com.")),
    SettingField("smtp_security", _("SMTP encryption"), kind="choice", default="starttls", choices=_SECURITY),
    SettingField(
        "smtp_port", _("SMTP port"), kind="number", required=False, hint=_("Empty: 587 with STARTTLS, 465 with TLS.")
    ),
    SettingField("smtp_user", _("SMTP user name"), required=False, hint=_("Empty: the same as for IMAP.")),
    SettingField(
        "smtp_password", _("SMTP password"), kind="secret", required=False, hint=_("Empty: the same as for IMAP.")
    ),
    SettingField(
        "send_per_minute",
        _("Mails a minute at most"),
        kind="number",
        required=False,
        default=str(DEFAULT_PER_MINUTE),
        hint=_("Your provider's limit."),
    ),
    SettingField(
        "plus_addressing",
        _("Signed answer addresses"),
        kind="flag",
        required=False,
        default="1",
        hint=_("Needs a server that delivers name+anything@ to name@."),
    ),
    SettingField("send_html", _("Send an HTML twin"), kind="flag", required=False, default="1"),
    SettingField(
        "authserv_id",
        _("Trusted checker"),
        required=False,
        hint=_("The name your server signs Authentication-Results with (mx.google.com). Empty: no sender is proven."),
    ),
    SettingField(
        "hook_secret",
        _("HTTP intake secret"),
        kind="secret",
        required=False,
        hint=_("whsec_ and base64. Only when another program pushes mails by HTTP."),
    ),
)


def flag(channel: ChannelView, name: str, *, default: bool) -> bool:
    """A yes-or-no setting, however a form stored it."""
    value = channel.settings.get(name)
    if value is None or value == "":
        return default
    return str(value).strip().lower() in {"1", "true", "yes", "on"}
