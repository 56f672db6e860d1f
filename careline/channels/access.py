"""Channels and connections as networks see them: rows with their secrets opened. Also writes secrets."""

from __future__ import annotations

import msgspec
from django.conf import settings

from careline.channels import registry
from careline.channels.base import ChannelView, ConnectionView
from careline.channels.models import Channel, Connection
from careline.errors import CarelineError, NotFound
from careline.kit import crypto
from careline.workspaces.models import Installation


def _box() -> crypto.Box:
    return crypto.Box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def seal_secrets(secrets: dict[str, str]) -> bytes:
    """Encrypted bytes for Connection.sealed_secrets."""
    return _box().close(msgspec.json.encode(secrets))


def open_secrets(sealed: bytes | memoryview[int]) -> dict[str, str]:
    """The secrets of a connection; {} when there are none."""
    return msgspec.json.decode(_box().open(bytes(sealed)), type=dict[str, str]) if sealed else {}


def key_fits() -> bool:
    """Whether this installation's key opens the newest secret there is; True when there is none. One statement."""
    sealed = (
        Connection.objects.exclude(sealed_secrets=b"").order_by("-id").values_list("sealed_secrets", flat=True).first()
    )
    try:
        open_secrets(bytes(sealed or b""))
    except CarelineError:
        return False
    return True


def channel_key(channel_id: int) -> bytes:
    """32 bytes bound to this installation and channel."""
    return crypto.derive(settings.SECRET_KEY, f"channel:{channel_id}")


def view_channel(row: Channel) -> ChannelView:
    """A ChannelView; `row` needs select_related('connection', 'brand')."""
    return ChannelView(
        id=row.id,
        workspace_id=row.workspace_id,
        network=row.network,
        account_key=row.account_key,
        name=row.name,
        handle=row.handle,
        settings=row.settings,
        secrets=open_secrets(row.connection.sealed_secrets),
        brand_name=row.brand.name,
        is_simulated=row.is_simulated,
        signing_key=channel_key(row.id),
        history_before=row.history_before,
    )


def channels_by_id(channel_ids: list[int]) -> dict[int, Channel]:
    """Rows with connection, brand, calendar and workspace. One statement."""
    return {
        row.id: row
        for row in Channel.objects.select_related("connection", "brand", "calendar", "workspace").filter(
            id__in=channel_ids
        )
    }


def access_connection(network: str, hook_token: str) -> ConnectionView:
    """The connection behind a hook address. Raises NotFound('hook_unknown'). Two statements."""
    row = Connection.objects.filter(network=network, hook_token=hook_token).first()
    if row is None:
        raise NotFound("hook_unknown", "No channel listens at this address.")
    accounts = dict(Channel.objects.filter(connection=row).exclude(state="off").values_list("account_key", "id"))
    return ConnectionView(
        id=row.id,
        workspace_id=row.workspace_id,
        network=row.network,
        secrets=open_secrets(row.sealed_secrets),
        accounts=accounts,
    )


def view_of(channel_id: int) -> ChannelView:
    """A ChannelView by id. Raises Channel.DoesNotExist. One statement."""
    return view_channel(Channel.objects.select_related("connection", "brand").get(id=channel_id))


def awake_channels() -> list[ChannelView]:
    """Accounts whose network is installed, not held, not off; none while the installation is held. Two statements."""
    if Installation.objects.filter(is_held=True).exists():
        return []
    rows = Channel.objects.select_related("connection", "brand").filter(held_at__isnull=True).exclude(state="off")
    return [view_channel(row) for row in rows if row.network in registry.networks()]
