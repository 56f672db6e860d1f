"""What triage and people say of a case, by verdict: the signs. How the verdicts of its messages become them. Pure.

A sign is {"value", "confidence", "by", "message_id", "state"}; `state` is proposed (triage says so), confirmed or refused (a person
did). What a person said of a message is never overwritten by a machine; a new message may propose again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from careline.triage.protocol import KINDS, UNKNOWN, Verdict

Sign = dict[str, Any]
Signs = Mapping[str, Sign]
# Once said, these stand until a person refuses them; the others follow the customer's newest word.
LASTING: Final = frozenset({"harm", "legal", "leaving", "failed_elsewhere"})
# From which confidence a verdict becomes a sign. Risks are shown early: a wrong banner costs a glance, a missed one a customer.
SHOWN_FROM: Final = {
    "harm": 0.5,
    "legal": 0.5,
    "leaving": 0.5,
    "failed_elsewhere": 0.5,
    "closing": 0.6,
    "kind": 0.45,
    "needs_answer": 0.5,
}
NOTHING: Final = frozenset({"", UNKNOWN})


def stands(signs: Signs, name: str) -> bool:
    """Whether something is said and nobody refused it."""
    sign = signs.get(name)
    return bool(sign) and sign is not None and sign["state"] != "refused" and sign["value"] not in NOTHING


def value_of(signs: Signs, name: str) -> str:
    """What is said, '' where nothing stands."""
    return str(signs[name]["value"]) if stands(signs, name) else ""


def with_verdict(signs: Signs, verdict: Verdict, message_id: int) -> dict[str, Sign]:
    """The signs after one verdict of a message not older than those before."""
    known = signs.get(verdict.name)
    if verdict.name not in SHOWN_FROM or (known and _keeps(known, verdict, message_id)):
        return dict(signs)
    if verdict.value in NOTHING or verdict.confidence < SHOWN_FROM[verdict.name]:
        return {name: sign for name, sign in signs.items() if name != verdict.name or verdict.name in LASTING}
    return {**signs, verdict.name: sign_of(verdict.value, verdict.confidence, verdict.by, message_id)}


def sign_of(value: str, confidence: float, by: str, message_id: int, state: str = "proposed") -> Sign:
    """One sign as it is kept."""
    return {
        "value": value,
        "confidence": round(confidence, 3),
        "by": by,
        "message_id": str(message_id),
        "state": state,
    }


def _keeps(known: Sign, verdict: Verdict, message_id: int) -> bool:
    """Whether what is known outlasts the verdict: a person's word on this message, a person's word on what lasts, or a surer one."""
    by_person = known["state"] != "proposed"
    if by_person and (
        known["message_id"] == str(message_id) or (known["state"] == "confirmed" and verdict.name in LASTING | {"kind"})
    ):
        return True
    if verdict.name in LASTING and not by_person:
        return bool(verdict.value in NOTHING or known["confidence"] >= verdict.confidence)
    if verdict.name == "kind" and not by_person and known["message_id"] != str(message_id):
        return _gravity(str(known["value"])) <= _gravity(verdict.value)
    return False


def _gravity(kind: str) -> int:
    """A complaint that is followed by a question stays a complaint: KINDS is in the order of weight."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)
