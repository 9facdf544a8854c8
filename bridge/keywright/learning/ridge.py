"""Ridge regression of every keyword at once, in its dual form (a kernel matrix) and its primal (a Gram matrix).

Both leave a free intercept, and both give for nothing more than the factor the score every training photo would have
had from the others (leave-one-out, by the hat matrix: Allen's PRESS; Rifkin & Lippert, "Notes on regularized least
squares", 2007). Targets have shape (n, keywords); one factor serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from keywright.learning.base import Floats, LearningError, Rows

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """coefficients shape (m, k) over the features, intercepts shape (k,)."""

    coefficients: Floats
    intercepts: Floats


@dataclass(frozen=True, eq=False, slots=True)
class KernelRidge:
    """``operator`` = C - C11'C / 1'C1 with C = (K + penalty I)^-1: applied to targets it gives the coefficients."""

    operator: Floats
    intercept_row: Floats  # 1'C / 1'C1: applied to targets it gives the intercepts
    corner: float  # -1 / 1'C1, the last entry of the bordered inverse
    penalty: float

    @classmethod
    def of(cls, kernel: Floats, penalty: float) -> KernelRidge:
        """kernel shape (n, n), symmetric; the penalty is lambda > 0."""
        shifted = kernel.copy()
        shifted.flat[:: len(kernel) + 1] += np.float32(penalty)
        inverse = _inverse(shifted)
        sums = inverse.sum(axis=1, dtype=np.float64)
        row = (sums / sums.sum()).astype(np.float32)
        inverse -= np.outer(sums.astype(np.float32), row)
        return cls(inverse, row, float(-1 / sums.sum()), penalty)

    def fit(self, targets: Floats) -> Fit:
        return Fit(self.operator @ targets, self.intercept_row @ targets)

    def leave_one_out(self, targets: Floats, fit: Fit) -> Floats:
        """Shape (n, k): each photo's score from a fit to all the others (the intercept fitted anew as well)."""
        diagonal = np.diagonal(self.operator).clip(1e-7)  # a single photo has nothing but itself
        return np.asarray(targets - fit.coefficients / diagonal[:, None], dtype=np.float32)

    def fitted(self, targets: Floats, fit: Fit) -> Floats:
        return targets - np.float32(self.penalty) * fit.coefficients

    def bordered(self, features: Floats) -> tuple[Floats, float, float]:
        """For a photo outside the fit with these likenesses, shape (n,): how coefficients and intercept give way when
        it comes in with a coefficient of 1, and the variance it has left of its own 1."""
        coefficients = self.operator @ features + self.intercept_row
        intercept = float(self.intercept_row @ features) + self.corner
        return -coefficients, -intercept, max(1 - float(features @ coefficients) - intercept, 1e-6)

    def hat(self, rows: Rows) -> Floats:
        """The hat matrix's square block on ``rows``."""
        return cast(
            Floats, np.eye(len(rows), dtype=np.float32) - np.float32(self.penalty) * self.operator[np.ix_(rows, rows)]
        )


def _inverse(matrix: Floats) -> Floats:
    """Inverse of a positive definite matrix, by Cholesky; the argument is used up."""
    for growth in (0.0, 1e-5, 1e-3):
        attempt = matrix.copy() if growth < 1e-3 else matrix
        attempt.flat[:: len(matrix) + 1] *= np.float32(1 + growth)
        factor, failed = linalg.lapack.spotrf(attempt.T, lower=0, overwrite_a=1, clean=0)
        if failed:
            continue
        inverse, failed = linalg.lapack.spotri(factor, lower=0, overwrite_c=1)
        if not failed:
            upper = np.triu(inverse)
            return np.ascontiguousarray(upper + np.triu(upper, 1).T, dtype=np.float32)
    raise LearningError("The photos' vectors are too much alike to learn from; embed them again.")
