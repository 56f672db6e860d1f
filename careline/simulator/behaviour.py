"""How badly the platform behaves, on request: duplicates, disorder, outages, and refusals of the next calls."""

from __future__ import annotations

import random
import threading
from typing import Literal

import msgspec

Kind = Literal[
    "rate_limit",
    "away",
    "failing",
    "failing_after",
    "cut",
    "cut_after",
    "unreadable_after",
    "slow",
    "unauthorised",
    "closed",
]


class Behaviour(msgspec.Struct, frozen=True):
    """Standing behaviour. Shares are 0 to 1, times seconds.

    `pushes` False holds all webhooks back (an outage between the platform and us). `is_away` answers every API call
    with 503.
    `receipts`: none, sent, or all (delivered and read follow in private). `echoes`: our own messages come back as
    events.
    """

    duplicates: float = 0.0
    disorder: float = 0.0
    disorder_s: float = 0.5
    batch: int = 20
    concurrency: int = 1
    pushes: bool = True
    is_away: bool = False
    receipts: Literal["none", "sent", "all"] = "all"
    echoes: bool = True
    first_backoff_s: float = 0.25
    longest_backoff_s: float = 5.0
    read_after_s: float = 2.5


class Fault(msgspec.Struct, frozen=True):
    """What happens to the next `times` calls of `POST messages`, acts on a message (hiding, liking, reacting, deleting), or questions who somebody is.

    rate_limit: 429, with `retry_after` as it stands when not empty. away: 503. failing: 500, nothing taken.
    failing_after: taken, then 500.
    cut: the connection ends before anything is taken. cut_after: taken, then the connection ends inside the answer.
    unreadable_after: taken, then an answer that is no JSON. slow: taken after `seconds`. unauthorised: 401.
    closed: 403, the window is closed.
    """

    kind: Kind
    times: int = 1
    retry_after: str = ""
    seconds: float = 0.0


class Temper:
    """The behaviour of now, and the faults still to come. Safe from any thread."""

    def __init__(self, behaviour: Behaviour | None = None, *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.now = behaviour or Behaviour()
        self.chance = random.Random(seed)  # noqa: S311 - repeatable mischief, not secrets

    def set(self, behaviour: Behaviour) -> None:
        """Behave so from now on."""
        self.now = behaviour

    def plan(self, fault: Fault) -> None:
        """Queue a fault."""
        with self._lock:
            self._faults.extend([msgspec.structs.replace(fault, times=1)] * fault.times)

    def next_fault(self) -> Fault | None:
        """The fault of this call, used up."""
        with self._lock:
            return self._faults.pop(0) if self._faults else None

    def forget_faults(self) -> None:
        with self._lock:
            self._faults.clear()
