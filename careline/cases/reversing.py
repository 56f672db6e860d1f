"""How acts are taken back: columns are written back by themselves; an act that did more registers its reverse here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from careline.cases.changing import CaseChange
from careline.cases.models import CaseAct

Reverser = Callable[[CaseAct, Mapping[int, CaseChange]], None]
_reversers: dict[str, Reverser] = {}


def reverses(verb: str) -> Callable[[Reverser], Reverser]:
    """Register what undoes an act of this verb besides its columns. It gets the act and the locked cases by id."""

    def register(reverser: Reverser) -> Reverser:
        _reversers[verb] = reverser
        return reverser

    return register


def reverse(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """Run the reverse of an act, if it has one."""
    reverser = _reversers.get(act.verb)
    if reverser is not None:
        reverser(act, changes)


def cases_of(act: CaseAct) -> set[int]:
    """Every case an act touched: its own, and those named in its facts."""
    others = (act.after.get(name) for name in ("into_id", "from_id"))
    return {act.case_id, *(int(one) for one in others if isinstance(one, int))}
