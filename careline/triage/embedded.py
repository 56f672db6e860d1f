"""The embedded engine: everything one message tells, on this machine's processor, without key, cloud or database.

Normalise, language, personal data, risks by rule, one sentence vector, the heads (the workspace's own before the shipped ones), near-duplicate
bands. Rules and heads are joined so that a head never lowers what a rule raised.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import to_builtins
from msgspec.structs import replace

from careline.triage import encoders
from careline.triage.because import Because
from careline.triage.duplicates import signature
from careline.triage.encoders import Vectors
from careline.triage.framing import Fitted
from careline.triage.heads import Guess, Head, Row
from careline.triage.heads.examples import Examples
from careline.triage.heads.shipped import known_heads, shipped_heads
from careline.triage.heads.storing import from_bytes, to_bytes
from careline.triage.language import detect_language
from careline.triage.lexicons.matching import Found, find_risks
from careline.triage.normalising import normalise
from careline.triage.personal import find_personal
from careline.triage.protocol import RISKS, UNKNOWN, Asked, Example, Judged, Span, Verdict

VERSION: Final = "embedded-1"
HEADS: Final = ("kind", "needs_answer", "sentiment")
RISK: Final = "risk"
RULED: Final = ("harm", "legal", "leaving", "failed_elsewhere", "closing")
_MOST_WORKSPACES: Final = 500
_WHY_WORDS: Final = 4
# Measured: python -m benchmarks.triage_risks.
_RISK_FROM: Final = 0.6
NO_RISK: Final = "none"
# A first head is compared with the shipped one on the workspace's own rows, in as many parts.
_COMPARED_FOLDS: Final = 5
_FEWEST_COMPARED: Final = 2 * _COMPARED_FOLDS
_NEIGHBOURS: Final = 2
_NEAR_FROM: Final = 0.4
# The label of what is of no topic in a workspace's own head (lessons.py).
NO_TOPIC: Final = "none"
# Below this share of confident held-out rows a topic is not said: unknown goes to a person.
_TOPIC_GIVEN_UP: Final = 0.1


class EmbeddedEngine:
    """One per process; not for several threads at once."""

    version = VERSION

    def __init__(self) -> None:
        self._shipped = shipped_heads()
        self._own: OrderedDict[int, dict[str, Head]] = OrderedDict()

    def learn(self, workspace_id: int, name: str, body: bytes) -> None:
        """Use this head for the workspace from now on; an empty body goes back to the shipped one."""
        own = self._own.pop(workspace_id, {})
        if body:
            own[name] = from_bytes(body)
        else:
            own.pop(name, None)
        self._own[workspace_id] = own
        while len(self._own) > _MOST_WORKSPACES:
            self._own.popitem(last=False)

    def fit(self, name: str, rows: Sequence[tuple[str, str]], before: bytes = b"", own_rows: int = 0) -> Fitted:
        """Fit a light head from rows, leaning on the shipped ones; the card says how good it is on rows held out."""
        labelled = [Row(text, label) for text, label in rows]
        head = without_examples(Head.fit(labelled, reading="light", known=known_heads()))
        fitted = Fitted(to_bytes(head), to_builtins(head.card))
        if before:
            return replace(fitted, accuracy_before=from_bytes(before).accuracy_on(labelled))
        shipped = self._shipped.get(name)
        if shipped is None or own_rows < _FEWEST_COMPARED:
            return fitted
        own = labelled[:own_rows]
        return replace(
            fitted, accuracy_before=shipped.accuracy_on(own), accuracy_own=held_out_accuracy(own, labelled[own_rows:])
        )

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """The vectors of texts as a judgement keeps them."""
        vectors = encoders.use().encode([normalise(text) for text in texts])
        return [np.asarray(vector, dtype="<f2").tobytes() for vector in vectors]

    def judge(self, batch: Sequence[Asked]) -> list[Judged]:
        """As the protocol says."""
        if not batch:
            return []
        plain = [normalise(asked.text) for asked in batch]
        vectors = encoders.use().encode(plain)
        guesses = {name: self._guess(name, batch, vectors) for name in (*HEADS, "topic", RISK)}
        because = Because([asked.text for asked in batch])
        return [
            self._one(
                asked,
                vectors[number],
                [
                    self._verdict(name, *found[number], because, number, vectors[number])
                    for name, found in guesses.items()
                    if number in found and name != RISK
                ],
                self._proposed(guesses[RISK].get(number), because, number),
            )
            for number, asked in enumerate(batch)
        ]

    def _guess(self, name: str, batch: Sequence[Asked], vectors: Vectors) -> dict[int, tuple[Head, Guess]]:
        """By position in the batch: the head that judged and what it says; texts no head is there for are left out."""
        groups: dict[int, list[int]] = defaultdict(list)
        heads: dict[int, Head] = {}
        for number, asked in enumerate(batch):
            head = self._own.get(asked.workspace_id, {}).get(name) or self._shipped.get(name)
            if head is not None:
                groups[id(head)].append(number)
                heads[id(head)] = head
        found: dict[int, tuple[Head, Guess]] = {}
        for key, numbers in groups.items():
            said = heads[key].judge([batch[number].text for number in numbers], vectors=vectors[numbers])
            found.update({number: (heads[key], guess) for number, guess in zip(numbers, said, strict=True)})
        return found

    def _one(self, asked: Asked, vector: Vectors, heads: list[Verdict], proposed: list[Verdict]) -> Judged:
        language = detect_language(asked.text)
        risks = find_risks(asked.text, (language,) if language else ())
        # In first words "nothing was solved" is the complaint itself; only of an answer it says how that went.
        risks = [one for one in risks if asked.is_reply or one.value != "unsolved"]
        verdicts = _ruled([Verdict("language", language, 1.0 if language else 0.0), *heads], risks)
        known = {verdict.name for verdict in verdicts}
        verdicts += [verdict for verdict in proposed if verdict.name not in known]
        return Judged(
            asked.id,
            tuple(verdicts),
            tuple(find_personal(asked.text)),
            np.asarray(vector, dtype="<f2").tobytes(),
            signature(asked.text),
        )

    def _verdict(self, name: str, head: Head, guess: Guess, because: Because, number: int, vector: Vectors) -> Verdict:
        value = guess.label
        if name == "topic" and (value == NO_TOPIC or head.is_unknown(guess, _TOPIC_GIVEN_UP)):
            value = UNKNOWN
        return Verdict(
            name,
            value,
            round(guess.confidence, 4),
            number=_mood(head, guess) if name == "sentiment" else None,
            words=because.words(number, head, guess.label, _WHY_WORDS) if value != UNKNOWN else (),
            examples=self._nearest(name, vector),
        )

    def _proposed(self, found: tuple[Head, Guess] | None, because: Because, number: int) -> list[Verdict]:
        """What the risk head sees where no rule speaks: oblique words, at a confidence that keeps banners rare."""
        if found is None or found[1].label == NO_RISK or found[1].confidence < _RISK_FROM:
            return []
        head, guess = found
        name = guess.label if guess.label in RISKS else "harm"
        words = because.words(number, head, guess.label, _WHY_WORDS)
        return [Verdict(name, guess.label, round(guess.confidence, 4), words=words)]

    def _nearest(self, name: str, vector: Vectors) -> tuple[Example, ...]:
        """Messages written as examples that mean nearly the same, with what they are."""
        head = self._shipped.get(name)
        if head is None:
            return ()
        return tuple(
            Example(row.text, row.label, round(near, 3))
            for row, near in head.examples.nearest(vector, _NEIGHBOURS)
            if near >= _NEAR_FROM
        )


def _mood(head: Head, guess: Guess) -> float:
    """From -1 to +1: how much more likely good than bad."""
    chances = dict(zip(head.card.labels, guess.probabilities.tolist(), strict=True))
    return round(float(chances.get("positive", 0.0) - chances.get("negative", 0.0)), 3)


def held_out_accuracy(own: Sequence[Row], lent: Sequence[Row]) -> float:
    """The share of `own` that heads judge as labelled, each row judged by a head fitted without it, on the others and what is `lent`."""
    folds = np.arange(len(own)) % _COMPARED_FOLDS
    right = 0.0
    for fold in range(_COMPARED_FOLDS):
        shown = [row for row, dealt in zip(own, folds, strict=True) if dealt != fold]
        kept = [row for row, dealt in zip(own, folds, strict=True) if dealt == fold]
        head = Head.fit([*shown, *lent], reading="light", known=known_heads())
        right += head.accuracy_on(kept) * len(kept)
    return right / len(own)


def without_examples(head: Head) -> Head:
    """A workspace's head keeps weights, never a sentence: what a customer takes back must not live on in it."""
    return replace(head, examples=Examples((), np.empty((0, encoders.use().size), dtype=np.float32)))


def _ruled(verdicts: Iterable[Verdict], risks: Sequence[Found]) -> list[Verdict]:
    """Rules beside heads: what may hurt or fell through elsewhere always needs an answer, and is no noise."""
    found = list(verdicts)
    by_rule = [_strongest(name, risks) for name in RULED]
    found += [verdict for verdict in by_rule if verdict is not None]
    raised = [verdict for verdict in by_rule if verdict is not None and verdict.name != "closing"]
    if not raised:
        return found
    words = tuple(span for verdict in raised for span in verdict.words)
    sure = max(verdict.confidence for verdict in raised)
    return [_raised(verdict, sure, words) for verdict in found]


def _raised(verdict: Verdict, sure: float, words: tuple[Span, ...]) -> Verdict:
    if verdict.name == "needs_answer" and verdict.value == "no":
        return Verdict("needs_answer", "yes", sure, by="rule", words=words)
    if verdict.name == "kind" and verdict.value == "noise":
        return Verdict("kind", "complaint", sure, by="rule", words=words)
    return verdict


def _strongest(name: str, risks: Sequence[Found]) -> Verdict | None:
    own = [one for one in risks if one.risk == name]
    if not own:
        return None
    best = max(own, key=lambda one: one.confidence)
    return Verdict(name, best.value, best.confidence, by="rule", words=best.spans)
