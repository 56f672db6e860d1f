"""What an administrator fills in to connect a bot, who the bot is, how its news reaches us, and the live check."""

from __future__ import annotations

from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.telegram import calling, wire
from careline.channels.telegram.inbound import WANTED
from careline.errors import ChannelError
from careline.kit import ids


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


NAME: Final = "Telegram"

FIELDS: Final = (
    SettingField("token", _("Bot token"), "secret", hint=_("From @BotFather, for example 123456:ABC-DEF.")),
    SettingField(
        "mode",
        _("How messages arrive"),
        "choice",
        required=False,
        default="polling",
        choices=(
            ("polling", _("Careline asks for them: works behind any firewall")),
            ("webhook", _("Telegram posts them: Careline needs a public https address")),
        ),
    ),
    SettingField(
        "api",
        _("API address"),
        "address",
        required=False,
        default=calling.API,
        hint=_("Change it only for a Bot API server of your own."),
    ),
)


def polls(channel: ChannelView) -> bool:
    """Whether the channel asks for updates itself."""
    return channel.setting("mode", "polling") != "webhook"


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Who the bot is; then its webhook is set or taken away, since Telegram serves only one of both ways. Updates that wait are kept."""
    me = await calling.call("getMe", {}, channel, tools, wire.User)
    secrets = {} if polls(channel) else {"hook_secret": channel.secrets.get("hook_secret") or ids.new_token()}
    if polls(channel):
        await calling.call("deleteWebhook", {}, channel, tools, object)
    else:
        await _set_hook(hook_url, secrets["hook_secret"], channel, tools)
    return Introduced(
        account_key=str(me.id),
        name=me.first_name,
        handle=f"@{me.username}",
        settings={"username": me.username},
        secrets=secrets,
    )


async def _set_hook(hook_url: str, secret: str, channel: ChannelView, tools: Tools) -> None:
    given = {"url": hook_url, "secret_token": secret, "allowed_updates": WANTED}
    try:
        await calling.call("setWebhook", given, channel, tools, object)
    except calling.Refused as refused:
        if refused.permanent:
            raise ChannelError("hook_refused", "Telegram refuses our address.", permanent=True) from refused
        raise


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token works, and, once connected, whether the webhook is as the chosen way wants it. Never raises."""
    try:
        me = await calling.call("getMe", {}, channel, tools, wire.User)
        hook = await calling.call("getWebhookInfo", {}, channel, tools, wire.HookState) if channel.id else None
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    if hook is not None and bool(hook.url) == polls(channel):
        return Health(ok=False, code="hook_in_the_way" if hook.url else "hook_missing")
    if hook is not None and hook.last_error_message:
        return Health(ok=True, code="hook_failed_lately", detail=hook.last_error_message[:200])
    return Health(ok=True, code="ok" if me.can_read_all_group_messages else "hears_mentions_only")
