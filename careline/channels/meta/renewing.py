"""Tokens that live 60 days and can be renewed by themselves: Instagram's own login, and Threads.

Sources, read 2026-11-22: developers.facebook.com/docs/instagram-platform/reference/refresh_access_token and .../docs/threads/get-started/long-lived-tokens
(a token of at least 24 hours that has not ended gives one of 60 days).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Renewed, Tools
from careline.channels.meta.calling import Graph, base_of
from careline.errors import ChannelError
from careline.kit import clock

LIFE: Final = timedelta(days=60)
EARLY: Final = timedelta(days=30)
ENDS: Final = "token_ends"


class _Fresh(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int = int(LIFE.total_seconds())


async def renew(channel: ChannelView, tools: Tools, *, grant: str, base: str) -> Renewed:
    """A new token for the present one. Owners are told a week before its end: only if renewing has failed for weeks. Raises ChannelError."""
    root = base_of(channel, base).rpartition("/v")[0] or base_of(channel, base)
    graph = Graph(channel, tools, base=root, is_proven=False)
    token = channel.secrets.get("token", "")
    fresh = await graph.get("refresh_access_token", _Fresh, grant_type=grant, access_token=token)
    return _kept(fresh.access_token, timedelta(seconds=fresh.expires_in))


def _kept(token: str, lasts: timedelta) -> Renewed:
    end_at = clock.now() + lasts
    return Renewed({"token": token, ENDS: str(int(end_at.timestamp()))}, end_at)


async def begin(channel: ChannelView, tools: Tools, *, grant: str, base: str) -> Renewed:
    """When an account is connected. A token younger than a day cannot be renewed yet: it lives 60 days from its making."""
    try:
        return await renew(channel, tools, grant=grant, base=base)
    except ChannelError as young:
        if not young.permanent:
            raise
        return _kept(channel.secrets.get("token", ""), LIFE - timedelta(days=1))


async def kept_fresh(channel: ChannelView, tools: Tools, *, grant: str, base: str) -> ChannelView:
    """The account with a token that lasts; the present one serves where renewing fails."""
    ends = channel.secrets.get(ENDS, "")
    if not ends.isdecimal() or clock.from_epoch(int(ends)) - clock.now() > EARLY:
        return channel
    try:
        return await tools.renew(channel, lambda present: renew(present, tools, grant=grant, base=base))
    except ChannelError:
        return channel
