"""Linear classifiers: scikit-learn fits them, afterwards they are a matrix and a row of numbers."""

from __future__ import annotations

import warnings
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from scipy.special import log_softmax

from careline.triage.heads.rows import Numbers

# Rows of numbers; scipy has no types, so a sparse matrix is anything here.
Features = Any
Scores = npt.NDArray[np.float64]
Way = Literal["logistic", "margin"]
# A label that the rows at hand do not hold: below every other.
_NEVER: Final = -12.0
_TOLERANCE: Final = 1e-3
_MOST_ROUNDS: Final = {"logistic": 150, "margin": 400}


class Linear(Struct, frozen=True):
    """Scores by label: log-probabilities of a logistic regression, or distances from the margins of a linear SVM."""

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    way: Way

    def score(self, features: Features) -> Scores:
        found: Scores = np.asarray(features @ self.weights, dtype=np.float64) + self.bias
        return log_softmax(found, axis=1) if self.way == "logistic" else found


def fit_linear(features: Features, codes: Numbers, *, labels: int, way: Way, strength: float) -> Linear:
    """`codes` are numbers of labels below `labels`; some may be missing. `strength` is C: the larger, the closer to the rows."""
    present = np.unique(codes)
    weights = np.zeros((features.shape[1], labels), dtype=np.float32)
    bias = np.full(labels, _NEVER, dtype=np.float32)
    if len(present) == 1:
        bias[present] = 0
        return Linear(weights, bias, way)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    rounds = _MOST_ROUNDS[way]
    model = (
        LogisticRegression(C=strength, max_iter=rounds, tol=_TOLERANCE)
        if way == "logistic"
        else LinearSVC(C=strength, max_iter=rounds, random_state=0)
    )
    with warnings.catch_warnings():
        # Stopping early is a choice: more rounds change the third digit of no figure in docs/triage.md.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, codes)
    found, offset = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(present) == 2:
        found, offset = np.vstack([-found, found]) / 2, np.concatenate([-offset, offset]) / 2
    weights[:, present] = found.T
    bias[present] = offset
    return Linear(weights, bias, way)
