"""Fitting a head: which classifiers over which views, each judged on rows it had not seen, then blended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from careline.errors import InputRefused
from careline.kit import clock
from careline.triage.encoders import Vectors
from careline.triage.heads.blending import blend_held_out, fit_blend, measure_familiar
from careline.triage.heads.examples import keep_examples
from careline.triage.heads.head import VERSION, Card, Head, Part, Reading
from careline.triage.heads.linear import Scores, Way, fit_linear
from careline.triage.heads.rows import Numbers, Row, deal, labelled
from careline.triage.heads.scoring import accuracy, macro_f1
from careline.triage.heads.views import Known, Shown, View, Views, see
from careline.triage.normalising import normalise

_FOLDS: Final = 5
_FEWER_FOLDS: Final = 3
_MANY_ROWS: Final = 15_000
# With more labels than this the parts for tone cost minutes and bring nothing: topics differ in meaning.
_MANY_LABELS: Final = 20
_MOST_WORDS: Final[dict[Reading, int]] = {"light": 20_000, "multilingual": 200_000, "english": 200_000}
_KEPT_EXAMPLES: Final[dict[Reading, int]] = {"light": 200, "multilingual": 0, "english": 0}


class _Plan(Struct, frozen=True):
    views: tuple[View, ...]
    way: Way
    strength: float


def fit_head(
    rows: Sequence[Row], *, reading: Reading, seed: int, vectors: Vectors | None, known: tuple[Known, ...]
) -> Head:
    """As `Head.fit` says."""
    rows = labelled(rows)
    labels = tuple(sorted({row.label for row in rows}))
    if len(labels) < 2:
        raise InputRefused("labels_too_few", "There is nothing to tell apart: label rows with at least two labels.")
    codes = np.array([labels.index(row.label) for row in rows], dtype=np.int64)
    names = _name_rows(labels, reading)
    taught = np.concatenate([codes, np.array([labels.index(name.label) for name in names], dtype=np.int64)])
    texts = [normalise(row.text) for row in (*rows, *names)]
    seen = see(texts, with_minilm=reading == "english", use=None if names else vectors)
    views = Views.fit(seen, most_words=_MOST_WORDS[reading], known=known, with_meaning=reading != "light")
    shown = views.show(seen)
    plans = _plan(shown, len(labels), reading)
    folds = _folds(len(rows), len(labels), reading)
    scores = _score_held_out(plans, shown, taught, deal(codes, folds=folds, seed=seed), labels=len(labels))
    chances = blend_held_out(scores, codes, folds=folds, seed=seed)
    chosen = chances.argmax(axis=1)
    card = Card(
        labels=labels,
        examples=tuple(np.bincount(codes, minlength=len(labels)).tolist()),
        rows=len(rows),
        accuracy=accuracy(codes, chosen),
        macro_f1=macro_f1(codes, chosen, labels=len(labels)),
        folds=folds,
        seed=seed,
        reading=reading,
        parts=tuple("+".join(plan.views) for plan in plans),
        version=VERSION,
        made_at=clock.now().isoformat(timespec="seconds"),
    )
    return Head(
        card=card,
        views=views,
        parts=tuple(_fit_part(plan, shown, taught, labels=len(labels)) for plan in plans),
        blend=fit_blend(scores, codes),
        doubt=_percentiles(chances.max(axis=1)),
        strange=_percentiles(measure_familiar(scores, [plan.way for plan in plans])),
        examples=keep_examples(rows, seen.use[: len(rows)], codes, most=_KEPT_EXAMPLES[reading], seed=seed),
    )


def _name_rows(labels: Sequence[str], reading: Reading) -> list[Row]:
    """Each label's name as one more example, where labels are many and so name topics: two points with five rows a label."""
    if reading == "light" or len(labels) <= _MANY_LABELS:
        return []
    named = [Row(re.sub(r"[\W_]+", " ", label).strip(), label) for label in labels]
    return [name for name in named if any(char.isalpha() for char in name.text)]


def _folds(rows: int, labels: int, reading: Reading) -> int:
    is_long = rows > _MANY_ROWS or labels > _MANY_LABELS or reading == "light"
    return min(_FEWER_FOLDS if is_long else _FOLDS, rows)


def _plan(shown: Shown, labels: int, reading: Reading) -> list[_Plan]:
    """The parts of a head: USE and words always; what is near in meaning where there is time; MiniLM's where it read; tone, and
    all together, where labels are few.
    """
    is_few = labels <= _MANY_LABELS
    has_layers = "layers" in shown.views
    plans = [
        _Plan(("use", "known"), "logistic", 3 if is_few else 30),
        _Plan(("words",), "margin", 0.2 if is_few else 1),
    ]
    if reading != "light":
        plans.append(_Plan(("meaning",), "kernel", 1 if is_few else 5))
    if is_few and has_layers:
        plans.append(_Plan(("layers", "use", "known"), "logistic", 0.3))
    if is_few and reading != "light":
        plans.append(_Plan(("words", "use", "known", "layers"), "margin", 0.03 if has_layers else 0.1))
    elif has_layers:
        plans += [_Plan(("sense",), "logistic", 30), _Plan(("pooled",), "logistic", 10)]
    return plans


def _percentiles(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.percentile(values, np.arange(101)).astype(np.float32)


def _fit_part(plan: _Plan, shown: Shown, codes: Numbers, *, labels: int) -> Part:
    features = shown.together(plan.views)
    return Part(plan.views, fit_linear(features, codes, labels=labels, way=plan.way, strength=plan.strength))


def _score_held_out(plans: Sequence[_Plan], shown: Shown, codes: Numbers, dealt: Numbers, *, labels: int) -> Scores:
    """Rows x parts x labels: each row scored by classifiers that were fitted without its fold.

    What stands behind the dealt rows teaches every fold and is not scored.
    """
    rows = len(dealt)
    scores = np.empty((rows, len(plans), labels))
    for number, plan in enumerate(plans):
        features = shown.together(plan.views)
        for fold in np.unique(dealt):
            inside = np.flatnonzero(dealt == fold)
            others = np.concatenate([np.flatnonzero(dealt != fold), np.arange(rows, len(codes))])
            linear = fit_linear(features[others], codes[others], labels=labels, way=plan.way, strength=plan.strength)
            scores[inside, number] = linear.score(features[inside])
    return scores
