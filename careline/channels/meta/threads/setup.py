"""Connecting a Threads account: what an administrator fills in, who the account is, and the live check.

Its webhooks are set in the app's dashboard alone (documentation/threads/webhooks, updated 2026-06-30) and need advanced access; without them everything is
asked for.
"""

from __future__ import annotations

from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.meta import renewing
from careline.channels.meta.calling import Graph, base_of
from careline.channels.meta.setup import _
from careline.channels.meta.threads import wire
from careline.errors import ChannelError

THREADS: Final = "https://graph.threads.net/v1.0"
GRANT: Final = "th_refresh_token"

FIELDS: Final = (
    SettingField(
        "token",
        _("Access token"),
        "secret",
        hint=_("Long-lived, of the account, with all permissions this page names."),
    ),
    SettingField(
        "app_secret",
        _("Threads app secret"),
        "secret",
        required=False,
        hint=_("Only for webhooks: every delivery is signed with it."),
    ),
    SettingField(
        "verify_token",
        _("Verify token"),
        "secret",
        required=False,
        hint=_("Think of one, and enter the same at Meta with the address that is shown after connecting."),
    ),
    SettingField(
        "gap_check_s",
        _("Ask for news every (seconds)"),
        "number",
        required=False,
        default="60",
        hint=_("Three requests, and one for each of our last ten posts with replies. With webhooks 600 is enough."),
    ),
    SettingField(
        "api",
        _("API address"),
        "address",
        required=False,
        default=THREADS,
        hint=_("With its version. Leave it unless told."),
    ),
)


def graph_of(channel: ChannelView, tools: Tools) -> Graph:
    """Calls at Threads' own host, which is not asked for the proof: no document names it there."""
    return Graph(channel, tools, base=base_of(channel, THREADS), is_proven=False)


async def kept_fresh(channel: ChannelView, tools: Tools) -> ChannelView:
    """The account with a token that lasts."""
    return await renewing.kept_fresh(channel, tools, grant=GRANT, base=THREADS)


async def introduce(channel: ChannelView, hook_url: str, tools: Tools) -> Introduced:
    """Who the account is; its token renewed. Raises ChannelError."""
    account = await _account(channel, tools)
    fresh = await renewing.begin(channel, tools, grant=GRANT, base=THREADS)
    return Introduced(
        account_key=account.id,
        name=account.name,
        handle=f"@{account.username}",
        secrets=fresh.secrets,
        secrets_end_at=fresh.end_at,
    )


async def _account(channel: ChannelView, tools: Tools) -> wire.Account:
    return await graph_of(channel, tools).get("me", wire.Account, fields="id,username,name")


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token serves this account, and may read replies and mentions. Never raises."""
    graph = graph_of(channel, tools)
    try:
        account = await _account(channel, tools)
        await graph.get("me/mentions", wire.Page, fields="id", limit="1")
        await graph.get("me/replies", wire.Page, fields="id", limit="1")
    except ChannelError as refused:
        return Health(ok=False, code=refused.code, detail=refused.message)
    is_ours = not channel.id or account.id == channel.account_key
    return Health(ok=True) if is_ours else Health(ok=False, code="account_not_served", detail=account.username)
