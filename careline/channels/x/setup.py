"""Connecting an X account: what an administrator fills in, who the account is, how its news comes, and the live check.

Sources: X API v2 OpenAPI 2.167 (GET /2/users/me, /2/webhooks, /2/activity/subscriptions: its list of event types has no oauth.revoke, which comes
unasked); docs.x.com/x-api/webhooks/introduction, read 2026-11-22: https without a port, one CRC at creation and one at each PUT.
"""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView, FileSource, Health, Introduced, SettingField, Tools
from careline.channels.x import wire
from careline.channels.x.calling import API, Caller, address
from careline.errors import ChannelError

POLL_S: Final = 900.0
_ME: Final = "/2/users/me?user.fields=protected,username"
EVENTS: Final = (
    "post.mention.create",
    "post.reply.create",
    "post.quote.create",
    "post.create",
    "post.delete",
    "dm.received",
    "dm.sent",
    "dm.read",
    "dm.indicate_typing",
)


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS: Final = (
    SettingField("client_id", _("Client ID"), hint=_("X Developer Console, your app, Keys and tokens, OAuth 2.0.")),
    SettingField("client_secret", _("Client secret"), "secret", hint=_("On the same page.")),
    SettingField(
        "access_token",
        _("Access token of the account"),
        "secret",
        hint=_(
            "OAuth 2.0, with tweet.read, tweet.write, tweet.moderate.write, users.read, dm.read, dm.write, media.write and offline.access."
        ),
    ),
    SettingField(
        "refresh_token",
        _("Refresh token of the account"),
        "secret",
        hint=_("It came with the access token and works once: use it nowhere else."),
    ),
    SettingField(
        "app_bearer", _("Bearer token of the app"), "secret", hint=_("For the webhook, which belongs to the app.")
    ),
    SettingField(
        "consumer_secret",
        _("Consumer secret"),
        "secret",
        hint=_("API key secret of the app. Every delivery is signed with it."),
    ),
    SettingField(
        "plan",
        _("Plan of the app"),
        "choice",
        required=False,
        default="self_serve",
        choices=(
            ("self_serve", _("Self-serve: replies only to those who named or quoted the account, no likes")),
            ("enterprise", _("Enterprise or Public Utility: replies to everybody, likes")),
        ),
    ),
    SettingField(
        "poll_s",
        _("Ask for what was missed every (seconds)"),
        "number",
        required=False,
        default="900",
        hint=_(
            "Deliveries come at once; this finds what they missed. X allows direct messages to be read 15 times in 15 minutes."
        ),
    ),
    SettingField("api", _("API address"), "address", required=False, default=API, hint=_("Leave it unless told.")),
)


def poll_s(channel: ChannelView) -> float:
    """Seconds between looks."""
    try:
        return max(0.05, float(channel.setting("poll_s") or POLL_S))
    except ValueError:
        return POLL_S


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Who the account is; then the app's webhook and the account's subscriptions, each only where it is missing. Raises ChannelError."""
    caller = Caller(channel, tools)
    me = await caller.get(_ME, wire.User)
    settings: dict[str, object] = {"username": me.username, "protected": me.protected}
    if hook_url:
        settings["webhook_id"] = await _webhook(hook_url, caller)
        await _subscribe(me.id, str(settings["webhook_id"]), caller)
    kept = {
        name: caller.channel.secrets[name]
        for name in ("access_token", "refresh_token")
        if name in caller.channel.secrets
    }
    return Introduced(me.id, me.name, f"@{me.username}", settings, kept)


async def _webhook(hook_url: str, caller: Caller) -> str:
    """Ours, asked to knock again where X holds it for dead. Another address of the app stays as it is."""
    found = await _webhooks(caller)
    ours = next((one for one in found if one.url == hook_url), None)
    try:
        if ours is None:
            made = await caller.as_app("POST", "/2/webhooks", _Made, {"url": hook_url})
            return made.data.id
        if not ours.valid:
            await caller.as_app("PUT", f"/2/webhooks/{ours.id}", object)
    except ChannelError as refused:
        if refused.permanent and refused.code in {"refused", "hook_refused"}:
            raise ChannelError("hook_refused", "X does not reach our address.", permanent=True) from refused
        raise
    return ours.id


class _Made(msgspec.Struct, frozen=True):
    data: wire.Webhook


async def _webhooks(caller: Caller) -> list[wire.Webhook]:
    page = await caller.as_app("GET", "/2/webhooks", wire.Page)
    return [msgspec.json.decode(raw, type=wire.Webhook) for raw in page.data]


async def _subscribe(us: str, webhook_id: str, caller: Caller) -> None:
    there = await _subscribed(us, webhook_id, caller)
    for event in EVENTS:
        if event not in there:
            body = {"event_type": event, "filter": {"user_id": us}, "tag": "careline", "webhook_id": webhook_id}
            await caller.prepare("/2/activity/subscriptions", body, object)


async def _subscribed(us: str, webhook_id: str, caller: Caller) -> set[str]:
    page = await caller.page("/2/activity/subscriptions", max_results=1000)
    found = [msgspec.json.decode(raw, type=wire.Subscription) for raw in page.data]
    return {one.event_type for one in found if one.filter.user_id == us and one.webhook_id == webhook_id}


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the tokens work, for this account, and, once connected, whether X delivers to us. Never raises.

    Before connecting an ended access token is left for `introduce` to renew: what a check got would be kept by nobody, and the refresh
    token works once.
    """
    caller = Caller(channel, tools, renews=bool(channel.id))
    try:
        hooks = await _webhooks(caller)
        me = await caller.get(_ME, wire.User)
    except ChannelError as refused:
        has_ended = refused.unauthorised and not channel.id and bool(channel.secrets.get("refresh_token"))
        return Health(ok=has_ended, code="token_ended" if has_ended else refused.code, detail=refused.message)
    if channel.account_key and me.id != channel.account_key:
        return Health(ok=False, code="account_not_served", detail=f"@{me.username}")
    return _hook_health(channel, next((one for one in hooks if one.id == channel.setting("webhook_id")), None))


def _hook_health(channel: ChannelView, ours: wire.Webhook | None) -> Health:
    if channel.id and ours is None:
        return Health(ok=False, code="hook_missing")
    return Health(ok=False, code="hook_invalid") if ours is not None and not ours.valid else Health(ok=True)


async def locate_file(address_: str, channel: ChannelView, tools: Tools) -> FileSource:
    """A file of a direct message, with the account's token. Raises ChannelError."""
    caller = Caller(channel, tools)
    await caller.get(_ME, wire.User)  # renews an ended token
    token = caller.channel.secrets.get("access_token", "")
    path = f"/2/dm_conversations/media/{address_.removeprefix('x:')}"
    return FileSource(address(channel, path), {"authorization": f"Bearer {token}"})
