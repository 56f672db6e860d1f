"""Fits the heads that come with Careline, from our seeds and permissive data only, reproducibly. For developers: `careline triage ship`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from careline.triage.heads import Head, Row
from careline.triage.heads.storing import write_head
from careline.triage.seeds.reading import LANGUAGES, Seed, read_seeds

# GoEmotions (Apache-2.0), Banking77 (CC BY 4.0), CLINC150 (CC BY 3.0): what may ship is told in docs/triage.md.
_GOOD: Final = frozenset(
    [
        "admiration",
        "amusement",
        "approval",
        "caring",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    ]
)
_BAD: Final = frozenset(
    [
        "anger",
        "annoyance",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "fear",
        "grief",
        "nervousness",
        "remorse",
        "sadness",
    ]
)
_NEITHER: Final = frozenset(["neutral", "curiosity", "confusion"])
_ASKING: Final = frozenset(
    [
        "what",
        "what's",
        "whats",
        "how",
        "how's",
        "when",
        "where",
        "where's",
        "why",
        "who",
        "which",
        "is",
        "are",
        "am",
        "can",
        "could",
        "do",
        "does",
        "did",
        "will",
        "would",
    ]
)
# CLINC150's small talk asks nothing of a company.
_SMALL_TALK: Final = frozenset(
    [
        "greeting",
        "goodbye",
        "thank_you",
        "yes",
        "no",
        "maybe",
        "tell_joke",
        "fun_fact",
        "are_you_a_bot",
        "who_made_you",
        "what_is_your_name",
        "how_old_are_you",
        "where_are_you_from",
        "do_you_have_pets",
        "meaning_of_life",
        "who_do_you_work_for",
        "what_are_your_hobbies",
        "flip_coin",
        "roll_dice",
    ]
)
_MOST_BY_SOURCE: Final = 500
_MOST_MOODS: Final = 4000
_MOST_CALM: Final = 1500
# The label of the risk head for what is no risk.
NO_RISK: Final = "none"
_SEED: Final = 42


def ship_heads(data: Path, folder: Path) -> Iterator[str]:
    """Fit and write every shipped head; one line said for each. `data` holds goemotions, banking77 and clinc150."""
    emotions = [(row["text"], frozenset(row["labels"].split("|"))) for row in _table(data / "goemotions" / "train.csv")]
    asked = list(_asked(data))
    seeds = [seed for language in LANGUAGES for seed in read_seeds(language)]
    tables = {
        "kind": [*_seeded(seeds, "kind"), *_few(_kinds(emotions, asked), most=_MOST_BY_SOURCE)],
        "needs_answer": [*_seeded(seeds, "needs_answer"), *_few(_needs(emotions, asked), most=_MOST_BY_SOURCE)],
        "sentiment": [*_seeded(seeds, "sentiment"), *_few(_moods(emotions), most=_MOST_MOODS)],
        "risk": [*(Row(seed.text, risk_of(seed)) for seed in seeds), *_few(_calm(emotions, asked), most=_MOST_CALM)],
    }
    for name, rows in tables.items():
        head = Head.fit(rows, seed=_SEED)
        write_head(head, folder / f"{name}.head")
        yield f"{name}: {head.card.rows} rows, accuracy {head.card.accuracy:.4f}, macro-F1 {head.card.macro_f1:.4f} held out"


def risk_of(seed: Seed) -> str:
    """The gravest risk of a seed, NO_RISK where there is none."""
    return seed.harm or seed.legal or seed.leaving or NO_RISK


def _calm(emotions: Sequence[tuple[str, frozenset[str]]], asked: Sequence[Row]) -> Iterator[Row]:
    """Everyday questions and talk: what most messages are."""
    yield from (Row(row.text, NO_RISK) for row in asked)
    yield from (Row(text, NO_RISK) for text, _ in emotions)


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _asked(data: Path) -> Iterator[Row]:
    """What people ask a bank or an assistant: a question or a request, by how it begins. What they tell a bank without asking
    ("my card never came") is as often a complaint, and is left out.
    """
    banking = (_question_or_request(row["text"]) for row in _table(data / "banking77" / "train.csv"))
    yield from (row for row in banking if row.label == "question")
    for row in _table(data / "clinc150" / "train.csv"):
        if row["intent"] not in _SMALL_TALK:
            yield _question_or_request(row["text"])


def _question_or_request(text: str) -> Row:
    is_question = text.rstrip().endswith("?") or text.split(maxsplit=1)[0].lower() in _ASKING
    return Row(text, "question" if is_question else "request")


def _seeded(seeds: Iterable[Seed], verdict: str) -> list[Row]:
    return [Row(seed.text, getattr(seed, verdict)) for seed in seeds]


def _kinds(emotions: list[tuple[str, frozenset[str]]], asked: list[Row]) -> Iterator[Row]:
    yield from asked
    for text, found in emotions:
        if "?" not in text and found == {"neutral"}:
            yield Row(text, "noise")
        elif "?" not in text and found in ({"gratitude"}, {"admiration", "gratitude"}):
            yield Row(text, "compliment")


def _needs(emotions: list[tuple[str, frozenset[str]]], asked: list[Row]) -> Iterator[Row]:
    yield from (Row(row.text, "yes") for row in asked)
    yield from (Row(text, "no") for text, found in emotions if "?" not in text and found <= {"neutral", "gratitude"})


def _moods(emotions: list[tuple[str, frozenset[str]]]) -> Iterator[Row]:
    for label, among in (("positive", _GOOD), ("negative", _BAD), ("neutral", _NEITHER)):
        yield from (Row(text, label) for text, found in emotions if found <= among)


def _few(rows: Iterable[Row], *, most: int) -> list[Row]:
    """At most `most` of each label, drawn alike every time."""
    rng = np.random.default_rng(_SEED)
    by_label: dict[str, list[Row]] = {}
    for row in rows:
        by_label.setdefault(row.label, []).append(row)
    chosen: list[Row] = []
    for own in by_label.values():
        chosen.extend(own[number] for number in sorted(rng.permutation(len(own))[:most]))
    return chosen
