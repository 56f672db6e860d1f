"""Acts on persons: written with what their reverse needs, and reversed by the verb's own function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from careline.events.recording import UnitOfWork
from careline.kit import clock
from careline.people.models import PersonAct

Reverser = Callable[[UnitOfWork, PersonAct, int], None]
REVERSERS: Final[dict[str, Reverser]] = {}


def reverses(verb: str) -> Callable[[Reverser], Reverser]:
    """Register the reverse of a verb; it gets the unit of work, the act and the agent who undoes."""

    def register(reverser: Reverser) -> Reverser:
        REVERSERS[verb] = reverser
        return reverser

    return register


def record_act(
    workspace_id: int, person_id: int, verb: str, agent_id: int | None, why: str, facts: Mapping[str, object]
) -> int:
    """Write an act. Returns its id. One statement."""
    act = PersonAct.objects.create(
        workspace_id=workspace_id,
        person_id=person_id,
        verb=verb,
        agent_id=agent_id,
        why=why[:200],
        facts=dict(facts),
        at=clock.now(),
    )
    return act.id
