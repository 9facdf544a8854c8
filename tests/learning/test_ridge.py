"""The solvers' numbers against scikit-learn and against doing it the long way."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples
from keywright.learning.choosing import average_precisions
from keywright.learning.features import FeatureMap, squared_distances
from keywright.learning.landmarks import Gram, GramRidge, memberships
from keywright.learning.points import fit_points
from keywright.learning.ridge import KernelRidge
from keywright.learning.targets import left_out_scores, residuals


@pytest.fixture
def problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = np.abs(rng.standard_normal((60, 12))).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = (x @ rng.standard_normal((12, 3)) > 0.3).astype(np.float32)
    return x, y


def kernel_of(x: np.ndarray) -> np.ndarray:
    return np.exp(-squared_distances(x, x))


def test_the_kernel_solution_is_scikit_learns_ridge_on_the_kernels_own_features(problem) -> None:
    x, y = problem
    kernel = kernel_of(x)
    ridge = KernelRidge.of(kernel, 0.4)
    fit = ridge.fit(y)
    values, axes = np.linalg.eigh(kernel.astype(float))
    features = axes * np.sqrt(np.maximum(values, 0))
    witness = Ridge(alpha=0.4).fit(features, y)
    assert np.allclose(kernel @ fit.coefficients + fit.intercepts, witness.predict(features), atol=1e-3)


def test_leave_one_out_scores_are_those_of_really_leaving_each_photo_out(problem) -> None:
    x, y = problem
    kernel = kernel_of(x)
    ridge = KernelRidge.of(kernel, 0.4)
    honest = ridge.leave_one_out(y, ridge.fit(y))
    for photo in range(len(x)):
        rest = np.delete(np.arange(len(x)), photo)
        fit = KernelRidge.of(kernel[np.ix_(rest, rest)], 0.4).fit(y[rest])
        assert np.allclose(kernel[photo, rest] @ fit.coefficients + fit.intercepts, honest[photo], atol=1e-3)


def test_the_gram_solution_is_scikit_learns_ridge_and_its_leverages_leave_one_out(problem) -> None:
    x, y = problem
    features = FeatureMap(fit_points(x, None), True)
    examples = [KeywordExamples(KeywordPath.of(str(k)), np.flatnonzero(y[:, k]), NO_ROWS, NO_ROWS) for k in range(3)]
    gram, moments = Gram.with_moments(features, x, memberships(examples, len(x)))
    ridge = GramRidge.of(gram, 0.7)
    fit = ridge.fit(moments, y.sum(axis=0))
    placed = features(x)
    witness = Ridge(alpha=0.7).fit(placed, y)
    scores = placed @ fit.coefficients + fit.intercepts
    assert np.allclose(scores, witness.predict(placed), atol=1e-3)
    leverage = ridge.leverages(placed)[:, None]
    honest = (scores - leverage * y) / (1 - leverage)
    for photo in range(0, len(x), 7):
        rest = np.delete(np.arange(len(x)), photo)
        again = Ridge(alpha=0.7).fit(placed[rest], y[rest])
        assert np.allclose(again.predict(placed[[photo]])[0], honest[photo], atol=2e-3)


@pytest.mark.parametrize("dimension", [1, 255, 256, 257, 600])
def test_hat_values_of_long_vectors_are_those_of_the_whole_inverse(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    x = rng.standard_normal((40, dimension)).astype(np.float32)
    sums = x.sum(axis=0, dtype=np.float64)
    ridge = GramRidge.of(Gram(x.T.astype(np.float64) @ x, sums, len(x)), 0.7)
    centred = (x - sums / len(x)).astype(np.float64)
    hat = centred @ np.linalg.solve(centred.T @ centred + 0.7 * np.eye(dimension), centred.T)
    assert np.allclose(ridge.leverages(x), np.diag(hat) + 1 / len(x), atol=1e-4)


def test_a_weighted_photo_counts_as_in_scikit_learns_weighted_ridge(problem) -> None:
    x, y = problem
    kernel = kernel_of(x)
    ridge = KernelRidge.of(kernel, 0.4)
    rows, weights = np.array([3, 8, 20]), np.array([4.0, 0.0, 4.0], dtype=np.float32)
    target = y[:, 0].copy()
    fitted = ridge.fitted(target, ridge.fit(target))
    target[rows] += (weights - 1) * residuals(y[rows, 0], fitted[rows], ridge.hat(rows), weights)
    fit = ridge.fit(target)
    values, axes = np.linalg.eigh(kernel.astype(float))
    features = axes * np.sqrt(np.maximum(values, 0))
    every = np.ones(len(x))
    every[rows] = weights
    # the free intercept of a fit with shifted targets is the unweighted one: give the witness the same
    centred = np.hstack([features, np.full((len(x), 1), 1e3)])
    witness = Ridge(alpha=0.4, fit_intercept=False).fit(centred, y[:, 0], sample_weight=every)
    assert np.allclose(kernel @ fit.coefficients + fit.intercepts, witness.predict(centred), atol=2e-3)
    without = every.copy()
    without[3] = 0
    alone = Ridge(alpha=0.4, fit_intercept=False).fit(centred, y[:, 0], sample_weight=without).predict(centred)[3]
    assert left_out_scores(y[rows, 0], fitted[rows], ridge.hat(rows), weights)[0] == pytest.approx(alone, abs=2e-3)


def test_average_precision_is_scikit_learns_with_ties_too() -> None:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 12, (200, 6)).astype(np.float32)
    labels = (rng.random((200, 6)) < 0.2).astype(np.float32)
    weights = rng.integers(1, 4, (200, 6)).astype(np.float32)
    plain, weighted = average_precisions(scores, labels), average_precisions(scores, labels, weights)
    for k in range(6):
        assert plain[k] == pytest.approx(average_precision_score(labels[:, k], scores[:, k]))
        expected = average_precision_score(labels[:, k], scores[:, k], sample_weight=weights[:, k])
        assert weighted[k] == pytest.approx(expected)
