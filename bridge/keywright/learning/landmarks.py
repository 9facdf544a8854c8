"""Learning from large catalogs: one Gram matrix over features that do not grow with the photos.

The features are the points themselves and, where that ranks better, their likeness to a sample of landmarks. Only the
Gram matrix, its factor and one block of photos are held; every pass makes the features of a block anew.

Products within a pass are numpy's alone: scipy brings threads of its own, and each library's, waiting for work, take
the cores from the other's: a training took longer with scipy's, which make half of a symmetric or triangular product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from keywright.learning.base import Floats, KeywordExamples, LearningError, Vectors
from keywright.learning.features import FeatureMap
from keywright.learning.ridge import Fit

Doubles = NDArray[np.float64]
STRIP = 256
"""Columns of a triangular product made at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class Gram:
    """Sums over photos: features' products (m, m), features (m,), and how many photos. Gram matrices add up."""

    products: Doubles
    sums: Doubles
    photos: int

    @classmethod
    def of(cls, features: FeatureMap, vectors: Vectors) -> Gram:
        return cls.with_moments(features, vectors, None)[0]

    @classmethod
    def with_moments(
        cls, features: FeatureMap, vectors: Vectors, targets: sparse.csr_matrix | None
    ) -> tuple[Gram, Floats]:
        """The Gram matrix and, from the same pass over the photos, features' @ targets, shape (m, k)."""
        size = features.dimension
        products = np.zeros((size, size), dtype=np.float64)
        sums = np.zeros(size, dtype=np.float64)
        moments = np.zeros((0 if targets is None else targets.shape[1], size), dtype=np.float32)
        for rows, block in features.blocks(vectors):
            products += block.T @ block
            sums += np.ones(len(block), dtype=np.float32) @ block
            if targets is not None:
                moments += targets[rows].T @ block
        return cls(products, sums, len(vectors)), np.ascontiguousarray(moments.T)

    def __add__(self, other: Gram) -> Gram:
        return Gram(self.products + other.products, self.sums + other.sums, self.photos + other.photos)

    def __sub__(self, other: Gram) -> Gram:
        return Gram(self.products - other.products, self.sums - other.sums, self.photos - other.photos)


@dataclass(frozen=True, eq=False, slots=True)
class GramRidge:
    """The factor of (centred products + penalty I): solves all keywords, and gives every photo's leverage."""

    whitener: Floats  # inverse of the Cholesky factor, lower triangular: A^-1 = whitener' whitener
    mean: Floats  # of the features
    photos: int
    triangular: bool = False  # the whitener, in the order of Fortran

    @classmethod
    def of(cls, gram: Gram, penalty: float, transform: Floats | None = None) -> GramRidge:
        """``transform``, shape (m, j): the penalty is on weights of ``features @ transform`` (see ``whitening``)."""
        if gram.photos < 1:
            raise LearningError("There are no photos to learn from.")
        mean = gram.sums / gram.photos
        matrix = gram.products - gram.photos * np.outer(mean, mean)
        if transform is not None:
            matrix = np.asarray(transform.T @ matrix @ transform, dtype=np.float64)
        matrix.flat[:: len(matrix) + 1] += penalty
        factor, failed = linalg.lapack.dpotrf(matrix, lower=1, clean=1)
        if failed:
            raise LearningError("The photos' vectors are too much alike to learn from; embed them again.")
        whitener, failed = linalg.lapack.dtrtri(factor, lower=1)
        if failed:
            raise LearningError("The photos' vectors are too much alike to learn from; embed them again.")
        if transform is not None:
            return cls((whitener @ transform.T).astype(np.float32), mean.astype(np.float32), gram.photos)
        return cls(np.asfortranarray(whitener, dtype=np.float32), mean.astype(np.float32), gram.photos, True)

    def solve(self, moments: Floats) -> Floats:
        """A^-1 @ moments."""
        solved: Floats = self.whitener.T @ (self.whitener @ moments)
        return solved

    def fit(self, moments: Floats, totals: Floats) -> Fit:
        """``moments``: features' @ targets, shape (m, k); ``totals``: targets' sums, shape (k,)."""
        means = totals / np.float32(self.photos)
        coefficients = self.solve(moments - np.outer(self.mean, totals))
        return Fit(coefficients, means - self.mean @ coefficients)

    def whitened(self, features: Floats) -> Floats:
        """Rows u with u @ u' the hat matrix less its constant 1/n, shape (rows, m)."""
        centred = features - self.mean
        if not self.triangular:
            return np.asarray(centred @ self.whitener.T, dtype=np.float32)
        white = np.empty_like(centred)
        for start, stop in pairwise(range(0, len(self.whitener) + STRIP, STRIP)):  # what is zero is not multiplied
            rows = self.whitener[start:stop, :stop]
            np.matmul(centred[:, :stop], rows.T, out=white[:, start:stop])
        return white

    def leverages(self, features: Floats) -> Floats:
        """Shape (rows,): the hat matrix's diagonal for these photos of the training set."""
        white = self.whitened(features)
        diagonal: Floats = np.einsum("ij,ij->i", white, white)
        diagonal += np.float32(1 / self.photos)
        np.minimum(diagonal, np.float32(0.999), out=diagonal)
        return diagonal


def whitening(features: FeatureMap) -> Floats | None:
    """The transform under which likeness to landmarks is Nyström's feature map: K_mm^-1/2 on their part."""
    if features.landmarks is None:
        return None
    kernel = features(features.landmarks)[:, -len(features.landmarks) :].astype(np.float64)
    values, axes = np.linalg.eigh((kernel + kernel.T) / 2)
    good = values > 1e-4 * values[-1]
    linear = features.dimension - len(values)
    transform = np.zeros((features.dimension, linear + int(good.sum())), dtype=np.float32)
    transform[:linear, :linear] = np.eye(linear, dtype=np.float32)
    transform[linear:, linear:] = axes[:, good] / np.sqrt(values[good])
    return transform


def memberships(examples: Sequence[KeywordExamples], photos: int) -> sparse.csr_matrix:
    """Shape (photos, keywords), 1 where carried."""
    rows = np.concatenate([keyword.positives for keyword in examples])
    columns = np.repeat(np.arange(len(examples)), [len(keyword.positives) for keyword in examples])
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), shape=(photos, len(examples)))
