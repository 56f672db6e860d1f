"""Channels as the steps need them, kept for a few seconds: opening secrets and calendars anew for every batch would cost more than the batch."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from careline.channels import access, registry
from careline.channels.models import Channel
from careline.intake.batch import ChannelFacts
from careline.workspaces.calendars import ALWAYS, OpenHours, open_hours

KEPT_S: Final = 3.0
_kept: dict[int, tuple[float, ChannelFacts]] = {}


def load(channel_ids: Iterable[int]) -> dict[int, ChannelFacts]:
    """Facts of the channels that exist and whose network is installed. One statement for those not kept."""
    now_s = time.monotonic()
    wanted = set(channel_ids)
    found = {
        channel_id: facts
        for channel_id in wanted
        if (kept := _kept.get(channel_id)) and now_s - kept[0] < KEPT_S
        for facts in [kept[1]]
    }
    for channel_id, row in access.channels_by_id(sorted(wanted - found.keys())).items():
        if row.network not in registry.networks():
            continue
        found[channel_id] = _facts(row)
        _kept[channel_id] = (now_s, found[channel_id])
    return found


def forget() -> None:
    """Read everything anew: after settings changed, and in tests."""
    _kept.clear()


def _facts(row: Channel) -> ChannelFacts:
    view = access.view_channel(row)
    network = registry.network(row.network)
    return ChannelFacts(row, view, network, network.effective(view), hours_of(row))


def hours_of(row: Channel) -> OpenHours:
    """The channel's calendar ready to count with; around the clock without one, or with one that cannot be read."""
    calendar = row.calendar
    if calendar is None:
        return ALWAYS
    try:
        return open_hours(calendar.zone, calendar.hours, calendar.holidays_country, list(calendar.closed_days))
    except ValueError:
        return ALWAYS
