"""A nudge for this process's digest: something new is in the journal. Losing one costs at most the digest's own poll."""

from __future__ import annotations

import threading

_bell = threading.Event()


def wake() -> None:
    """There is something to digest."""
    _bell.set()


def wait(timeout_s: float) -> None:
    """Sleep until woken or `timeout_s` passed."""
    _bell.wait(timeout_s)
    _bell.clear()
