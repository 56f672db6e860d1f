"""Wakes whoever follows the log: a hint only ("workspace W is at n"). A lost hint costs the followers' one-second poll, never an event.

Beside the hints go whispers: who looks, who types. They have no number, are kept nowhere, and a lost one is said again soon.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

Listener = Callable[[int, int], None]
_listeners: list[Listener] = []
_lock = threading.Lock()
_latest: dict[int, int] = {}


def subscribe(listener: Listener) -> Callable[[], None]:
    """Call `listener(workspace_id, n)` after each commit of this process (and, on PostgreSQL, of others). Must not block. Returns the way out."""
    with _lock:
        _listeners.append(listener)

    def leave() -> None:
        with _lock:
            if listener in _listeners:
                _listeners.remove(listener)

    return leave


def wake(workspace_id: int, n: int) -> None:
    """Tell all followers in this process, then other processes through the bridge, if one is installed."""
    tell(workspace_id, n)
    if _bridge is not None:
        _bridge(workspace_id, n)


def tell(workspace_id: int, n: int) -> None:
    """Tell the followers of this process only."""
    with _lock:
        _latest[workspace_id] = max(n, _latest.get(workspace_id, 0))
        listeners = list(_listeners)
    for listener in listeners:
        listener(workspace_id, n)


_bridge: Listener | None = None


def install_bridge(bridge: Listener | None) -> None:
    """PostgreSQL NOTIFY (or Redis) to other processes; None removes it."""
    global _bridge
    _bridge = bridge


Whisper = Callable[[int, bytes], None]
_carrier: Whisper | None = None
_ears: list[Whisper] = []


def whisper(workspace_id: int, said: bytes) -> None:
    """To the other processes, when something carries there. Never blocks."""
    if _carrier is not None:
        _carrier(workspace_id, said)


def install_carrier(carrier: Whisper | None) -> None:
    """What brings whispers to other processes; None removes it."""
    global _carrier
    _carrier = carrier


def hear_whispers(ear: Whisper) -> Callable[[], None]:
    """Call `ear(workspace_id, said)` for each whisper of another process, from any thread. Must not block. Returns the way out."""
    with _lock:
        _ears.append(ear)

    def leave() -> None:
        with _lock:
            if ear in _ears:
                _ears.remove(ear)

    return leave


def overhear(workspace_id: int, said: bytes) -> None:
    """A whisper of another process has arrived."""
    with _lock:
        ears = list(_ears)
    for ear in ears:
        ear(workspace_id, said)
