"""The live check of a channel: asks the platform, outside any transaction, within ten seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from asgiref.sync import async_to_sync

from careline.channels.access import open_secrets, view_channel
from careline.channels.actions.connecting import account_key_of, handle_of
from careline.channels.actions.filling import fill_fields
from careline.channels.base import ChannelView, Health, Network, Tools
from careline.channels.queries import access_channel
from careline.channels.registry import network as network_of
from careline.kit.http import guarded_client
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

CHECK_TIMEOUT_S = 10.0


def check_values(
    viewer: Viewer,
    network_slug: str,
    values: Mapping[str, str],
    *,
    channel_id: int | None = None,
    account_key: str = "",
) -> Health:
    """Check typed values before they are saved; with `channel_id`, secrets left empty are the stored ones. Raises
    InputRefused.
    """
    check_may(viewer.role, "manage_channels")
    network = network_of(network_slug)
    kept: dict[str, str] = {}
    if channel_id is not None:
        kept = open_secrets(bytes(access_channel(viewer.workspace_id, channel_id).connection.sealed_secrets))
    filled = fill_fields(network, values, keep_secrets=kept)
    view = ChannelView(
        id=channel_id or 0,
        workspace_id=viewer.workspace_id,
        network=network.slug,
        account_key=account_key_of(network, filled.settings) or account_key,
        name=network.name,
        handle=handle_of(filled.settings),
        settings=filled.settings,
        secrets=filled.secrets,
    )
    return ask_platform(network, view)


def check_channel(viewer: Viewer, channel_id: int) -> Health:
    """Check a connected channel with its stored secrets."""
    check_may(viewer.role, "manage_channels")
    row = access_channel(viewer.workspace_id, channel_id)
    return ask_platform(network_of(row.network), view_channel(row))


def ask_platform(network: Network, view: ChannelView) -> Health:
    """`Network.check` on a loop of its own. A check that takes over ten seconds is a Health with code `timeout`."""
    return async_to_sync(_ask)(network, view)


async def _ask(network: Network, view: ChannelView) -> Health:
    # An administrator typed these addresses; a mail server may well stand in the same house.
    async with guarded_client(allow_private=True, timeout_s=CHECK_TIMEOUT_S - 1) as client:
        try:
            return await asyncio.wait_for(network.check(view, Tools(http=client)), CHECK_TIMEOUT_S)
        except TimeoutError:
            return Health(ok=False, code="timeout")
