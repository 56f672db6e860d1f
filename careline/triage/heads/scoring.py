"""How well labels were guessed: accuracy, F1, confusion, and how well doubt tells what belongs to no label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from scipy.stats import rankdata

from careline.triage.heads.rows import Numbers


class LabelFigures(Struct, frozen=True):
    label: str
    rows: int
    precision: float
    recall: float
    f1: float


class Figures(Struct, frozen=True):
    """`confusion[i][j]`: how many of label i were guessed j, in the order of `labels`."""

    rows: int
    accuracy: float
    macro_f1: float
    labels: tuple[LabelFigures, ...]
    confusion: tuple[tuple[int, ...], ...]


def measure(true: Sequence[str], guessed: Sequence[str]) -> Figures:
    """Macro-F1 is over the labels that stand in `true`; a label only guessed costs its rows' recall."""
    names = sorted({*true, *guessed})
    code = {name: number for number, name in enumerate(names)}
    table = _confusion(np.array([code[name] for name in true]), np.array([code[name] for name in guessed]), len(names))
    by_label = [_label_figures(name, table, number) for number, name in enumerate(names)]
    real = [figures for figures in by_label if figures.rows]
    return Figures(
        rows=len(true),
        accuracy=float(np.trace(table) / max(len(true), 1)),
        macro_f1=float(np.mean([figures.f1 for figures in real])) if real else 0.0,
        labels=tuple(by_label),
        confusion=tuple(tuple(row) for row in table.tolist()),
    )


def accuracy(true: Numbers, guessed: Numbers) -> float:
    return float((true == guessed).mean()) if len(true) else 0.0


def macro_f1(true: Numbers, guessed: Numbers, *, labels: int) -> float:
    table = _confusion(true, guessed, labels)
    return float(np.mean([_label_figures("", table, number).f1 for number in range(labels)]))


def auroc(inside: npt.NDArray[np.float64], outside: npt.NDArray[np.float64]) -> float:
    """The chance that a text of a known label got more confidence than one of none; one half is worthless."""
    ranks = rankdata(np.concatenate([inside, outside]))
    won = ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(won / (len(inside) * len(outside)))


def _confusion(true: Numbers, guessed: Numbers, labels: int) -> Numbers:
    table = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(table, (true, guessed), 1)
    return table


def _label_figures(name: str, table: Numbers, number: int) -> LabelFigures:
    hits, real, said = int(table[number, number]), int(table[number].sum()), int(table[:, number].sum())
    f1 = 2 * hits / (real + said) if real + said else 0.0
    return LabelFigures(name, real, hits / said if said else 0.0, hits / real if real else 0.0, f1)
