"""Verdicts go up to whoever shows or counts them (cases, a floor above): handlers run in the unit of work that keeps the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from careline.events.recording import UnitOfWork
from careline.threads.models import Message
from careline.triage.protocol import Judged


@dataclass(frozen=True)
class JudgedMessage:
    """A message with what was found in it."""

    message: Message
    judged: Judged


Handler = Callable[[UnitOfWork, int, Sequence[JudgedMessage]], None]
_handlers: list[Handler] = []


def on_verdicts(handler: Handler) -> Handler:
    """Register `handler(work, workspace_id, judged)`. It locks its rows in the house's order and must be quick."""
    _handlers.append(handler)
    return handler


def tell(work: UnitOfWork, workspace_id: int, judged: Sequence[JudgedMessage]) -> None:
    """Call every handler, inside the caller's unit of work."""
    for handler in _handlers:
        handler(work, workspace_id, judged)
