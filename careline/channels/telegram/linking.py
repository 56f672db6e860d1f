"""The way from a group to the private chat: a deep link whose signed start parameter names the thread it was posted in.

A bot cannot write first ("bot can't initiate conversation with a user", 403), but `https://t.me/<bot>?start=<parameter>` makes the customer's own "Start" send
`/start <parameter>`; the parameter holds up to 64 characters of A-Z, a-z, 0-9, _ and - (core.telegram.org/bots/features#deep-linking, as quoted
by libraries for bots, read 2026-11-22).
"""

from __future__ import annotations

from typing import Final

from careline.channels import marks
from careline.channels.base import ChannelView

_PURPOSE: Final = "telegram private link"


def link_for(thread_id: int, channel: ChannelView) -> str:
    """The address; empty while the bot's name is unknown."""
    name = channel.setting("username")
    return f"https://t.me/{name}?start={marks.mark_of(thread_id, channel, _PURPOSE)}" if name else ""


def thread_of(parameter: str, channel: ChannelView) -> int:
    """The thread that a start parameter of ours names; 0 for any other."""
    return marks.thread_of(parameter, channel, _PURPOSE)
