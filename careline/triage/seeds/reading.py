"""Reads the seed files into typed rows and refuses values that do not exist; it trains nothing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from msgspec import Struct

from careline.triage.protocol import CLOSINGS, HARMS, KINDS

FOLDER: Final = Path(__file__).parent
LANGUAGES: Final = ("en", "es")
SENTIMENTS: Final = ("negative", "neutral", "positive")
CHANNELS: Final = ("phone", "email", "chat", "form", "branch", "social", "app")
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "needs_answer": ("yes", "no"),
    "sentiment": SENTIMENTS,
    "harm": ("", *HARMS),
    "legal": ("", "legal"),
    "leaving": ("", "leaving"),
    "failed_elsewhere": ("", *CHANNELS),
    "closing": ("", *CLOSINGS),
}


class Seed(Struct, frozen=True):
    """One message and its labels; '' means the verdict does not hold."""

    text: str
    kind: str
    needs_answer: str
    sentiment: str
    harm: str = ""
    legal: str = ""
    leaving: str = ""
    failed_elsewhere: str = ""
    closing: str = ""

    @property
    def is_risky(self) -> bool:
        return bool(self.harm or self.legal or self.leaving or self.failed_elsewhere)


def read_seeds(language: str) -> list[Seed]:
    """The rows of one language in the order of the file. Raises ValueError, with the line, for a value that does not exist."""
    return _read_file(f"{language}.csv")


def read_oblique(language: str) -> list[Seed]:
    """Risks told in words no rule knows. They judge rules and heads; nothing learns from them and no rule is mended by them."""
    return _read_file(f"oblique_{language}.csv")


def _read_file(name: str) -> list[Seed]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for line, row in enumerate(rows, start=2):
        _check_values(row, where=f"{name}:{line}")
    return [Seed(**row) for row in rows]


def _check_values(row: dict[str, str], *, where: str) -> None:
    if set(row) != {"text", *ALLOWED}:
        raise ValueError(f"{where}: columns are {sorted(map(str, row))}")
    for column, values in ALLOWED.items():
        if row[column] not in values:
            raise ValueError(f"{where}: {column} is {row[column]!r}, expected one of {values}")
