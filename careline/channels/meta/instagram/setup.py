"""Connecting an Instagram account: what an administrator fills in, who the account is, its subscription, and the live check.

An app's address for Instagram is set in its dashboard alone: "configuration via the App Subscriptions edge is not supported" (docs/messenger-platform/
instagram/features/webhook, read 2026-11-22). So the administrator enters our address and the verify token there.
"""

from __future__ import annotations

from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.meta import reading, renewing, setup
from careline.channels.meta.calling import Graph, base_of
from careline.channels.meta.instagram import wire
from careline.channels.meta.setup import _
from careline.errors import ChannelError

INSTAGRAM: Final = "https://graph.instagram.com/v26.0"
GRANT: Final = "ig_refresh_token"
NEWS: Final = (
    "comments",
    "live_comments",
    "mentions",
    "messages",
    "message_edit",
    "message_reactions",
    "messaging_seen",
    "messaging_postbacks",
    "standby",
)

FIELDS: Final = (
    SettingField(
        "token",
        _("Access token"),
        "secret",
        hint=_("Your app, Instagram, API setup with Instagram login: generate a token for the account."),
    ),
    SettingField(
        "app_secret", _("Instagram app secret"), "secret", hint=_("On the same page. Every delivery is signed with it.")
    ),
    SettingField(
        "verify_token",
        _("Verify token"),
        "secret",
        hint=_("Think of one, and enter the same at Meta with the address that is shown after connecting."),
    ),
    SettingField(
        "human_agent",
        _("Meta has granted Human Agent to the app"),
        "flag",
        required=False,
        default="",
        hint=_("Then people may answer for 7 days; without it everybody for 24 hours."),
    ),
    reading.FIELD,
    SettingField(
        "api",
        _("API address"),
        "address",
        required=False,
        default=INSTAGRAM,
        hint=_("With its version. Leave it unless told."),
    ),
)


def graph_of(channel: ChannelView, tools: Tools) -> Graph:
    """Calls at Instagram's own host, which is not asked for the proof: no document names it there."""
    return Graph(channel, tools, base=base_of(channel, INSTAGRAM), is_proven=False)


async def kept_fresh(channel: ChannelView, tools: Tools) -> ChannelView:
    """The account with a token that lasts."""
    return await renewing.kept_fresh(channel, tools, grant=GRANT, base=INSTAGRAM)


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Who the account is; its token renewed; its news subscribed to. Raises ChannelError."""
    account = await _account(channel, tools)
    fresh = await renewing.begin(channel, tools, grant=GRANT, base=INSTAGRAM)
    if hook_url:
        body: dict[str, object] = {"subscribed_fields": ",".join(NEWS)}
        await graph_of(channel, tools).post(f"{account.user_id}/subscribed_apps", body, setup.Done, is_act=False)
    return Introduced(
        account_key=account.user_id,
        name=account.name,
        handle=f"@{account.username}",
        secrets=fresh.secrets,
        secrets_end_at=fresh.end_at,
    )


async def _account(channel: ChannelView, tools: Tools) -> wire.Account:
    return await graph_of(channel, tools).get("me", wire.Account, fields="user_id,username,name")


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token serves this account, and, once connected, whether its news is subscribed to. Never raises."""
    try:
        account = await _account(channel, tools)
        if channel.id and account.user_id != channel.account_key:
            return Health(ok=False, code="account_not_served", detail=account.username)
        apps = await graph_of(channel, tools).get(f"{account.user_id}/subscribed_apps", wire.SubscribedApps)
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    return Health(ok=False, code="hook_missing") if channel.id and not apps.data else Health(ok=True)
