"""Typing signs on their way to open widgets of this process: best effort, kept nowhere, safe from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

Ring = Callable[[], None]
_rings: dict[tuple[int, str], list[Ring]] = {}
_lock = threading.Lock()


def subscribe(channel_id: int, thread_key: str, ring: Ring) -> Callable[[], None]:
    """Call `ring` (quick, from any thread) when an agent types in this thread. Returns the way out."""
    key = (channel_id, thread_key)
    with _lock:
        _rings.setdefault(key, []).append(ring)

    def leave() -> None:
        with _lock:
            rings = _rings.get(key, [])
            if ring in rings:
                rings.remove(ring)
            if not rings:
                _rings.pop(key, None)

    return leave


def tell(channel_id: int, thread_key: str) -> None:
    """An agent types in this thread."""
    with _lock:
        rings = list(_rings.get((channel_id, thread_key), ()))
    for ring in rings:
        ring()
