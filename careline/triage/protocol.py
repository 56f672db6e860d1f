"""What triage is asked and what it answers: a batch of texts in, typed verdicts with confidence and reasons out. No engine, no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

# The verdicts and the values each may take; a topic's values are the workspace's own.
KINDS: Final = ("complaint", "question", "request", "compliment", "noise")
RISKS: Final = ("harm", "legal", "leaving")
HARMS: Final = ("safety", "stranded", "vulnerable", "press")
CLOSINGS: Final = ("thanks", "solved", "unsolved")
UNKNOWN: Final = "unknown"
VERDICTS: Final = (
    "language",
    "needs_answer",
    "kind",
    "sentiment",
    "topic",
    "harm",
    "legal",
    "leaving",
    "failed_elsewhere",
    "closing",
)


class Asked(Struct, frozen=True):
    """One text to judge, with what is known around it. Offsets in reasons and finds are code points of `text`."""

    id: int
    text: str
    workspace_id: int = 0
    languages: tuple[str, ...] = ()
    is_public: bool = False
    is_reply: bool = False


class Span(Struct, frozen=True):
    """A part of the text, code points, end exclusive; `what` says what it is (a rule's name, a kind of personal data)."""

    start: int
    end: int
    what: str = ""


class Example(Struct, frozen=True):
    """A labelled text a verdict leans on: masked words, its label, how near (0 to 1)."""

    text: str
    label: str
    nearness: float


class Verdict(Struct, frozen=True):
    """One judgement. `value` is one of the verdict's values ('' = no, 'unknown' = it cannot say); `number` is the sentiment,
    -1 to +1. `confidence` is calibrated, 0 to 1. `by`: rule, model or llm.
    """

    name: str
    value: str
    confidence: float
    by: str = "model"
    number: float | None = None
    words: tuple[Span, ...] = ()
    examples: tuple[Example, ...] = ()


class Judged(Struct, frozen=True):
    """All that was found in one text. `personal` holds no words, only where they stand; `vector` is float16, little-endian;
    `signature` are the near-duplicate bands.
    """

    id: int
    verdicts: tuple[Verdict, ...]
    personal: tuple[Span, ...] = ()
    vector: bytes = b""
    signature: tuple[int, ...] = ()


class Engine(Protocol):
    """Judges texts. The answer has one entry for each question, in its order; it raises nothing for strange text."""

    version: str

    def judge(self, batch: Sequence[Asked]) -> list[Judged]:
        """Judge a batch of at most some hundreds."""
        ...
