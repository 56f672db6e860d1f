"""Connecting an account on Matrix: what an administrator fills in, who the account is, what its homeserver allows, the live check, and files."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import msgspec

from careline.channels.base import ChannelView, FileSource, Health, Introduced, SettingField, Tools
from careline.channels.matrix import calling, wire
from careline.channels.matrix.calling import Caller, path
from careline.channels.matrix.inbound import SCHEME
from careline.errors import ChannelError

AUTHENTICATED: Final = (1, 11)
"""Since v1.11 files are given only to those who show a token, at other addresses than before (spec.matrix.org, read 2026-11-22)."""
_VERSION: Final = re.compile(r"v(\d{1,4})\.(\d{1,4})")


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS: Final = (
    SettingField(
        "homeserver", _("Homeserver"), "address", hint=_("Where the account lives, for example matrix.aurora.example.")
    ),
    SettingField(
        "user",
        _("User name"),
        required=False,
        hint=_("With a password: for example care, or @care:aurora.example. Not needed with an access token."),
    ),
    SettingField(
        "password",
        _("Password"),
        "secret",
        required=False,
        hint=_("Used once, to get an access token, and not kept."),
    ),
    SettingField(
        "access_token",
        _("Access token"),
        "secret",
        required=False,
        hint=_("Instead of a password. It should belong to Careline alone, and not to a client somebody uses."),
    ),
    SettingField(
        "accept_invites",
        _("Invitations"),
        "choice",
        required=False,
        default="yes",
        choices=(
            ("yes", _("Enter every room we are invited to: anybody can write to us in private")),
            ("no", _("Leave them: only rooms the account has entered are read")),
        ),
    ),
)


async def introduce(channel: ChannelView, tools: Tools) -> Introduced:
    """Exchange a password for a token, once; then who the account is and what its server allows. Raises ChannelError."""
    channel = await _at_home(channel, tools)
    versions = await Caller(channel, tools).ask("/_matrix/client/versions", wire.Versions)
    secrets = await _signed_in(channel, tools) if channel.secrets.get("password") else {}
    channel = msgspec.structs.replace(channel, secrets={**channel.secrets, **secrets})
    caller = Caller(channel, tools)
    me = await caller.ask(path("account", "whoami"), wire.Whoami)
    settings = {
        "base_url": channel.setting("base_url"),
        "device_id": me.device_id,
        "media": "client/v1/media" if _is_at_least(versions, AUTHENTICATED) else "media/v3",
    }
    limit = await _upload_limit(settings["media"], caller)
    return Introduced(
        account_key=me.user_id,
        handle=me.user_id,
        settings={**settings, "upload_bytes": limit},
        secrets=secrets,
    )


async def _at_home(channel: ChannelView, tools: Tools) -> ChannelView:
    """A server name may point elsewhere by /.well-known/matrix/client ("Server discovery"); what points nowhere is itself the address."""
    typed = msgspec.structs.replace(
        channel, settings={**channel.settings, "base_url": calling.typed_host(channel)}, secrets={}
    )
    try:
        found = await Caller(typed, tools).ask("/.well-known/matrix/client", wire.WellKnown)
    except ChannelError:
        found = wire.WellKnown()
    base = (found.homeserver.get("base_url") or typed.setting("base_url")).rstrip("/")
    return msgspec.structs.replace(channel, settings={**channel.settings, "base_url": base})


async def _signed_in(channel: ChannelView, tools: Tools) -> dict[str, str]:
    """The token of a device of our own, the same one each time. An empty password takes the place of the one that was used."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": channel.setting("user").strip()},
        "password": channel.secrets.get("password", ""),
        "initial_device_display_name": "Careline",
        "refresh_token": True,
    }
    device = channel.setting("device_id")
    told = await _ask_for_token(body | ({"device_id": device} if device else {}), channel, tools)
    return {"access_token": told.access_token, "refresh_token": told.refresh_token, "password": ""}


async def _ask_for_token(body: dict[str, object], channel: ChannelView, tools: Tools) -> wire.Login:
    nobody = Caller(msgspec.structs.replace(channel, secrets={}), tools)
    try:
        return await nobody.do("POST", path("login"), body, wire.Login)
    except calling.Refused as refused:
        if refused.errcode in {"M_FORBIDDEN", "M_UNKNOWN", "M_INVALID_USERNAME"}:
            raise ChannelError("login_refused", "The homeserver refuses user or password.", permanent=True) from refused
        raise


def _is_at_least(told: wire.Versions, wanted: tuple[int, int]) -> bool:
    found = (_VERSION.fullmatch(one) for one in told.versions)
    return any((int(one[1]), int(one[2])) >= wanted for one in found if one is not None)


async def _upload_limit(media: str, caller: Caller) -> int:
    found = await caller.find(f"/_matrix/{media}/config", wire.MediaLimits)
    return found.size if found else 0


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token works, for this account. Before connecting, a password is tried, and the token got for it given back."""
    try:
        known = await introduce(channel, tools) if not channel.id else Introduced()
        opened = msgspec.structs.replace(
            channel, settings={**channel.settings, **known.settings}, secrets={**channel.secrets, **known.secrets}
        )
        me = await Caller(opened, tools).ask(path("account", "whoami"), wire.Whoami)
        if known.secrets:
            await Caller(opened, tools).do("POST", path("logout"), None, wire.Nothing)
    except ChannelError as refused:
        return Health(ok=False, code=_health_code(refused, channel), detail=refused.message[:200])
    if channel.account_key and me.user_id != channel.account_key:
        return Health(ok=False, code="account_not_served", detail=me.user_id)
    return Health(ok=True)


def _health_code(refused: ChannelError, channel: ChannelView) -> str:
    has_any = channel.secrets.get("access_token") or channel.secrets.get("password")
    if not has_any:
        return "not_configured"
    return "token_refused" if refused.unauthorised else refused.code


async def locate_file(address: str, channel: ChannelView, tools: Tools) -> FileSource:
    """Where the bytes of `matrix:<server>/<media id>` are; a token that may have ended is tried first. Raises ChannelError."""
    server, _slash, media_id = address.removeprefix(SCHEME).partition("/")
    caller = Caller(channel, tools)
    if channel.secrets.get("refresh_token"):
        await caller.ask(path("account", "whoami"), wire.Whoami)
    place = f"/_matrix/{channel.setting('media', 'client/v1/media')}/download/{quote(server, safe='')}/{quote(media_id, safe='')}"
    token = caller.channel.secrets.get("access_token", "")
    return FileSource(f"{calling.host_of(channel)}{place}", {"authorization": f"Bearer {token}"})
