"""The learners Keywright is measured against: each takes vectors and labels, and scores new vectors, shape (n, k)."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

Learner = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _each(x: np.ndarray, y: np.ndarray, new: np.ndarray, one: Callable[..., np.ndarray]) -> np.ndarray:
    scores = np.zeros((len(new), y.shape[1]), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for k in range(y.shape[1]):
            if 0 < y[:, k].sum() < len(y):
                scores[:, k] = one(x, y[:, k], new)
    return scores


def centred(x: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = x.mean(axis=0)
    return tuple((v - mean) / np.linalg.norm(v - mean, axis=1, keepdims=True) for v in (x, new))  # type: ignore[return-value]


def svm_recipe(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """A linear SVM for each keyword: positives oversampled, the 50 nearest negatives and 200 at random."""
    x, new = centred(x, new)
    rng = np.random.default_rng(0)

    def one(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        yes, no = np.flatnonzero(y), np.flatnonzero(~y)
        hard = no[np.argsort(-(x[no] @ x[yes].mean(axis=0)))[:50]]
        rest = rng.choice(no, min(200, len(no)), replace=False)
        negatives = np.union1d(hard, rest)
        positives = np.resize(yes, max(len(yes), len(negatives)))
        rows = np.concatenate([positives, negatives])
        return LinearSVC(C=1.0).fit(x[rows], y[rows]).decision_function(new)

    return _each(x, y, new, one)


def svm_balanced(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    x, new = centred(x, new)
    return _each(x, y, new, lambda x, y, n: LinearSVC(C=1.0, class_weight="balanced").fit(x, y).decision_function(n))


def logistic(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    x, new = centred(x, new)
    return _each(x, y, new, lambda x, y, n: LogisticRegression(C=10, max_iter=300).fit(x, y).decision_function(n))


def nearest(x: np.ndarray, y: np.ndarray, new: np.ndarray, k: int = 30) -> np.ndarray:
    x, new = centred(x, new)
    likeness = new @ x.T
    k = min(k, len(x))
    top = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    weights = np.exp(5 * np.take_along_axis(likeness, top, axis=1))
    return np.einsum("nj,njk->nk", weights / weights.sum(axis=1, keepdims=True), y[top].astype(np.float32))


def tip_adapter(x: np.ndarray, y: np.ndarray, new: np.ndarray, sharpness: float = 5.5) -> np.ndarray:
    """Tip-Adapter's cache (Zhang et al. 2022) without a text encoder's zero-shot term, which these vectors lack."""
    x, new = centred(x, new)
    return np.exp(-sharpness * (1 - new @ x.T)) @ (y / np.maximum(y.sum(axis=0), 1)).astype(np.float32)


def gda(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Gaussian discriminant with one covariance for all (Wang et al. 2024), its precision shrunk as theirs is."""
    x, new = centred(x, new)
    means = (y.T.astype(np.float32) @ x) / np.maximum(y.sum(axis=0), 1)[:, None]
    pairs = np.argwhere(y)
    spread = x[pairs[:, 0]] - means[pairs[:, 1]]
    d = x.shape[1]
    covariance = spread.T @ spread / max(len(spread) - 1, 1)
    precision = d * np.linalg.inv((len(spread) - 1) * covariance + (np.trace(covariance) + 1e-3) * np.eye(d))
    weights = means @ precision
    return (new @ weights.T - 0.5 * np.einsum("kd,kd->k", weights, means)).astype(np.float32)


def ridge(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    x, new = centred(x, new)
    mean = y.mean(axis=0)
    gram = x.T @ x + np.eye(x.shape[1], dtype=np.float32)
    return new @ np.linalg.solve(gram, x.T @ (y - mean)) + mean


RIVALS: dict[str, Learner] = {
    "linear SVM, oversampled, hard negatives": svm_recipe,
    "linear SVM, balanced": svm_balanced,
    "logistic regression, C=10": logistic,
    "k nearest neighbours, k=30": nearest,
    "Tip-Adapter": tip_adapter,
    "GDA, shared covariance": gda,
    "ridge, λ=1": ridge,
}
