"""From the scores of several parts to one calibrated probability by label, learned on scores of rows the parts had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from careline.triage.heads.linear import Scores, Way, fit_linear
from careline.triage.heads.rows import Numbers, deal
from careline.triage.heads.scoring import accuracy, macro_f1

# Below this a mixer of its own for each label and part would learn the rows by heart.
_ROWS_A_WEIGHT: Final = 10
_MOST_MIXED_LABELS: Final = 20
_MIX_STRENGTH: Final = 0.1
_PULL: Final = 1.0
_SOFTENED: Final = 0.5
# One number chosen from few, on many rows: it cannot learn them by heart.
_ROWS_TO_LEAN: Final = 1_000
_LEANING_COST: Final = 0.006
_LEANINGS: Final = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)


class Blend(Struct, frozen=True):
    """`scores` is rows x parts x labels. Either one weight a part, or (`matrix` not empty) one for each part, label and label."""

    shares: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    middle: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    matrix: npt.NDArray[np.float32]

    def probabilities(self, scores: Scores) -> Scores:
        if not self.matrix.size:
            mixed = np.tensordot(scores, self.shares, axes=(1, 0)) + self.bias
        else:
            flat = (scores.reshape(len(scores), -1) - self.middle) / self.spread
            mixed = flat @ self.matrix + self.bias
        found: Scores = softmax(mixed, axis=1)
        return found


def fit_blend(scores: Scores, codes: Numbers) -> Blend:
    """Shares when labels are many or rows few, else the full matrix; then leaning towards rare labels as far as that pays."""
    blend = _fit_mix(scores, codes)
    if len(codes) < _ROWS_TO_LEAN:
        return blend
    return replace(blend, bias=blend.bias + _lean(blend.probabilities(scores), codes))


def _lean(chances: Scores, codes: Numbers) -> npt.NDArray[np.float32]:
    """What is added to each label: a share of how rare it is, chosen so that accuracy and macro-F1 together are best."""
    labels = chances.shape[1]
    rarity = -np.log(np.maximum(np.bincount(codes, minlength=labels), 1) / len(codes))
    logged = np.log(np.maximum(chances, 1e-12))
    worth = {}
    for share in _LEANINGS:
        chosen = (logged + share * rarity).argmax(axis=1)
        worth[share] = accuracy(codes, chosen) + macro_f1(codes, chosen, labels=labels)
    best = max(_LEANINGS, key=lambda share: worth[share] - _LEANING_COST * (share > 0))
    leaning: npt.NDArray[np.float32] = (best * (rarity - rarity.mean())).astype(np.float32)
    return leaning


def _fit_mix(scores: Scores, codes: Numbers) -> Blend:
    rows, parts, labels = scores.shape
    if labels > _MOST_MIXED_LABELS or rows < _ROWS_A_WEIGHT * parts * labels * labels:
        return _fit_shares(scores, codes)
    flat = scores.reshape(rows, -1)
    middle, spread = flat.mean(axis=0), np.maximum(flat.std(axis=0), 1e-6)
    mixer = fit_linear((flat - middle) / spread, codes, labels=labels, way="logistic", strength=_MIX_STRENGTH)
    return Blend(
        np.zeros(parts, np.float32), mixer.bias, middle.astype(np.float32), spread.astype(np.float32), mixer.weights
    )


def blend_held_out(scores: Scores, codes: Numbers, *, folds: int, seed: int) -> Scores:
    """The probabilities each row gets from a blend that was fitted without it: what the card's figures are made of."""
    dealt = deal(codes, folds=folds, seed=seed + 1)
    found = np.empty((len(codes), scores.shape[2]))
    for fold in range(folds):
        inside = dealt == fold
        found[inside] = fit_blend(scores[~inside], codes[~inside]).probabilities(scores[inside])
    return found


def measure_familiar(scores: Scores, ways: Sequence[Way]) -> npt.NDArray[np.float64]:
    """How much each row is like anything known: the regressions' chances, softened and averaged, for the likeliest label.

    Sharper chances, or their product as in a blend, are sure of strange texts too: .94 for .98 on CLINC150's out-of-scope texts.
    """
    spoken = scores[:, [way == "logistic" for way in ways]]
    found: npt.NDArray[np.float64] = softmax(spoken * _SOFTENED, axis=2).mean(axis=1).max(axis=1)
    return found


def _fit_shares(scores: Scores, codes: Numbers) -> Blend:
    rows, parts, labels = scores.shape
    picked = scores[np.arange(rows), :, codes]
    counts = np.bincount(codes, minlength=labels)

    def cost(values: Scores) -> tuple[float, Scores]:
        shares, bias = values[:parts], values[parts:]
        logged = log_softmax(np.tensordot(scores, shares, axes=(1, 0)) + bias, axis=1)
        chance = np.exp(logged)
        loss = -logged[np.arange(rows), codes].sum() + _PULL * (bias @ bias) / 2
        slope = np.einsum("nl,npl->p", chance, scores) - picked.sum(axis=0)
        return float(loss), np.concatenate([slope, chance.sum(axis=0) - counts + _PULL * bias])

    start = np.concatenate([np.full(parts, 1 / parts), np.zeros(labels)])
    bounds = [(0, None)] * parts + [(None, None)] * labels
    best = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}).x
    none = np.zeros(0, np.float32)
    return Blend(best[:parts].astype(np.float32), best[parts:].astype(np.float32), none, none, none)
