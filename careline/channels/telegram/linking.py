"""The way from a group to the private chat: a deep link whose signed start parameter names the thread it was posted in.

A bot cannot write first ("bot can't initiate conversation with a user", 403), but `https://t.me/<bot>?start=<parameter>` makes the customer's own "Start" send
`/start <parameter>`; the parameter holds up to 64 characters of A-Z, a-z, 0-9, _ and - (core.telegram.org/bots/features#deep-linking, as quoted
by libraries for bots, read 2026-11-22).
"""

from __future__ import annotations

import hmac
from typing import Final

from careline.channels.base import ChannelView
from careline.kit import signing

_PURPOSE: Final = "telegram private link"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_MOST_LETTERS: Final = 14


def link_for(thread_id: int, channel: ChannelView) -> str:
    """The address; empty while the bot's name is unknown."""
    name = channel.setting("username")
    return f"https://t.me/{name}?start={_spelled(thread_id)}-{_tag(thread_id, channel)}" if name else ""


def thread_of(parameter: str, channel: ChannelView) -> int:
    """The thread that a start parameter of ours names; 0 for any other."""
    spelled, _, tag = parameter.partition("-")
    if not set(spelled) <= set(_LETTERS) or len(spelled) > _MOST_LETTERS:
        return 0
    thread_id = sum(_LETTERS.index(letter) * len(_LETTERS) ** at for at, letter in enumerate(reversed(spelled)))
    return thread_id if hmac.compare_digest(tag.encode(), _tag(thread_id, channel).encode()) else 0


def _spelled(number: int) -> str:
    """A number in letters: a long row of digits in a public text looks like a card or a passport, and is stopped as one."""
    letters = ""
    while number:
        number, at = divmod(number, len(_LETTERS))
        letters = _LETTERS[at] + letters
    return letters


def _tag(thread_id: int, channel: ChannelView) -> str:
    return signing.short_tag(channel.signing_key, _PURPOSE, str(thread_id))
