"""Connecting a Bluesky account: what an administrator fills in, who the account is, and the live check."""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.bluesky import calling, wire
from careline.errors import ChannelError

POLL_S: Final = 15.0


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS: Final = (
    SettingField("handle", _("Handle"), hint=_("The account's name on Bluesky, for example aurora.bsky.social.")),
    SettingField(
        "app_password",
        _("App password"),
        "secret",
        hint=_(
            "Bluesky: Settings, Privacy and security, App passwords. Tick access to direct messages. Never the account's own password."
        ),
    ),
    SettingField(
        "server",
        _("Server"),
        "address",
        required=False,
        default=calling.HOST,
        hint=_("Leave it unless the account lives on a server of its own."),
    ),
    SettingField(
        "poll_s",
        _("Ask for news every (seconds)"),
        "number",
        required=False,
        default="15",
        hint=_("Three small requests each time; Bluesky allows 3,000 in five minutes for one address."),
    ),
)


def poll_s(channel: ChannelView) -> float:
    """Seconds between looks."""
    try:
        return max(0.05, float(channel.setting("poll_s") or POLL_S))
    except ValueError:
        return POLL_S


def has_chat(channel: ChannelView) -> bool:
    """Whether direct messages were reachable when the account was connected."""
    return channel.settings.get("has_chat") is not False


async def introduce(channel: ChannelView, tools: Tools) -> Introduced:
    """Exchange the app password for a session, once; its DID is the account. Raises ChannelError."""
    session = await calling.open_session(channel, tools)
    settings: dict[str, object] = {"pds": _endpoint(session) or calling.host_of(channel)}
    opened = msgspec.structs.replace(
        channel,
        account_key=session.did,
        settings={**channel.settings, **settings},
        secrets={**channel.secrets, **calling.secrets_of(session)},
    )
    settings["has_chat"] = not await _chat_trouble(calling.Caller(opened, tools))
    return Introduced(
        account_key=session.did,
        handle=f"@{session.handle}",
        settings=settings,
        secrets=calling.secrets_of(session),
    )


def _endpoint(session: wire.Session) -> str:
    services = session.did_doc.service if session.did_doc else ()
    raw = next((one.service_endpoint for one in services if one.id.endswith("#atproto_pds")), msgspec.Raw(b'""'))
    found = msgspec.json.decode(raw)
    return found.rstrip("/") if isinstance(found, str) else ""


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the session works, for this account, with direct messages. Before connecting, the password is tried."""
    try:
        if not channel.secrets.get("access_jwt"):
            channel = _as_introduced(channel, await introduce(channel, tools))
        caller = calling.Caller(channel, tools)
        found = await caller.ask("com.atproto.server.getSession", wire.Profile)
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message[:200])
    if channel.account_key and found.did != channel.account_key:
        return Health(ok=False, code="account_not_served", detail=found.did)
    return Health(ok=True, code=await _chat_trouble(caller) or "ok")


def _as_introduced(channel: ChannelView, known: Introduced) -> ChannelView:
    return msgspec.structs.replace(
        channel, settings={**channel.settings, **known.settings}, secrets={**channel.secrets, **known.secrets}
    )


async def _chat_trouble(caller: calling.Caller) -> str:
    try:
        await caller.ask("chat.bsky.convo.listConvos", wire.Convos, ("limit", "1"))
    except ChannelError:
        return "no_private_access"
    return ""
