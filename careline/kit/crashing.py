"""Named points where a crash test may kill this process. Without CARELINE_CRASH_AT they cost one comparison and do nothing.

CARELINE_CRASH_AT is `<point>:<n>`: at the n-th pass of that point the process gets SIGKILL, as from `kill -9`. Points stand where work is half done:
between a transaction's last statement and its commit, between a commit and what follows it, between the wire and the note of its outcome.
"""

from __future__ import annotations

import os
import signal
import threading

POINTS = frozenset(
    {
        "journal.before_commit",
        "journal.after_commit",
        "digest.attempt_committed",
        "digest.before_commit",
        "digest.after_commit",
        "send.attempt_committed",
        "send.on_wire",
        "send.answered",
        "moderate.attempt_committed",
        "moderate.answered",
        "mail.in_data",
        "mail.after_data",
    }
)
_point, _, _count = os.environ.get("CARELINE_CRASH_AT", "").partition(":")
_left = int(_count or 1)
_lock = threading.Lock()


def pass_point(name: str) -> None:
    """Die here, if a crash test asked for it."""
    if name != _point:
        return
    global _left
    with _lock:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
