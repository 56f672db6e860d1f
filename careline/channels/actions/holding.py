"""Hold, resume, switch off and on: an administrator's hand on a channel. Held channels neither fetch nor send; off
ones are not heard at all.
"""

from __future__ import annotations

from careline.channels.actions.connecting import access_own_channel, record_channel_act
from careline.channels.alerting import SILENCE_CLOCK, watch_silence
from careline.channels.models import Channel
from careline.clocks.setting import stop_clocks
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock
from careline.workspaces.sight import Viewer

MAX_REASON = 200


def hold_channel(viewer: Viewer, channel_id: int, reason: str = "") -> None:
    """Stop sending and fetching; what platforms push is still kept in the journal. Idempotent."""
    with unit_of_work() as work:
        row = access_own_channel(viewer, channel_id)
        if row.held_at is None:
            Channel.objects.filter(id=row.id).update(held_at=clock.now(), held_reason=reason.strip()[:MAX_REASON])
            stop_clocks(SILENCE_CLOCK, [row.id])
            record_channel_act(work, viewer, row, "channel_held", "held")


def resume_channel(viewer: Viewer, channel_id: int) -> None:
    """Let it work again; a failing one is tried at once. Idempotent."""
    with unit_of_work() as work:
        row = access_own_channel(viewer, channel_id)
        if row.held_at is not None or row.open_until is not None:
            Channel.objects.filter(id=row.id).update(held_at=None, held_reason="", open_until=None)
            _watch(work, row)
            record_channel_act(work, viewer, row, "channel_resumed", "resumed")


def switch_off(viewer: Viewer, channel_id: int) -> None:
    """Stop hearing this channel: its hook address answers 404 and nothing is sent. Cases stay. Idempotent."""
    with unit_of_work() as work:
        row = access_own_channel(viewer, channel_id)
        if row.state != "off":
            Channel.objects.filter(id=row.id).update(state="off", alerted_at=None)
            stop_clocks(SILENCE_CLOCK, [row.id])
            record_channel_act(work, viewer, row, "channel_switched_off", "off")


def switch_on(viewer: Viewer, channel_id: int) -> None:
    """Hear it again, from where it stopped. Idempotent."""
    with unit_of_work() as work:
        row = access_own_channel(viewer, channel_id)
        if row.state == "off":
            Channel.objects.filter(id=row.id).update(state="active", fail_count=0, last_error="", open_until=None)
            _watch(work, row)
            record_channel_act(work, viewer, row, "channel_switched_on", "on")


def _watch(work: UnitOfWork, row: Channel) -> None:
    """Silence is counted anew: what passed while nobody listened is no silence."""
    row.refresh_from_db()
    watch_silence(work, row)
