"""Reads of channels for settings and health: cards, one channel, what may be connected. Each states its statements."""

from __future__ import annotations

from careline.channels.models import Channel
from careline.channels.registry import networks
from careline.errors import NotFound

"""The key of `Channel.cursor` or `Channel.settings` under which a network keeps when its token ends, ISO 8601."""


def list_channels(workspace_id: int) -> list[Channel]:
    """All channels with connection, brand, team and calendar: broken ones first, then by name. One statement."""
    rows = Channel.objects.filter(workspace_id=workspace_id).select_related("connection", "brand", "team", "calendar")
    return sorted(rows, key=lambda row: (row.state in {"active", "off"}, row.state == "off", row.name.lower(), row.id))


def access_channel(workspace_id: int, channel_id: int) -> Channel:
    """One channel with connection, brand, team and calendar. Raises NotFound for a foreign one. One statement."""
    found = (
        Channel.objects.filter(workspace_id=workspace_id, id=channel_id)
        .select_related("connection", "brand", "team", "calendar", "workspace")
        .first()
    )
    if found is None:
        raise NotFound("channel_not_found")
    return found


def troubled_channels(workspace_id: int) -> list[Channel]:
    """Channels that fail, are silent or lost their access: what the banner tells of. One statement."""
    return list(
        Channel.objects.filter(
            workspace_id=workspace_id, state__in=["failing", "silent", "unauthorised"], alerted_at__isnull=False
        ).order_by("name")
    )


def network_choices() -> list[tuple[str, str]]:
    """Slug and name of every installed network, by name."""
    return sorted(((slug, one.name) for slug, one in networks().items()), key=lambda pair: pair[1].lower())


def token_end(row: Channel) -> str:
    """When the channel's token ends, ISO 8601, or empty when nobody need renew it. `row` needs select_related('connection')."""
    end_at = row.connection.secrets_end_at
    return end_at.isoformat() if end_at else ""
