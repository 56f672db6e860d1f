"""The few facts a message keeps beside its words, under fixed keys: who it went to, where an answer goes, and what its
network added.
"""

from __future__ import annotations

from collections.abc import Mapping

from careline.threads.models import Message

NOT_SUMMONED = "not_summoned"
_LISTS = ("to", "copied", NOT_SUMMONED)


def recipients_of(message: Message) -> tuple[str, ...]:
    """Addresses in To."""
    return _addresses(message.facts, "to")


def copied_of(message: Message) -> tuple[str, ...]:
    """Addresses in CC."""
    return _addresses(message.facts, "copied")


def reply_address_of(message: Message) -> str:
    """Where the author wants answers, or ''."""
    return str(message.facts.get("reply_address", ""))


def is_summons(message: Message) -> bool:
    """Whether its author named or quoted us, where the platform takes answers to nobody else."""
    return NOT_SUMMONED not in message.facts


def small_facts_of(message: Message) -> dict[str, str]:
    """Everything that is one value and shown."""
    return {
        str(key): str(value)
        for key, value in message.facts.items()
        if key not in _LISTS and isinstance(value, str | int | float)
    }


def _addresses(facts: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = facts.get(key)
    if isinstance(found, str):
        return tuple(one for one in (part.strip() for part in found.split(",")) if one)
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
