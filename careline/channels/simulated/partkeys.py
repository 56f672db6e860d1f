"""The key of one post of several: our idempotency key with its place, so that an echo tells which part came back."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_PART: Final = re.compile(r"(?P<key>.+)/(?P<number>[1-9][0-9]{0,3})of(?P<count>[1-9][0-9]{0,3})")


class PartKey(NamedTuple):
    """The whole message's key, and whether this part is its last (or only) one."""

    key: str
    is_last: bool


def write(key: str, number: int, count: int) -> str:
    """The client key of part `number` (from 0) of `count`; a message of one part keeps its key."""
    return key if count == 1 else f"{key}/{number + 1}of{count}"


def read(client_key: str) -> PartKey:
    """What a client key that came back says; a foreign one is whole."""
    part = _PART.fullmatch(client_key)
    if part is None:
        return PartKey(client_key, True)
    return PartKey(part["key"], part["number"] == part["count"])
