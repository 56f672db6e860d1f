"""Signed marks that name a thread in few and harmless letters, for links that customers follow or texts that they send."""

from __future__ import annotations

import hmac
from typing import Final

from careline.channels.base import ChannelView
from careline.kit import signing

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_MOST_LETTERS: Final = 14


def mark_of(thread_id: int, channel: ChannelView, purpose: str) -> str:
    """`<letters>-<tag>`, of A-Z, a-z, 0-9, _ and - alone. `purpose` keeps marks of different uses apart."""
    return f"{_spelled(thread_id)}-{_tag(thread_id, channel, purpose)}"


def thread_of(mark: str, channel: ChannelView, purpose: str) -> int:
    """The thread that a mark of ours names; 0 for any other."""
    spelled, _, tag = mark.partition("-")
    if not set(spelled) <= set(_LETTERS) or len(spelled) > _MOST_LETTERS:
        return 0
    thread_id = sum(_LETTERS.index(letter) * len(_LETTERS) ** at for at, letter in enumerate(reversed(spelled)))
    return thread_id if hmac.compare_digest(tag.encode(), _tag(thread_id, channel, purpose).encode()) else 0


def _spelled(number: int) -> str:
    """A number in letters: a long row of digits in a public text looks like a card or a passport, and is stopped as one."""
    letters = ""
    while number:
        number, at = divmod(number, len(_LETTERS))
        letters = _LETTERS[at] + letters
    return letters


def _tag(thread_id: int, channel: ChannelView, purpose: str) -> str:
    return signing.short_tag(channel.signing_key, purpose, str(thread_id))
