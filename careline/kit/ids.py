"""63-bit identifiers: time-ordered, unique everywhere, made without asking the database.

Layout, high to low: 41 bits milliseconds since 2024-01-01 (enough until 2093), 12 bits node (random per process), 10 bits sequence.
Within a process they strictly rise, so sorting by id is sorting by birth.
"""

from __future__ import annotations

import os
import secrets
import threading
import time

_EPOCH_MS = 1_704_067_200_000
_SEQUENCE_BITS, _NODE_BITS = 10, 12
_lock = threading.Lock()
_node = secrets.randbits(_NODE_BITS)
_last = 0


def new_id() -> int:
    """One new identifier."""
    global _last
    with _lock:
        floor = (int(time.time() * 1000) - _EPOCH_MS) << (_NODE_BITS + _SEQUENCE_BITS) | _node << _SEQUENCE_BITS
        _last = floor if floor > _last else _next_after(_last)
        return _last


def _next_after(identifier: int) -> int:
    if (identifier + 1) & ((1 << _SEQUENCE_BITS) - 1):
        return identifier + 1
    # The millisecond's 1,024 numbers are used up: borrow the next millisecond, same node.
    step = 1 << (_NODE_BITS + _SEQUENCE_BITS)
    return (identifier | ((1 << _SEQUENCE_BITS) - 1)) - ((1 << _SEQUENCE_BITS) - 1) + step


def id_at(epoch_ms: int) -> int:
    """The smallest identifier of a moment: for reading ranges of time by id."""
    return max(0, epoch_ms - _EPOCH_MS) << (_NODE_BITS + _SEQUENCE_BITS)


def new_token(size_bytes: int = 24) -> str:
    """An unguessable, URL-safe token."""
    return secrets.token_urlsafe(size_bytes)


def _renew_node() -> None:
    # The child starts its own row: going on from the parent's last number would repeat what the parent gives next, and another thread
    # of the parent may hold the lock for ever.
    global _node, _last, _lock
    _node, _last, _lock = secrets.randbits(_NODE_BITS), 0, threading.Lock()


os.register_at_fork(after_in_child=_renew_node)
