"""What tests of learning share: a child whose fits a test writes down, corrections in bulk, and vectors that lie where a test wants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from zlib import crc32

import numpy as np
import pytest

from careline.conftest import Air, make_case
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads.models import Message
from careline.triage.calling import ChildFailed
from careline.triage.framing import Fitted
from careline.triage.models import Correction, Judgement
from careline.triage.nearness import VECTOR_BYTES
from careline.triage.tests.scripted import ScriptedChild

KINDS = ("complaint", "question")
_travels = ExitStack()


def wait(by: timedelta) -> None:
    """Time goes by, until the test ends (`no_time` puts it back)."""
    _travels.enter_context(clock.travel(by))


@pytest.fixture(autouse=True)
def no_time() -> Iterator[None]:
    """The clock as it was."""
    yield
    _travels.close()


class LearningChild(ScriptedChild):
    """Fits whatever it is given, as accurate as the test says; reads a text to the vector of its first word."""

    def __init__(self) -> None:
        super().__init__()
        self.accuracy = 0.8
        self.accuracy_before: float | None = None
        self.accuracy_own: float | None = None
        self.fits: list[tuple[str, tuple[tuple[str, str], ...], bytes]] = []
        self.during_fit: list[object] = []

    def fit(self, name: str, rows: Iterable[tuple[str, str]], before: bytes = b"", own_rows: int = 0) -> Fitted:
        if self.is_broken:
            raise ChildFailed("child_gone")
        given = tuple(rows)
        self.fits.append((name, given, before))
        for act in self.during_fit:
            act()  # type: ignore[operator] # a test's own
        labels = sorted({label for _text, label in given})
        card: dict[str, object] = {
            "labels": labels,
            "examples": [sum(1 for _text, one in given if one == label) for label in labels],
            "rows": len(given),
            "accuracy": self.accuracy,
            "macro_f1": self.accuracy - 0.05,
        }
        own = None if before else self.accuracy_own
        return Fitted(f"body-{len(self.fits)}".encode(), card, self.accuracy_before, own)

    def encode(self, texts: Iterable[str]) -> list[bytes]:
        said = list(texts)
        if self.is_broken or any("POISON" in text for text in said):
            raise ChildFailed("child_gone")
        return [vector_at(text.split()[0] if text else "") for text in said]


def correct(
    air: Air, count: int, verdict: str = "kind", values: Sequence[str] = KINDS, text: str = "bag"
) -> list[Correction]:
    """Corrections of so many messages, values in turn."""
    said = []
    for number in range(count):
        case = make_case(air.channel, air.marta_identity, f"{text} {_word(number)} {_word(Message.objects.count())}")
        message = Message.objects.get(case_id=case.id)
        value = values[number % len(values)]
        said.append(_row(air, message, verdict, value))
    return said


def _word(number: int) -> str:
    """A number in letters: digits in a row might be somebody's telephone."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def _row(air: Air, message: Message, verdict: str, value: str) -> Correction:
    with unit_of_work():
        return Correction.objects.create(
            workspace_id=air.workspace.id,
            message=message,
            verdict=verdict,
            was="complaint",
            value=value,
            agent_id=air.ana.agent_id,
            at=clock.now(),
        )


def vector_at(word: str, *, near: float = 1.0, salt: int = 0) -> bytes:
    """A kept vector in the direction of a word; `near` below 1 turns it away by chance."""
    base = np.random.default_rng(crc32(word.encode())).normal(size=VECTOR_BYTES // 2)
    base /= np.linalg.norm(base)
    if near < 1.0:
        other = np.random.default_rng(salt + 1).normal(size=VECTOR_BYTES // 2)
        other -= (other @ base) * base
        base = near * base + np.sqrt(1 - near * near) * other / np.linalg.norm(other)
    return base.astype("<f2").tobytes()


def judged(air: Air, text: str, vector: bytes, verdicts: Sequence[dict[str, object]] = ()) -> Message:
    """A message with its judgement."""
    case = make_case(air.channel, air.marta_identity, text)
    message = Message.objects.get(case_id=case.id)
    with unit_of_work():
        Judgement.objects.create(
            message=message, workspace_id=air.workspace.id, vector=vector, verdicts=list(verdicts), at=clock.now()
        )
    return message
