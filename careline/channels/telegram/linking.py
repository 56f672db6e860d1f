"""The way from a group to the private chat: a deep link whose signed start parameter names the thread it was posted in.

A bot cannot write first (core.telegram.org/bots/faq), but `https://t.me/<bot>?start=<parameter>` makes the customer's own "Start" send
`/start <parameter>`; the parameter holds up to 64 characters of A-Z, a-z, 0-9, _ and - (core.telegram.org/bots/features#deep-linking). Read 2026-11-22.
"""

from __future__ import annotations

import hmac
from typing import Final

from careline.channels.base import ChannelView
from careline.kit import signing

_PURPOSE: Final = "telegram private link"


def link_for(thread_id: int, channel: ChannelView) -> str:
    """The address; empty while the bot's name is unknown."""
    name = channel.setting("username")
    return f"https://t.me/{name}?start={thread_id}-{_tag(thread_id, channel)}" if name else ""


def thread_of(parameter: str, channel: ChannelView) -> int:
    """The thread that a start parameter of ours names; 0 for any other."""
    number, _, tag = parameter.partition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > 20:
        return 0
    return int(number) if hmac.compare_digest(tag.encode(), _tag(int(number), channel).encode()) else 0


def _tag(thread_id: int, channel: ChannelView) -> str:
    return signing.short_tag(channel.signing_key, _PURPOSE, str(thread_id))
