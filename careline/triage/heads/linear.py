"""Classifiers that are a matrix and a row of numbers once they are fitted: over the features, or over how near some rows are."""

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
Way = Literal["logistic", "margin", "kernel"]
# A label that the rows at hand do not hold: below every other.
_NEVER: Final = -12.0
_TOLERANCE: Final = 1e-3
_MOST_ROUNDS: Final[dict[Way, int]] = {"logistic": 150, "margin": 400}
# Of a larger table so many rows are drawn: the matrix of their nearness takes 576 MB while it is solved.
_MOST_LANDMARKS: Final = 12_000
_SHARPNESS: Final = 2.0
# Brings shares of one to the size of the other ways' scores, where the blend starts.
_KERNEL_SCALE: Final = 20.0


class Linear(Struct, frozen=True):
    """Scores by label: log-probabilities of a logistic regression, distances from the margins of a linear SVM, or the
    shares a kernel ridge regression gives (`landmarks` are the rows it measures nearness to).
    """

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    way: Way
    landmarks: npt.NDArray[np.float32] | None = None

    def score(self, features: Features) -> Scores:
        if self.landmarks is not None:
            features = _near(features, self.landmarks)
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
    if way == "kernel":
        return _fit_kernel(features, codes, labels=labels, strength=strength)
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


def _fit_kernel(features: Features, codes: Numbers, *, labels: int, strength: float) -> Linear:
    """Ridge regression of each label's share by nearness to the rows: it follows a label that no straight line parts off."""
    from scipy.linalg import cho_factor, cho_solve

    if len(codes) > _MOST_LANDMARKS:
        drawn = np.sort(np.random.default_rng(0).permutation(len(codes))[:_MOST_LANDMARKS])
        features, codes = features[drawn], codes[drawn]
    shares = np.zeros((len(codes), labels), dtype=np.float32)
    shares[np.arange(len(codes)), codes] = _KERNEL_SCALE
    middle = shares.mean(axis=0)
    near = _near(features, features)
    near[np.diag_indices_from(near)] += 1 / strength
    weights = cho_solve(cho_factor(near, overwrite_a=True, check_finite=False), shares - middle, check_finite=False)
    return Linear(weights.astype(np.float32), middle, "kernel", features.astype(np.float32))


def _near(features: Features, landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows x landmarks, 1 for the same: a Gaussian of the distance, both being of length 1."""
    found: npt.NDArray[np.float32] = np.exp(_SHARPNESS * (features @ landmarks.T - 1), dtype=np.float32)
    return found
