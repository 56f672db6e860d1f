"""Looking for what webhooks missed: again and again, from where the last look ended.

Meta repeats a delivery for up to 36 hours and may end a subscription that fails for long (docs/graph-api/webhooks, read 2026-11-22). Deletions and edits of
the time between are told by nothing but the webhook.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from careline.channels.base import ChannelView, Fetched, Part, SettingField
from careline.channels.meta.setup import _
from careline.kit import clock

GAP_CHECK_S: Final = 600.0
FIRST_LOOK: Final = timedelta(days=1)
OVERLAP: Final = timedelta(minutes=5)
REMEMBERED: Final = 400
Found = Sequence[tuple[datetime, Part]]
Look = Callable[[ChannelView], Awaitable[Found]]

FIELD: Final = SettingField(
    "gap_check_s",
    _("Look for gaps every (seconds)"),
    "number",
    required=False,
    default="600",
    hint=_("Two requests each time."),
)


class Mark(msgspec.Struct, frozen=True):
    """How far a look got: everything until `seen_at` is journalled, `recent` names the newest."""

    seen_at: datetime
    recent: tuple[str, ...] = ()


def gap_check_s(channel: ChannelView) -> float:
    """Seconds between looks; 0 for never."""
    try:
        return max(0.0, float(channel.setting("gap_check_s") or GAP_CHECK_S))
    except ValueError:
        return GAP_CHECK_S


async def listen(channel: ChannelView, cursor: Mapping[str, object], look: Look) -> AsyncIterator[Fetched]:
    """Looks at once, then every `gap_check_s`. Raises ChannelError."""
    mark = msgspec.convert(cursor, Mark) if cursor else Mark(_begin(channel))
    while True:
        found = sorted(await look(channel), key=lambda one: one[0])
        news = [(at, part) for at, part in found if _is_new(at, part, mark)]
        if news:
            names = (*mark.recent, *(part.platform_event_id for _, part in news))
            mark = Mark(max(mark.seen_at, news[-1][0]), names[-REMEMBERED:])
            yield Fetched(tuple(part for _, part in news), msgspec.to_builtins(mark))
        await asyncio.sleep(gap_check_s(channel))


def _begin(channel: ChannelView) -> datetime:
    return max(channel.history_before or clock.now(), clock.now() - FIRST_LOOK) - OVERLAP


def _is_new(at: datetime, part: Part, mark: Mark) -> bool:
    return at >= mark.seen_at - OVERLAP and part.platform_event_id not in mark.recent


def moment(text: str) -> datetime:
    """2026-11-22T07:00:00+0000, as Graph writes times."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def epoch(text: str) -> int:
    """The same in seconds since 1970."""
    return int(moment(text).timestamp())
