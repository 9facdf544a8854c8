"""Which photos of a large collection come first along a direction, found without multiplying all their numbers.

The vectors are kept a second time in the few directions in which photos differ most (a truncated principal component
analysis by a randomised range finder: Halko, Martinsson and Tropp 2011). Along these the first are found in
milliseconds, and only they are multiplied in full.
"""

from __future__ import annotations

import numpy as np

from keywright.learning.base import Floats, Rows, Vectors

DIRECTIONS = 128
SAMPLE = 4096
"""Photos that the directions, and the mean, are judged by."""
_ROWS = 1024


class Shortlist:
    """Made once for all searches: 0.5 KB a photo."""

    def __init__(self, vectors: Vectors) -> None:
        """``vectors``: unit length, shape (n, d)."""
        rng = np.random.default_rng(0)
        rows = np.sort(rng.choice(len(vectors), min(SAMPLE, len(vectors)), replace=False))
        sample = np.asarray(vectors[rows], dtype=np.float32)
        self.mean: Floats = sample.mean(axis=0)
        centred = sample - self.mean
        found = centred @ rng.normal(size=(centred.shape[1], DIRECTIONS + 16)).astype(np.float32)
        for _ in range(2):
            found = centred @ (centred.T @ np.linalg.qr(found)[0])
        _, _, axes = np.linalg.svd(np.linalg.qr(found)[0].T @ centred, full_matrices=False)
        self._axes: Floats = np.ascontiguousarray(axes[:DIRECTIONS].T, dtype=np.float32)
        self._points: Floats = np.empty((len(vectors), self._axes.shape[1]), dtype=np.float32)
        for start in range(0, len(vectors), _ROWS):
            block = np.asarray(vectors[start : start + _ROWS], dtype=np.float32)
            self._points[start : start + _ROWS] = block @ self._axes
        self._centre: Floats = self.mean @ self._axes

    def products(self, allowed: Rows, directions: Floats) -> Floats:
        """Shape (allowed, k): about what the vectors give along ``directions``, shape (d, k)."""
        points = self._points if len(allowed) == len(self._points) else self._points[allowed]
        along = self._axes.T @ directions
        return np.asarray(points @ along + (self.mean @ directions - self._centre @ along), dtype=np.float32)
