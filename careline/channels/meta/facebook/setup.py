"""Connecting a Page: what an administrator fills in, which Page the token is of, how its news comes, and the live check."""

from __future__ import annotations

from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.meta import reading, setup
from careline.channels.meta.calling import Graph
from careline.channels.meta.facebook import wire
from careline.channels.meta.setup import _
from careline.errors import ChannelError

TOPIC: Final = "page"
NEWS: Final = (
    "feed",
    "mention",
    "messages",
    "message_echoes",
    "message_edits",
    "message_reads",
    "message_deliveries",
    "message_reactions",
    "messaging_postbacks",
    "standby",
)
NEEDED: Final = (
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
)

FIELDS: Final = (
    SettingField(
        "token",
        _("Page access token"),
        "secret",
        hint=_("Of the Page itself, without an end: see the page of this network."),
    ),
    setup.APP_ID,
    setup.APP_SECRET,
    SettingField(
        "human_agent",
        _("Meta has granted Human Agent to the app"),
        "flag",
        required=False,
        default="",
        hint=_("Then people may answer for 7 days; without it everybody for 24 hours."),
    ),
    reading.FIELD,
    setup.API,
)


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Which Page it is, what its token is good for, and the app's and the Page's subscriptions. Raises ChannelError."""
    token = await setup.inspect(channel, tools, NEEDED)
    page = await _page(token, channel, tools)
    if hook_url:
        await setup.subscribe(channel, hook_url, tools, topic=TOPIC, fields=NEWS)
        body: dict[str, object] = {"subscribed_fields": ",".join(NEWS)}
        await Graph(channel, tools).post(f"{page.id}/subscribed_apps", body, setup.Done, is_act=False)
    return Introduced(
        account_key=page.id,
        name=page.name,
        handle=f"@{page.username}" if page.username else page.name,
        secrets=setup.verify_token(channel),
        secrets_end_at=token.end_at,
    )


async def _page(token: setup.Token, channel: ChannelView, tools: Tools) -> wire.Page:
    """A token of a person would speak in their name."""
    if token.type != "PAGE":
        raise ChannelError("not_a_page_token", "This is no token of a Page.", permanent=True)
    return await Graph(channel, tools).get(token.profile_id or "me", wire.Page, fields="id,name,username")


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token serves this Page, and, once connected, whether its news comes to us. Never raises."""
    try:
        page = await _page(await setup.inspect(channel, tools, NEEDED), channel, tools)
        if channel.id and page.id != channel.account_key:
            return Health(ok=False, code="account_not_served", detail=page.name)
        hook = await setup.subscription(channel, tools, TOPIC) if channel.id else None
        apps = await Graph(channel, tools).get(f"{page.id}/subscribed_apps", wire.SubscribedApps)
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    is_subscribed = channel.setting("app_id").strip() in {one.id for one in apps.data}
    if channel.id and (hook is None or not is_subscribed):
        return Health(ok=False, code="hook_missing")
    return Health(ok=True)
