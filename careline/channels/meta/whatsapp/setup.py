"""Connecting a WhatsApp number: what an administrator fills in, who the number is, how its news comes, and the live check."""

from __future__ import annotations

from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.meta import setup
from careline.channels.meta.calling import Graph
from careline.channels.meta.setup import _
from careline.channels.meta.whatsapp import wire
from careline.errors import ChannelError

TOPIC: Final = "whatsapp_business_account"
NEWS: Final = ("messages", "smb_message_echoes")
NEEDED: Final = ("whatsapp_business_messaging", "whatsapp_business_management")

FIELDS: Final = (
    SettingField(
        "phone_number_id", _("Phone number ID"), hint=_("WhatsApp, API Setup: the ID under the number, not the number.")
    ),
    SettingField("waba_id", _("WhatsApp Business Account ID"), hint=_("On the same page.")),
    SettingField(
        "token",
        _("Access token"),
        "secret",
        hint=_("Of a system user, with both WhatsApp permissions, without an end."),
    ),
    setup.APP_ID,
    setup.APP_SECRET,
    setup.API,
)


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Who the number is, what the token is good for, and the number's own address for its news. Raises ChannelError."""
    token = await setup.inspect(channel, tools, NEEDED)
    number = await _number(channel, tools)
    if hook_url:
        await setup.subscribe(channel, hook_url, tools, topic=TOPIC, fields=NEWS, may_differ=True)
        body: dict[str, object] = {
            "override_callback_uri": hook_url,
            "verify_token": channel.secrets.get("verify_token", ""),
        }
        await setup.hook_call(Graph(channel, tools), _subscribed_apps(channel), body)
    return Introduced(
        account_key=number.id,
        name=number.verified_name,
        handle=number.display_phone_number,
        secrets=setup.verify_token(channel),
        secrets_end_at=token.end_at,
    )


async def _number(channel: ChannelView, tools: Tools) -> wire.Number:
    fields = "id,display_phone_number,verified_name"
    return await Graph(channel, tools).get(channel.setting("phone_number_id").strip(), wire.Number, fields=fields)


def _subscribed_apps(channel: ChannelView) -> str:
    return f"{channel.setting('waba_id').strip()}/subscribed_apps"


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token serves this number, and, once connected, whether its news comes to us. Never raises."""
    try:
        await setup.inspect(channel, tools, NEEDED)
        await _number(channel, tools)
        apps = await Graph(channel, tools).get(_subscribed_apps(channel), wire.SubscribedApps)
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    ours = {one.whatsapp_business_api_data.id for one in apps.data}
    if channel.id and channel.setting("app_id").strip() not in ours:
        return Health(ok=False, code="hook_missing")
    return Health(ok=True)
