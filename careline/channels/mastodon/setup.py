"""Connecting a Mastodon account: what an administrator fills in, who the account is, what its server allows, and the live check."""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.mastodon import calling, wire
from careline.errors import ChannelError

POLL_S: Final = 15.0
NOBODYS_POST: Final = "0"
_NEEDED: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("PUT", f"/api/v1/statuses/{NOBODYS_POST}", {"status": "."}),
    ("PUT", f"/api/v1/media/{NOBODYS_POST}", {}),
    ("POST", f"/api/v1/statuses/{NOBODYS_POST}/unfavourite", {}),
)
"""Changes to what nobody has: 404 to a token that may write, 403 to one that may not."""


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


FIELDS: Final = (
    SettingField(
        "server", _("Server"), "address", hint=_("Where the account lives, for example https://mastodon.social.")
    ),
    SettingField(
        "access_token",
        _("Access token"),
        "secret",
        hint=_(
            "On that server: Preferences, Development, New application. Tick read and write, save, open the application and copy its access token."
        ),
    ),
    SettingField(
        "poll_s",
        _("Ask for news every (seconds)"),
        "number",
        required=False,
        default="15",
        hint=_("Two small requests each time; Mastodon allows 300 in five minutes."),
    ),
)


def poll_s(channel: ChannelView) -> float:
    """Seconds between looks."""
    try:
        return max(0.05, float(channel.setting("poll_s") or POLL_S))
    except ValueError:
        return POLL_S


async def introduce(channel: ChannelView, tools: Tools) -> Introduced:
    """The account's full name, by which all servers know it, and its server's limits. Raises ChannelError."""
    caller = calling.Caller(channel, tools)
    account = await caller.ask("/api/v1/accounts/verify_credentials", wire.Account)
    server = await caller.ask("/api/v2/instance", wire.Instance)
    statuses, media = server.configuration.statuses, server.configuration.media_attachments
    domain = server.domain.lower()
    return Introduced(
        account_key=full_name(account.acct, domain),
        handle=f"@{full_name(account.acct, domain)}",
        settings={
            "account_id": account.id,
            "domain": domain,
            "streaming": server.configuration.urls.streaming or "",
            "max_characters": statuses.max_characters,
            "link_weight": statuses.characters_reserved_per_url,
            "max_files": statuses.max_media_attachments,
            "image_bytes": media.image_size_limit,
            "video_bytes": media.video_size_limit,
        },
    )


def full_name(acct: str, domain: str) -> str:
    """user@server, lower case: the one name of an account on all servers (docs.joinmastodon.org/spec/webfinger, read 2026-11-22)."""
    return (acct if "@" in acct else f"{acct}@{domain}").lower()


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token is this account's, may read, and may write. Nothing is changed."""
    try:
        known = await introduce(channel, tools)
        if channel.account_key and known.account_key != channel.account_key:
            return Health(ok=False, code="account_not_served", detail=known.account_key)
        caller = calling.Caller(channel, tools)
        await caller.ask("/api/v1/notifications", tuple[wire.Listed, ...], ("limit", "1"))
        await caller.ask(
            f"/api/v1/accounts/{known.settings['account_id']}/statuses", tuple[wire.Listed, ...], ("limit", "1")
        )
        for verb, path, body in _NEEDED:
            await _may(caller, verb, path, body)
    except ChannelError as refused:
        code = "answer_unreadable" if refused.code == "message_gone" else refused.code  # some other kind of server
        return Health(ok=False, code=code, detail=refused.message[:200])
    return Health(ok=True)


async def _may(caller: calling.Caller, verb: str, path: str, body: dict[str, str]) -> None:
    try:
        await caller.do(verb, path, wire.Nothing, body=msgspec.json.encode(body))
    except ChannelError as refused:
        if refused.code not in {"message_gone", "refused"}:
            raise
