"""Visiting a feed politely: asking only for what is new, following it where it moved, and staying away as long as it says.

Sources: RFC 9110 (June 2022): 10.2.3 Retry-After, 13.1.2 If-None-Match, 13.1.3 If-Modified-Since, 15.4 redirects, 15.5.11 Gone; RFC 9111 (June
2022), 5.2.2.1 max-age; RSS 2.0.11 (2009-03-30): ttl, skipHours and skipDays, in GMT. Read 2026-11-22.
"""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import msgspec

from careline.channels.base import Tools
from careline.channels.feed import pages
from careline.channels.feed.formats import MOST_BYTES
from careline.channels.feed.wire import FeedState, Manners
from careline.errors import ChannelError, TooLarge
from careline.kit import clock
from careline.kit.http import Answer, GuardedClient, Refused

DAY_S: Final = 24 * 3600.0
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_HOPS: Final = 5
_FOR_GOOD: Final = frozenset({301, 308})
_ONWARD: Final = frozenset({301, 302, 303, 307, 308})
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/html;q=0.5, */*;q=0.1"
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})")


class Visit(msgspec.Struct, frozen=True):
    """What a feed answered: 200 or 304, where it was found, and where it moved for good (or '')."""

    answer: Answer
    at: str
    moved_to: str = ""

    @property
    def is_unchanged(self) -> bool:
        return self.answer.status == 304

    @property
    def content_type(self) -> str:
        return self.answer.headers.get("content-type", "")


class Caller(msgspec.Struct, frozen=True):
    """Who goes where: addresses on the host that an administrator typed may be in the house; all others, named by strangers, may not."""

    tools: Tools
    outside: GuardedClient
    typed_host: str

    def client(self, address: str) -> GuardedClient:
        """The client for this address."""
        return self.tools.http if pages.host_of(address) == self.typed_host else self.outside


async def visit(address: str, state: FeedState, caller: Caller) -> Visit:
    """Ask for a feed. Raises ChannelError: `feed_gone` (410), `feed_missing`, `feed_forbidden`, `feed_busy`, `feed_failing`, `unreachable` ..."""
    at, moved_to, is_permanent = address, "", True
    for _ in range(MOST_HOPS + 1):
        answer = await _ask(at, state, caller.client(at))
        onward = pages.join(at, answer.headers.get("location", ""))
        if answer.status in _ONWARD and onward and answer.headers.get("location"):
            is_permanent = is_permanent and answer.status in _FOR_GOOD
            at, moved_to = onward, onward if is_permanent else moved_to
            continue
        if answer.status not in {200, 304}:
            raise _refusal(answer)
        return Visit(answer, at, moved_to)
    raise ChannelError("feed_loops", "It is sent in circles.")


async def _ask(address: str, state: FeedState, client: GuardedClient) -> Answer:
    headers = {"User-Agent": "Careline", "Accept": _ACCEPT}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.modified:
        headers["If-Modified-Since"] = state.modified
    try:
        return await client.request("GET", address, headers=headers, follow=False, limit_bytes=MOST_BYTES)
    except Refused as refused:
        raise ChannelError("address_refused", "This address is not allowed from here.") from refused
    except TooLarge as large:
        raise ChannelError("feed_too_large", f"It has more than {MOST_BYTES} bytes.") from large
    except TimeoutError as slow:
        raise ChannelError("timeout", "It did not answer in time.") from slow
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as broken:
        raise ChannelError("answer_unreadable", "Its answer broke off, or is badly compressed.") from broken
    except (aiohttp.ClientError, OSError) as away:
        raise ChannelError("unreachable", "It could not be reached.") from away


def _refusal(answer: Answer) -> ChannelError:
    codes = {410: "feed_gone", 404: "feed_missing", 401: "feed_forbidden", 403: "feed_forbidden"}
    codes |= {429: "feed_busy", 503: "feed_busy"}
    code = codes.get(answer.status, "feed_failing")
    wait_s = _retry_after_s(answer.headers.get("retry-after", ""))
    return ChannelError(code, f"It answered {answer.status}.", permanent=answer.status == 410, retry_after_s=wait_s)


def _retry_after_s(text: str) -> float | None:
    if text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - clock.epoch_s())
    except (ValueError, TypeError, OverflowError):
        return None


def next_due_s(every_s: float, visit: Visit, manners: Manners) -> float:
    """When to come again, in seconds since 1970: never before `every_s`, and as much later as the feed wishes, within a day."""
    told = visit.answer.headers.get("cache-control", "").lower()
    max_age = _MAX_AGE.search(told)
    fresh_s = 0.0 if max_age is None or "no-cache" in told else float(max_age[1])
    wait_s = _retry_after_s(visit.answer.headers.get("retry-after", "")) or 0.0
    due_s = clock.epoch_s() + max(every_s, min(max(fresh_s, wait_s, manners.ttl_s), DAY_S))
    return _outside_skipped(due_s, manners)


def _outside_skipped(due_s: float, manners: Manners) -> float:
    """The first hour from there on that the feed does not ask to skip; the wish of one that skips all is no wish."""
    at = clock.from_epoch(due_s)
    for _ in range(8 * 24):
        if at.hour not in manners.skip_hours and DAYS[at.weekday()] not in manners.skip_days:
            return at.timestamp()
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return due_s


def after_failure_s(every_s: float, failures: int, retry_after_s: float | None) -> float:
    """When to try again: as it says, else with growing pauses, within a day."""
    pause_s = retry_after_s if retry_after_s is not None else every_s * 2.0 ** min(failures, 12)
    return clock.epoch_s() + min(max(pause_s, every_s), DAY_S)
