"""The live check of a channel: asks the platform, outside any transaction, within ten seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from asgiref.sync import async_to_sync
from django.conf import settings

from careline.channels.access import open_secrets, view_channel
from careline.channels.actions.connecting import account_key_of, handle_of
from careline.channels.actions.filling import fill_fields
from careline.channels.base import ChannelView, Health, Introduced, Network, Tools
from careline.channels.queries import access_channel
from careline.channels.registry import network as network_of
from careline.channels.renewing import renew_and_keep
from careline.errors import ChannelError
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
    network, view = _typed_view(viewer, network_slug, values, channel_id, account_key)
    return ask_platform(network, view)


def introduce_values(
    viewer: Viewer, network_slug: str, values: Mapping[str, str], *, hook_token: str, account_key: str = ""
) -> Introduced:
    """Ask the platform who the account is, and subscribe the hook address of `hook_token`, before it is connected. Without a
    token the address is left for later.

    Raises InputRefused, ChannelError.
    """
    check_may(viewer.role, "manage_channels")
    network, view = _typed_view(viewer, network_slug, values, None, account_key)
    return async_to_sync(_introduce)(network, view, hook_url(network, hook_token) if hook_token else "")


def introduce_channel(viewer: Viewer, channel_id: int) -> Introduced:
    """Ask again, with the stored secrets. Raises ChannelError."""
    check_may(viewer.role, "manage_channels")
    row = access_channel(viewer.workspace_id, channel_id)
    network = network_of(row.network)
    return async_to_sync(_introduce)(network, view_channel(row), hook_url(network, row.connection.hook_token))


def hook_url(network: Network, hook_token: str) -> str:
    """Where the platform posts to."""
    return f"{settings.BASE_URL}/hooks/{network.slug}/{hook_token}"


def _typed_view(
    viewer: Viewer, network_slug: str, values: Mapping[str, str], channel_id: int | None, account_key: str
) -> tuple[Network, ChannelView]:
    network = network_of(network_slug)
    kept: dict[str, str] = {}
    known: dict[str, object] = {}
    if channel_id is not None:
        row = access_channel(viewer.workspace_id, channel_id)
        kept, known = open_secrets(bytes(row.connection.sealed_secrets)), row.settings
    filled = fill_fields(network, values, keep_secrets=kept)
    is_changed = filled.secrets != kept or any(known.get(name) != value for name, value in filled.settings.items())
    view = ChannelView(
        # With other values than the stored ones nothing that is renewed may be stored.
        id=0 if is_changed else channel_id or 0,
        workspace_id=viewer.workspace_id,
        network=network.slug,
        account_key=account_key_of(network, filled.settings) or account_key,
        name=network.name,
        handle=handle_of(filled.settings),
        settings={**known, **filled.settings},
        secrets=filled.secrets,
    )
    return network, view


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
            tools = Tools(http=client, renew=renew_and_keep)
            return await asyncio.wait_for(network.check(view, tools), CHECK_TIMEOUT_S)
        except TimeoutError:
            return Health(ok=False, code="timeout")


async def _introduce(network: Network, view: ChannelView, address: str) -> Introduced:
    async with guarded_client(allow_private=True, timeout_s=CHECK_TIMEOUT_S - 1) as client:
        try:
            tools = Tools(http=client, renew=renew_and_keep)
            return await asyncio.wait_for(network.introduce(view, address, tools), 3 * CHECK_TIMEOUT_S)
        except TimeoutError as slow:
            raise ChannelError("timeout", "The platform did not answer in time.") from slow
