"""How a language's data file is written, and what it is refused for; matching lives in `matching.py`."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from careline.triage.protocol import CLOSINGS, HARMS

CHANNELS: Final = ("phone", "email", "chat", "form", "branch", "social", "app")
RISKS: Final = frozenset(
    {"legal", "leaving"}
    | {f"harm:{harm}" for harm in HARMS}
    | {f"failed_elsewhere:{channel}" for channel in CHANNELS}
    | {f"closing:{closing}" for closing in CLOSINGS}
)


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as written in a data file. `unless` cancels a match it overlaps; `yields_to` names contexts that cancel it."""

    name: str
    risk: str
    confidence: float
    patterns: tuple[str, ...]
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    unless: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    most_words: int = 0


class Context(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that cancel a match: just `before` it, anywhere in its `sentence`, or anywhere in the `text`."""

    scope: Literal["before", "sentence", "text"]
    patterns: tuple[str, ...]


class DataFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A language's data file: `lists` are named choices for phrases, `numbers` among them the words that count as numbers."""

    language: str
    version: str
    sources: tuple[str, ...]
    lists: dict[str, tuple[str, ...]]
    contexts: dict[str, Context]
    rules: tuple[Rule, ...]


def read_data_file(content: bytes) -> DataFile:
    """Read and check a data file. Raises ValueError, naming the rule, for anything that cannot be meant."""
    data = msgspec.json.decode(content, type=DataFile)
    names = [rule.name for rule in data.rules]
    if len(set(names)) < len(names):
        raise ValueError("two rules have one name")
    for rule in data.rules:
        _check_rule(rule, data)
    return data


def _check_rule(rule: Rule, data: DataFile) -> None:
    if rule.risk not in RISKS:
        raise ValueError(f"{rule.name}: no risk is called {rule.risk!r}")
    if not 0 < rule.confidence < 1:
        raise ValueError(f"{rule.name}: the confidence is between 0 and 1")
    if not (rule.patterns and rule.examples and rule.counter_examples):
        raise ValueError(f"{rule.name}: patterns, examples and counter-examples are all needed")
    if unknown := set(rule.yields_to) - set(data.contexts):
        raise ValueError(f"{rule.name}: no context is called {sorted(unknown)}")
