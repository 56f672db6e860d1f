"""A channel's health as a state machine: contacts and failures are recorded here; an incident tells the owners once.

active -> failing        FAILURES_BEFORE_ALERT failures in a row
active -> silent         nothing heard for longer than the network calls silent
any    -> unauthorised   the platform refuses our token or password
any    -> active         the next contact; owners who were told of the incident are told of its end

`off` and held channels do not alert. Owners are told by system mail, which does not pass through the channel; the mail
itself is sent by a door (screens) after commit, through `on_alert`, because it needs the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from django.db import transaction

from careline.channels.models import Channel
from careline.channels.registry import networks
from careline.clocks.firing import on
from careline.clocks.models import Clock
from careline.clocks.setting import due, set_clocks, stop_clocks
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock

FAILURES_BEFORE_ALERT = 3
SILENCE_CLOCK = "channel.silence"
MAX_ERROR = 300
# A channel that works says so with every message: its row is touched at most this often.
CONTACT_STEP = timedelta(seconds=15)

Trouble = Literal["failing", "silent", "unauthorised", "recovered", "ending"]
_log = structlog.get_logger()


@dataclass(frozen=True)
class Alert:
    """What the owners of a workspace are told about one of its channels."""

    workspace_id: int
    channel_id: int
    channel_name: str
    network: str
    trouble: Trouble
    error_code: str
    since: datetime


AlertListener = Callable[[Alert], None]
_listeners: list[AlertListener] = []


def on_alert(listener: AlertListener) -> AlertListener:
    """Register who carries alerts out of the house (system mail). Called after commit, outside any transaction."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def record_contact(
    channel_id: int, *, received: bool = False, sent: bool = False, work: UnitOfWork | None = None
) -> None:
    """The channel works: heard from the platform, or taken by it. Ends an incident. One statement when nothing changes.

    Without `work` it opens a unit of work of its own.
    """
    row = Channel.objects.filter(id=channel_id).first()
    if row is None or not (_is_troubled(row) or _is_worth_noting(row, received, sent)):
        return
    with_work(work, lambda inner: _note_contact(inner, channel_id, received, sent))


def record_failure(channel_id: int, error_code: str, detail: str = "", *, work: UnitOfWork | None = None) -> None:
    """A fetch, send or check failed for a reason that may pass.

    `detail` must hold no words of a customer and no secret.
    """
    with_work(work, lambda inner: _note_failure(inner, channel_id, error_code, detail, unauthorised=False))


def record_unauthorised(channel_id: int, error_code: str, detail: str = "", *, work: UnitOfWork | None = None) -> None:
    """The platform refused our token or password: nothing will work until somebody enters a new one. Alerts at once."""
    with_work(work, lambda inner: _note_failure(inner, channel_id, error_code, detail, unauthorised=True))


def mark_silent(channel_id: int, *, work: UnitOfWork | None = None) -> None:
    """Nothing was heard for longer than usual. Only an active channel becomes silent; others have a louder trouble."""
    with_work(work, lambda inner: _note_silence(inner, channel_id))


def announce_ending(work: UnitOfWork, row: Channel) -> None:
    """The channel's secrets end soon, and only a person can renew them."""
    if row.held_at is None:
        _announce(work, row, "ending", "secrets_end", is_told=True)


def with_work(work: UnitOfWork | None, act: Callable[[UnitOfWork], None]) -> None:
    """Run inside the caller's unit of work, or in one of our own."""
    if work is not None:
        act(work)
        return
    with unit_of_work() as own:
        act(own)


def watch_silence(work: UnitOfWork, row: Channel) -> None:
    """Set (or stop) the channel's silence clock from what its network declares.

    Call when connected, resumed or heard.
    """
    del work  # proves the transaction
    after_s = silent_after_s(row)
    if not after_s or row.state == "off" or row.held_at is not None:
        stop_clocks(SILENCE_CLOCK, [row.id])
        return
    heard_at = max(filter(None, (row.last_contact_at, row.last_in_at, row.created_at)))
    set_clocks([due(row.workspace_id, SILENCE_CLOCK, row.id, max(heard_at, clock.now()) + timedelta(seconds=after_s))])


def silent_after_s(row: Channel) -> int:
    """Seconds without contact after which a channel counts as silent; 0 never. A setting of the channel overrules its
    network.
    """
    own = row.settings.get("silent_after_s")
    if isinstance(own, int):
        return max(0, own)
    network = networks().get(row.network)
    return network.capabilities.lifecycle.silent_after_s if network else 0


@on(SILENCE_CLOCK)
def _look_for_silence(work: UnitOfWork, fired: Clock) -> None:
    row = Channel.objects.filter(id=fired.subject_id).first()
    if row is None or row.state == "off":
        return
    after_s = silent_after_s(row)
    heard_at = max(filter(None, (row.last_contact_at, row.last_in_at, row.created_at)))
    if after_s and row.held_at is None and heard_at + timedelta(seconds=after_s) <= clock.now():
        _note_silence(work, row.id)
    watch_silence(work, row)


def _note_contact(work: UnitOfWork, channel_id: int, received: bool, sent: bool) -> None:
    row = _lock(channel_id)
    if row is None:
        return
    now = clock.now()
    changes: dict[str, object] = {"last_contact_at": now, "fail_count": 0, "open_until": None}
    changes |= {"last_in_at": now} if received else {}
    changes |= {"last_out_at": now} if sent else {}
    if row.state in {"failing", "silent", "unauthorised"}:
        changes |= {"state": "active", "last_error": "", "alerted_at": None}
        _announce(work, row, "recovered", "", is_told=row.alerted_at is not None)
    Channel.objects.filter(id=row.id).update(**changes)
    row.last_contact_at = now
    if silent_after_s(row):
        watch_silence(work, row)


def _note_failure(work: UnitOfWork, channel_id: int, error_code: str, detail: str, *, unauthorised: bool) -> None:
    row = _lock(channel_id)
    if row is None or row.state == "off":
        return
    count = row.fail_count + 1
    state = _state_after_failure(row, count, unauthorised)
    said = f"{error_code}: {detail}" if detail else error_code
    changes: dict[str, object] = {
        "fail_count": count,
        "last_error": said[:MAX_ERROR],
        "last_error_at": clock.now(),
        "state": state,
    }
    is_new = state != row.state or (state in {"failing", "unauthorised"} and row.alerted_at is None)
    if state in {"failing", "unauthorised"} and is_new and row.held_at is None:
        changes["alerted_at"] = clock.now()
        # Failing that turns into unauthorised is the same incident with a clearer cause: worth a word, still once.
        _announce(work, row, "unauthorised" if state == "unauthorised" else "failing", error_code, is_told=True)
    Channel.objects.filter(id=row.id).update(**changes)


def _state_after_failure(row: Channel, count: int, unauthorised: bool) -> str:
    if unauthorised or row.state == "unauthorised":
        return "unauthorised"
    return "failing" if count >= FAILURES_BEFORE_ALERT or row.state == "failing" else row.state


def _note_silence(work: UnitOfWork, channel_id: int) -> None:
    row = _lock(channel_id)
    if row is None or row.state != "active" or row.held_at is not None:
        return
    Channel.objects.filter(id=row.id).update(state="silent", alerted_at=clock.now())
    _announce(work, row, "silent", "silent", is_told=True)


def _announce(work: UnitOfWork, row: Channel, trouble: Trouble, error_code: str, *, is_told: bool) -> None:
    work.record_event(row.workspace_id, "channel.changed", channel_id=row.id, facts={"what": trouble})
    _log.warning("channel_health", channel=row.id, network=row.network, trouble=trouble, error=error_code)
    alert = Alert(row.workspace_id, row.id, row.name, row.network, trouble, error_code, row.alerted_at or clock.now())
    if is_told:
        transaction.on_commit(lambda: tell(alert))


def tell(alert: Alert) -> None:
    """Hand an alert to whoever carries it out."""
    if not _listeners:
        _log.warning("channel_alert_untold", channel=alert.channel_id, trouble=alert.trouble)
    for listener in list(_listeners):
        listener(alert)


def _lock(channel_id: int) -> Channel | None:
    return Channel.objects.select_for_update().filter(id=channel_id).first()


def _is_troubled(row: Channel) -> bool:
    return row.state in {"failing", "silent", "unauthorised"} or row.fail_count > 0


def _is_worth_noting(row: Channel, received: bool, sent: bool) -> bool:
    marks = [row.last_contact_at]
    marks += [row.last_in_at] if received else []
    marks += [row.last_out_at] if sent else []
    return any(mark is None or clock.now() - mark >= CONTACT_STEP for mark in marks)
